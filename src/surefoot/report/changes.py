"""What is different from the run before, for a terminal: then, an arrow, now.

Knows: which way a measure is better. Must never: compute a number of its own, or list what did not change.
"""

from datetime import UTC, datetime

from rich import box
from rich.table import Table

from surefoot.drill.history import Changes, Measure
from surefoot.facts import Fact
from surefoot.report import shown

_NAMES = {"end_to_end": "end to end", "ttft": "first content", "mitigated": "mitigated"}


def changes_of(changes: Changes) -> tuple[str, Table | None]:
    """What is said of the changes, and the measures that changed beyond their intervals, if any did."""
    since = datetime.fromisoformat(changes.since).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    plan = "the same configuration and plan" if changes.same_inputs else "another configuration or plan"
    against = f"the run of {since} ({plan})"
    looked = len(changes.measures)
    different = [measure for measure in changes.measures if measure.changed]
    if not looked:
        return f"Nothing to compare with {against}: no mode was drilled in both.", None
    if not different:
        return f"Nothing changed beyond its interval since {against}; measures looked at: {looked}.", None
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("mode", "", "measure"):
        table.add_column(column, no_wrap=True)
    for column in ("then", "", "now", "change", "95 %"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for measure in different:
        table.add_row(*_row(measure))
    return (
        f"Changed since {against}: {len(different)} of {looked} measures, all others stayed in their intervals.",
        table,
    )


def _row(measure: Measure) -> list[str]:
    change = measure.change
    _, mode, state, what, *quantile = change.name.split(".")
    name = " ".join([_NAMES[what], *quantile])
    rose = (change.low or 0.0) > 0
    if change.unit == "share":
        better, cells = rose, [shown.points_of(change) + " points", shown.points_between(change)]
        then, now = shown.share_of(measure.then), shown.share_of(measure.now)
    else:
        better, cells = not rose, [shown.time_of(change, signed=True), _between(change)]
        then, now = shown.time_of(measure.then), shown.time_of(measure.now)
    return [mode, state, name, then, "→", now, *cells, "better" if better else "WORSE"]


def _between(change: Fact) -> str:
    return shown.times_between(change, signed=True)
