"""The tables of an exposure for a terminal.

Knows: columns, and what has to be said beside a number. Must never: compute a number of its own.
"""

from collections.abc import Iterator

from rich.table import Table

from surefoot.facts import Fact, Facts
from surefoot.report import by_use, shown
from surefoot.report.amounts import ARMS, NONE, Rows, both, dollars, percent, plain
from surefoot.report.by_use import LOSSES

_PARTS = (
    ("penalties", "own penalties"),
    ("margin", "lost margin"),
    ("response", "response"),
    ("impact", "other impact"),
    ("delay", "compliance delay"),
)
_SAVINGS = (
    ("mean", "expected (mean)"),
    ("p5", "p5"),
    ("median", "median"),
    ("p95", "p95"),
    ("net", "expected, less what it costs"),
)
_MANTISSAS = ("1", "2", "5")
_READINGS = ("any", "partial", "major")


def tables(facts: Facts, width: int) -> Iterator[Table]:
    """What a year loses, what the fallback saves, months, error budget and what went in, on a screen so wide."""
    known = {fact.name: fact for fact in facts.facts}
    for make in (_losses, _savings, _exceedance, _months, *by_use.TABLES, _history, _budget, _burn, _inputs):
        yield from make(known).drawn(width)


def remarks(facts: Facts) -> Iterator[str]:
    """What has to be said beside the tables."""
    known = {fact.name: fact for fact in facts.facts}
    yield f"n: {known['loss.without.mean'].n:,} simulated years, seed {facts.seed}. Intervals are of 95 %."
    yield (
        "The interval of a mean says how far what is not known (counts, ranges, coverage) moves it; that of a "
        "quantile, a share or the CVaR, what chance in the simulation does: there the doubt is in the years."
    )
    yield from by_use.remarks(known)
    if any(name.startswith("credits.") for name in known):
        yield (
            "Credits are a share of the provider's bill and not your loss; its own uptime counts, so they are the same "
            "with a fallback and without. Exposure = penalties + margin + response + impact + delay - credits."
        )
    if any(name.startswith("history.") for name in known):
        yield "Months as they were are a history without a fallback; what they cost is a sum, no estimate of next year."
    yield (
        "Not in these numbers: risks that the file does not name, customers who leave later (`surefoot churn`), fines "
        "and reputation, and that calls are worth more at some hours than at others."
    )


def answer(facts: Facts) -> Iterator[str]:
    """Whether there is anything to save, and whether the fallback is known to save it."""
    known = {fact.name: fact for fact in facts.facts}
    saved = known["saving.mean"]
    if known["loss.without.mean"].value == 0:
        yield "Nothing was lost in any simulated year: look at the rates and amounts of the file."
        if known["minutes.without"].value:
            yield "  Minutes were lost, but nothing says what they cost: tell [business] revenue, or promises."
    elif saved.low is not None and saved.low <= 0:
        yield "Not detectable: the interval of what the fallback saves includes 0."
        if saved.low == saved.high == 0:
            yield "  No risk is covered: tell coverage, or take it from a replay."
    else:
        value, ends = dollars(saved)
        yield f"The fallback is expected to save {value} a year (95 %: {ends})" + _cost(known)


def _cost(known: dict[str, Fact]) -> str:
    if "saving.net" not in known:
        return "; what it costs itself is not told ([fallback] cost)."
    value, ends = dollars(known["saving.net"])
    return f"; less what it costs itself, {value} ({ends})."


def _inputs(known: dict[str, Fact]) -> Rows:
    made = Rows("What went in", ("input", "what", "mean", "95 %", "unit", "n", "known as"))
    for name, fact in known.items():
        if name.startswith("input."):
            ends = "" if fact.low is None or fact.high is None else f"{fact.low:,.4g} … {fact.high:,.4g}"
            n = str(fact.n) if fact.n else NONE
            risk, _, what = name.removeprefix("input.").rpartition(".")
            made.add(risk, what, f"{fact.value:,.4g}", ends, fact.unit, n, fact.method)
    return made


def _losses(known: dict[str, Fact]) -> Rows:
    made = Rows("Loss of a year", ("", "without", "95 %", "with fallback", "95 %"))
    for word, title in LOSSES:
        made.add(title, *both(known, "loss.{}." + word, dollars))
    made.add("P(no loss)", *both(known, "loss.{}.zero", percent))
    made.part()
    for word, title in _PARTS:
        if known[f"loss.without.{word}"].value or known[f"loss.with.{word}"].value:
            made.add(title, *both(known, "loss.{}." + word, dollars))
    made.part()
    for name, fact in known.items():
        if name.startswith("credits."):
            made.add(f"credits of {name.removeprefix('credits.')}", *(2 * dollars(fact)))
    made.add("exposure (less credits)", *both(known, "exposure.{}", dollars))
    made.add("minutes lost", *both(known, "minutes.{}", plain))
    if "quarter.without.mean" in known:
        for word in ("mean", "p95", "p99"):
            made.add(f"quarter's target at risk, {word}", *both(known, "quarter.{}." + word, percent))
    return made


def _exceedance(known: dict[str, Fact]) -> Rows:
    made = Rows("Years that lose more than", ("", "without", "95 %", "with fallback", "95 %"))
    start = "loss.without.exceeds."
    for name in known:
        amount = name.removeprefix(start)
        if name.startswith(start) and amount.rstrip("0").rstrip(".") in _MANTISSAS:
            made.add(f"${float(amount):,.0f}", *both(known, "loss.{}.exceeds." + amount, percent))
    return made


def _savings(known: dict[str, Fact]) -> Rows:
    made = Rows("What the fallback saves in a year (the same incidents with and without)", ("", "saving", "95 %"))
    for word, title in _SAVINGS:
        if f"saving.{word}" in known:
            made.add(title, *dollars(known[f"saving.{word}"]))
    made.add("years in which it saves", *percent(known["saving.some"]))
    return made


def _months(known: dict[str, Fact]) -> Rows:
    columns = ("promise", "without", "95 %", "with fallback", "95 %")
    made = Rows("Months a year below each step, simulated", columns)
    for name in known:
        if by_use.uses(known, "readings"):
            break  # they stand in the table of the readings
        if name.startswith("months.") and name.endswith(".without"):
            start = name.removesuffix("without")
            promise, bound = start.removeprefix("months.").removesuffix(".").split(".", 1)
            made.add(f"{promise}, below {bound} %", *both(known, start + "{}", plain))
    return made


def _history(known: dict[str, Fact]) -> Rows:
    made = Rows("Months as they were, under the three readings", ("", *(w for r in _READINGS for w in (r, "95 %"))))
    for name, fact in known.items():
        if not name.startswith("history.") or not name.removesuffix(".months").endswith(".any"):
            continue
        start = name.removesuffix(".months").removesuffix("any")
        title = start.removeprefix("history.").removesuffix(".")
        if name.endswith(".months"):
            cells = [
                cell
                for reading in _READINGS
                for cell in (
                    shown.k_of_n(known[f"{start}{reading}.months"]),
                    shown.shares_between(known[start + reading]),
                )
            ]
            promise, bound = title.split(".", 1)
            made.add(f"{promise}, below {bound} %", *cells)
        elif fact.unit == "USD":
            of, what = title.rsplit(".", 1)
            cells = [cell for reading in _READINGS for cell in (f"${known[start + reading].value:,.0f}", "a sum")]
            made.add(f"{of}, {what} of {fact.n} months", *cells)
    return made


def _budget(known: dict[str, Fact]) -> Rows:
    made = Rows("Error budget", ("", "value", "95 %"))
    if "budget.minutes" in known:
        made.add(f"budget, minutes: {known['budget.minutes'].method}", f"{known['budget.minutes'].value:.4g}", "")
        for name in ARMS:
            word = "without" if name == "without" else "with fallback"
            made.add(f"used in a mean period, {word}", *percent(known[f"budget.used.{name}"]))
    return made


def _burn(known: dict[str, Fact]) -> Rows:
    rates = [name for name in known if name.startswith("burn.") and name.endswith(".rate")]
    failing = [name.split(".")[-1] for name in known if name.startswith("burn.1h.detect.")]
    made = Rows(
        "Burn-rate alerts: both windows above the rate; time until one fires",
        ("long", "short", "rate", *(f"if {f} fail" for f in failing)),
    )
    for name in rates:
        window = name.split(".")[1]
        short = shown.duration_of(known[f"burn.{window}.short"].value or 0)
        times = [known[f"burn.{window}.detect.{share}"] for share in failing]
        fires = ["never" if fact.value is None else shown.duration_of(fact.value) for fact in times]
        made.add(window, short, f"{known[name].value:.3g}", *fires)
    return made
