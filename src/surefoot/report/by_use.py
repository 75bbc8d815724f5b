"""The same risk file under the three readings of an incident, and by how late an outage is noticed, side by side.

Knows: names of facts that begin with a reading or a lag. Must never: compute a number, or leave out a reading that
could not be had without saying so.
"""

from collections.abc import Callable, Iterator, Mapping

from surefoot.config.quantities import show_duration
from surefoot.facts import Fact
from surefoot.report.amounts import NONE, Rows, both, dollars, percent, plain
from surefoot.worth.reading import AT_ONCE, Read

LOSSES = (
    ("mean", "expected (mean)"),
    ("median", "median"),
    ("p90", "p90"),
    ("p95", "p95"),
    ("p99", "p99"),
    ("cvar", "CVaR, worst 5 %"),
)
_COLUMNS = ("", "reading", "without", "95 %", "with fallback", "95 %")

Known = Mapping[str, Fact]


def uses(known: Known, start: str) -> list[str]:
    """Readings or lags in their order, with those that could not be had."""
    names = (name.removeprefix(f"{start}.") for name in known if name.startswith(f"{start}."))
    return list(dict.fromkeys(name.partition(".")[0] for name in names))


def _by_reading(made: Rows, known: Known, title: str, name: str, cells: Callable[[Fact], tuple[str, str]]) -> None:
    """A row for each reading."""
    for number, reading in enumerate(uses(known, "readings")):
        there = f"readings.{reading}.none" not in known
        row = both(known, f"readings.{reading}.{name}", cells) if there else [NONE, "", NONE, ""]
        made.add(title if number == 0 else "", reading, *row)
    made.part()


def _losses(known: Known) -> Rows:
    made = Rows("Loss of a year under the three readings of an incident", _COLUMNS)
    if uses(known, "readings"):
        for word, title in LOSSES:
            _by_reading(made, known, title, "loss.{}." + word, dollars)
        _by_reading(made, known, "P(no loss)", "loss.{}.zero", percent)
        _by_reading(made, known, "minutes lost", "minutes.{}", plain)
    return made


def _savings(known: Known) -> Rows:
    columns = ("reading", "expected", "95 %", "years in which it saves", "95 %")
    made = Rows("What the fallback saves under the three readings (paired)", columns)
    for reading in uses(known, "readings"):
        start = f"readings.{reading}.saving"
        if f"{start}.mean" in known:
            made.add(reading, *dollars(known[f"{start}.mean"]), *percent(known[f"{start}.some"]))
        else:
            made.add(reading, NONE, "", NONE, "")
    return made


def _months(known: Known) -> Rows:
    made = Rows("Months a year below each step under the three readings, simulated", _COLUMNS)
    if uses(known, "readings"):
        for name in known:
            if name.startswith("months.") and name.endswith(".without"):
                start = name.removesuffix("without")
                promise, bound = start.removeprefix("months.").removesuffix(".").split(".", 1)
                _by_reading(made, known, f"{promise}, below {bound} %", start + "{}", plain)
    return made


def _lags(known: Known) -> Rows:
    columns = ("noticed", "with fallback", "95 %", "saving", "95 %")
    made = Rows("Expected loss and saving of a year, by how late an outage is noticed", columns)
    for lag in uses(known, "lags"):
        start, late = f"lags.{lag}", "at once" if lag == AT_ONCE else f"{lag} late"
        if f"{start}.saving.mean" in known:
            row = [*dollars(known[f"{start}.loss.with.mean"]), *dollars(known[f"{start}.saving.mean"])]
            made.add(late, *row)
        else:
            made.add(late, NONE, "", NONE, "")
    return made


TABLES = (_losses, _savings, _months, _lags)


def basis(read: Read) -> Iterator[str]:
    """On which reading and lag the tables stand that name none."""
    for risk in read.file.risks:
        if risk.replay is not None:
            late = f"noticed {show_duration(risk.lag)} late" if risk.lag else "noticed as soon as the gateway does"
            yield f"{risk.name}: replay {risk.replay}, {late}"
        elif risk.history is not None:
            said = "" if read.months is None else read.months.said.get(risk.history, "")
            yield f"{risk.name}: history under `{risk.history}`: {said}"


def remarks(known: Known) -> Iterator[str]:
    """That there are three readings, and why a row is empty."""
    readings = uses(known, "readings")
    if not readings:
        yield (
            "Annual loss is told under one reading of an incident: the one under which your rates were counted. "
            "`replay` or `history` in a risk puts the three side by side."
        )
    for start, what in (("readings", "Under"), ("lags", "Noticed late by")):
        for one in uses(known, start):
            none = known.get(f"{start}.{one}.none")
            if none is not None:
                yield f"{what} `{one}` there is no number: {none.note}."
