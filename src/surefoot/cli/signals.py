"""The page of failure modes: each kind with what follows and with every signal that means it.

Reads `domain.outcome` and `dialects.signals`. Must never know a signal of its own.
"""

from surefoot.cli.tables import table
from surefoot.config.reference import HEADER
from surefoot.dialects.signals import SIGNALS, Signal, Where
from surefoot.domain.outcome import OUTCOMES, Kind

_COLUMNS = ("retry", "fall back", "blame", "billed", "counted")


def consequences(kind: Kind) -> tuple[str, ...]:
    """A kind's row of the outcome table, as cells."""
    row = OUTCOMES[kind]
    flags = ("yes" if flag else "" for flag in (row.blame, row.billed, row.counted))
    return ("yes" if row.retry else "", str(row.fall_back), *flags)


def signals_page() -> str:
    """Every kind that a signal means, in the order of the outcomes."""
    parts = [
        f"""{HEADER}
# Signals

How each failure is seen on the wire, and what follows. A word is looked up in every answer, whoever gave it, since
aggregators and proxies hand on the words of others. The first that says something decides: the words of the error (its
details, code, inner code, status, type), the exception in Amazon's header `x-amzn-errortype`, then how its message
reads, then the HTTP status. Upper and lower case do not matter. A status of 200 is an error inside an answer that began
well: the body of a plain one, or an event of a stream.
What the columns of consequences mean is in [outcomes.md](outcomes.md).
"""
    ]
    for kind, row in OUTCOMES.items():
        signals = [signal for signal in SIGNALS if signal.kind is kind]
        if signals:
            follows = table(_COLUMNS, [consequences(kind)])
            seen = table(("API", "where", "status", "signal", "source"), [_cells(signal) for signal in signals])
            parts.append(f"## `{kind}`\n\n{row.meaning[0].upper()}{row.meaning[1:]}.\n\n{follows}\n\n{seen}\n")
    return "\n".join(parts)


def _cells(signal: Signal) -> tuple[str, ...]:
    said = signal.word if signal.where is Where.WIRE or not signal.word else f"`{signal.word}`"
    source = f"<{signal.source}>" if signal.source.startswith("https:") else f"`{signal.source}`"
    return str(signal.api), str(signal.where), "" if signal.status is None else str(signal.status), said, source
