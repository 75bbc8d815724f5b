"""The loss exceedance curve out of facts. Must never: compute a number of its own."""

from surefoot.facts import Fact, Facts
from surefoot.report import charts


def svg(facts: Facts) -> str:
    """The chart, or nothing where no year lost anything."""
    without, kept = (_points(facts, arm) for arm in ("without", "with"))
    return charts.exceedance(without, kept) if without else ""


def _points(facts: Facts, arm: str) -> list[tuple[float, Fact]]:
    start = f"loss.{arm}.exceeds."
    return [(float(fact.name.removeprefix(start)), fact) for fact in facts.facts if fact.name.startswith(start)]
