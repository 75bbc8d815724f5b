"""Three books of the same calls must agree: what the client got, what the journal says, what the providers saw.

Joined exactly: a client's call names itself in the request's `user` field, which a provider (twin) logs; the gateway
names it in the header `surefoot-call`, which the journal holds.
Knows: the three kinds of record. Must never: do I/O, or excuse what it cannot explain.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from surefoot.domain.outcome import Kind
from surefoot.journal.reader import AttemptEntry, CallEntry
from surefoot.load import CallResult
from surefoot.twin import AttemptRecord

LATE = frozenset({
    Kind.CANCELLED, Kind.OVERTAKEN, Kind.SILENCE, Kind.SLOW_FIRST_TOKEN, Kind.STALL, Kind.SLOW_DRIP, Kind.DEADLINE,
    Kind.CLIENT_GONE, Kind.SHUTDOWN,
})  # fmt: skip
"""How the gateway may end an attempt before its provider does: then the provider's view of its end says nothing."""

UNREAD = LATE | {Kind.RESET, Kind.CONNECT, Kind.TLS}
"""How an attempt may end whose request was written, and of which the provider has read nothing."""

CLOSED = frozenset({"stale", "reset", "refuse"})
"""Faults of a provider that closes the connection on a request without a word. On one that had been idle this looks
like a close that crossed the request, so that the gateway sends it once more within the same attempt."""

_SHOWN = 20


@dataclass(slots=True)
class Books:
    """What was compared, and what did not agree."""

    violations: list[str] = field(default_factory=list)
    matched: int = 0
    """Attempts that stand in the journal and in a provider's log."""
    unread: int = 0
    """Attempts that were sent and ended before their provider had read them."""
    resent: int = 0
    """Requests that an idle connection took and then broke without a word: the same attempt was sent once more."""

    def say(self, sentence: str) -> None:
        """One more violation."""
        self.violations.append(sentence)

    def shown(self) -> list[str]:
        """The first violations, and how many there are beyond them."""
        more = len(self.violations) - _SHOWN
        return [*self.violations[:_SHOWN], *([f"... and {more} more"] if more > 0 else [])]


def reconcile(
    told: Mapping[str, CallResult],
    journal: Sequence[CallEntry],
    seen: Mapping[str, Sequence[AttemptRecord]],
    tokens: int,
) -> Books:
    """Compare the three books. `told` is by the calls' own names, `seen` by target; every whole answer has `tokens`."""
    books = Books()
    records = _by_name(seen)
    entries = {entry.call: entry for entry in journal}
    if len(entries) != len(journal):
        books.say(f"{len(journal) - len(entries)} calls stand in the journal twice")
    named = Counter(result.call for result in told.values() if result.call is not None)
    for call in named.keys() - entries.keys():
        books.say(f"call {call} is not in the journal")
    for call in entries.keys() - named.keys():
        books.say(f"call {call} is in the journal, but no client was told of it")
    for name, result in told.items():
        entry = entries.get(result.call or "")
        if result.call is None:
            books.say(f"{name} got no call's identity: {result.failure}, status {result.status}")
        elif entry is not None:
            _compare(name, result, entry, _Seen(records, name, tokens), books)
    for (name, target), rest in records.items():
        books.say(f"{target} saw {len(rest)} attempts of {name or 'nobody'} that no journal knows")
    return books


def _by_name(seen: Mapping[str, Sequence[AttemptRecord]]) -> dict[tuple[str, str], list[AttemptRecord]]:
    """By the call's own name and target; where a fault struck a handshake no request was read, and no model named."""
    records: dict[tuple[str, str], list[AttemptRecord]] = defaultdict(list)
    for target, log in seen.items():
        for record in log:
            if record.model is not None:
                records[record.user or "", target].append(record)
    return records


class _Seen:
    """What providers saw of one call; what is taken out has been accounted for."""

    def __init__(self, records: dict[tuple[str, str], list[AttemptRecord]], name: str, tokens: int) -> None:
        self._records = records
        self._name = name
        self._tokens = tokens

    def take(self, target: str) -> list[AttemptRecord]:
        return self._records.pop((self._name, target), [])

    def whole(self, record: AttemptRecord) -> bool:
        """Whether the provider wrote all of its answer. A broken call is shorter; in a stream it is relayed unread."""
        called = record.stream and record.fault == "bad_arguments"
        return called or record.content_tokens >= self._tokens


def _compare(name: str, result: CallResult, entry: CallEntry, seen: _Seen, books: Books) -> None:
    if result.ok is not (entry.kind == Kind.OK):
        books.say(f"{name} ended as {result.failure or 'ok'} for its client, as {entry.kind} in the journal")
    if result.ok and entry.stream and not result.done:
        books.say(f"{name} is ok without [DONE]")
    by_target: dict[str, list[AttemptEntry]] = defaultdict(list)
    for attempt in entry.attempts:
        by_target[attempt.target].append(attempt)
    for target, attempts in by_target.items():
        sent = [attempt for attempt in attempts if attempt.sent is not None]
        records = _but_resent(seen.take(target), len(sent), len(attempts), books)
        read = sent if len(records) == len(sent) else _likely_read(sent, len(records), books)
        if len(read) != len(records):
            kinds = ", ".join(str(attempt.kind) for attempt in attempts)
            books.say(f"{name} was sent {len(sent)} times to {target} ({kinds}), which saw {len(records)}")
            continue
        for attempt, record in zip(read, records, strict=True):
            books.matched += 1
            _compare_attempt(name, attempt, record, books, whole=seen.whole(record))
            if result.ok and attempt.number == entry.winner and not seen.whole(record):
                books.say(f"{name} was given {record.content_tokens} tokens of {target} as a whole answer")


def _compare_attempt(name: str, attempt: AttemptEntry, record: AttemptRecord, books: Books, *, whole: bool) -> None:
    if attempt.kind == Kind.OK and not whole:
        books.say(f"{name} at {attempt.target} is ok, but {record.content_tokens} tokens were written ({record.fault})")
    healthy = whole and record.fault is None and record.gone_at is None and record.end is not None
    if healthy and attempt.kind != Kind.OK and attempt.kind not in LATE:
        books.say(f"{name} at {attempt.target} is {attempt.kind}, but the answer was whole")


def _but_resent(records: list[AttemptRecord], sent: int, attempts: int, books: Books) -> list[AttemptRecord]:
    """Without those beyond `sent` that can be explained by sending again, which each attempt may do once."""
    excess = len(records) - sent
    closed = [record for record in records if record.fault in CLOSED and record.first_byte is None]
    if not 0 < excess <= min(len(closed), attempts):
        return records
    books.resent += excess
    return [record for record in records if record not in closed[:excess]]


def _likely_read(attempts: Sequence[AttemptEntry], count: int, books: Books) -> list[AttemptEntry]:
    """The attempts less those that may have ended unread, if exactly `count` are left so."""
    unread = [attempt for attempt in attempts if attempt.heard is None and attempt.kind in UNREAD]
    missing = len(attempts) - count
    if not 0 < missing <= len(unread):
        return list(attempts)
    books.unread += missing
    return [attempt for attempt in attempts if attempt not in unread[:missing]]
