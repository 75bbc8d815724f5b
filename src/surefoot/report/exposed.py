"""The tables of an exposure for a terminal.

Knows: columns, and what has to be said beside a number. Must never: compute a number of its own.
"""

from collections.abc import Callable, Iterator

from rich import box
from rich.table import Table

from surefoot.facts import Fact, Facts
from surefoot.report import shown

ARMS = ("without", "with")
_LOSSES = (
    ("mean", "expected (mean)"),
    ("median", "median"),
    ("p90", "p90"),
    ("p95", "p95"),
    ("p99", "p99"),
    ("cvar", "CVaR, worst 5 %"),
)
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
NONE = "–"  # noqa: RUF001 - an en dash stands for nothing
_MANTISSAS = ("1", "2", "5")
_READINGS = ("any", "partial", "major")


def tables(facts: Facts) -> Iterator[Table]:
    """What went in, what a year loses, what the fallback saves, the months, and the error budget."""
    known = {fact.name: fact for fact in facts.facts}
    for make in (_inputs, _losses, _exceedance, _savings, _months, _history, _budget, _burn):
        table = make(known)
        if table.row_count:
            yield table


def remarks(facts: Facts) -> Iterator[str]:
    """What has to be said beside the tables."""
    known = {fact.name: fact for fact in facts.facts}
    mean = known["loss.without.mean"]
    yield f"n: {mean.n:,} simulated years, seed {facts.seed}. Intervals are of 95 %."
    yield (
        "The interval of a mean says how far what is not known (counts, ranges, coverage) moves it; that of a "
        "quantile, a share or the CVaR, what chance in the simulation does: there the doubt is in the years."
    )
    if any(name.startswith("credits.") for name in known):
        yield (
            "Credits are a share of the provider's bill and not your loss; its own uptime counts, so they are the same "
            "with a fallback and without. Exposure = penalties + margin + response + impact + delay - credits."
        )
    if any(name.startswith("history.") for name in known):
        yield "Months as they were are a history without a fallback; what they cost is a sum, no estimate of next year."
    if mean.value == 0:
        yield "Nothing was lost in any simulated year: look at the rates and amounts of the file."
    saved = known["saving.mean"]
    if saved.low is not None and saved.low <= 0:
        yield "Not detectable: the interval of what the fallback saves includes nothing at all."


def _inputs(known: dict[str, Fact]) -> Table:
    table = _table("What went in", ("input", "mean", "95 %", "unit", "n", "known as"))
    for name, fact in known.items():
        if name.startswith("input."):
            ends = "" if fact.low is None or fact.high is None else f"{fact.low:,.4g} … {fact.high:,.4g}"
            n = str(fact.n) if fact.n else NONE
            table.add_row(name.removeprefix("input."), f"{fact.value:,.4g}", ends, fact.unit, n, fact.method)
    return table


def _losses(known: dict[str, Fact]) -> Table:
    table = _table("Loss of a year", ("", "without", "95 %", "with fallback", "95 %"))
    for word, title in _LOSSES:
        table.add_row(title, *_both(known, "loss.{}." + word, dollars))
    table.add_row("P(no loss)", *_both(known, "loss.{}.zero", _percent))
    table.add_section()
    for word, title in _PARTS:
        if known[f"loss.without.{word}"].value or known[f"loss.with.{word}"].value:
            table.add_row(title, *_both(known, "loss.{}." + word, dollars))
    table.add_section()
    for name, fact in known.items():
        if name.startswith("credits."):
            table.add_row(f"credits of {name.removeprefix('credits.')}", *(2 * dollars(fact)))
    table.add_row("exposure (less credits)", *_both(known, "exposure.{}", dollars))
    table.add_row("minutes lost", *_both(known, "minutes.{}", _plain))
    if "quarter.without.mean" in known:
        for word in ("mean", "p95", "p99"):
            table.add_row(f"quarter's target at risk, {word}", *_both(known, "quarter.{}." + word, _percent))
    return table


def _exceedance(known: dict[str, Fact]) -> Table:
    table = _table("Years that lose more than", ("", "without", "95 %", "with fallback", "95 %"))
    start = "loss.without.exceeds."
    for name in known:
        amount = name.removeprefix(start)
        if name.startswith(start) and amount.rstrip("0").rstrip(".") in _MANTISSAS:
            table.add_row(f"${float(amount):,.0f}", *_both(known, "loss.{}.exceeds." + amount, _percent))
    return table


def _savings(known: dict[str, Fact]) -> Table:
    table = _table("What the fallback saves in a year (the same incidents with and without)", ("", "saving", "95 %"))
    for word, title in _SAVINGS:
        if f"saving.{word}" in known:
            table.add_row(title, *dollars(known[f"saving.{word}"]))
    table.add_row("years in which it saves", *_percent(known["saving.some"]))
    return table


def _months(known: dict[str, Fact]) -> Table:
    columns = ("promise", "without", "95 %", "with fallback", "95 %")
    table = _table("Months a year below each step, simulated", columns)
    for name in known:
        if name.startswith("months.") and name.endswith(".without"):
            start = name.removesuffix("without")
            promise, bound = start.removeprefix("months.").removesuffix(".").split(".", 1)
            table.add_row(f"{promise}, below {bound} %", *_both(known, start + "{}", _plain))
    return table


def _history(known: dict[str, Fact]) -> Table:
    table = _table("Months as they were, under the three readings", ("", *(w for r in _READINGS for w in (r, "95 %"))))
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
            table.add_row(f"{promise}, below {bound} %", *cells)
        elif fact.unit == "USD":
            of, what = title.rsplit(".", 1)
            cells = [cell for reading in _READINGS for cell in (f"${known[start + reading].value:,.0f}", "a sum")]
            table.add_row(f"{of}, {what} of {fact.n} months", *cells)
    return table


def _budget(known: dict[str, Fact]) -> Table:
    table = _table("Error budget", ("", "value", "95 %"))
    if "budget.minutes" in known:
        table.add_row(f"budget, minutes: {known['budget.minutes'].method}", f"{known['budget.minutes'].value:.4g}", "")
        for name in ARMS:
            word = "without" if name == "without" else "with fallback"
            table.add_row(f"used in a mean period, {word}", *_percent(known[f"budget.used.{name}"]))
    return table


def _burn(known: dict[str, Fact]) -> Table:
    rates = [name for name in known if name.startswith("burn.") and name.endswith(".rate")]
    failing = [name.split(".")[-1] for name in known if name.startswith("burn.1h.detect.")]
    table = _table(
        "Burn-rate alerts: both windows above the rate",
        ("long", "short", "rate", *(f"fires, {f} fail" for f in failing)),
    )
    for name in rates:
        window = name.split(".")[1]
        short = shown.duration_of(known[f"burn.{window}.short"].value or 0)
        times = [known[f"burn.{window}.detect.{share}"] for share in failing]
        fires = ["never" if fact.value is None else shown.duration_of(fact.value) for fact in times]
        table.add_row(window, short, f"{known[name].value:.3g}", *fires)
    return table


def _both(known: dict[str, Fact], name: str, cells: Callable[[Fact], tuple[str, str]]) -> list[str]:
    """The cells of both arms."""
    return [cell for arm in ARMS for cell in cells(known[name.format(arm)])]


def dollars(fact: Fact) -> tuple[str, str]:
    """Whole dollars and their interval."""
    low, high = ("none" if end is None else f"{end:,.0f}" for end in (fact.low, fact.high))
    return f"{'-' * ((fact.value or 0) < 0)}${abs(fact.value or 0):,.0f}", f"{low} … {high}"


def _plain(fact: Fact) -> tuple[str, str]:
    return f"{fact.value:,.3g}", f"{fact.low:,.3g} … {fact.high:,.3g}"


def _percent(fact: Fact) -> tuple[str, str]:
    return shown.share_of(fact), shown.shares_between(fact)


def _table(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    return table
