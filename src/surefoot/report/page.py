"""The demo's page: one HTML file that opens offline and loads nothing.

Knows: which facts stand where. Must never: compute a number of its own.
"""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from surefoot.drill.demo import DemoOptions
from surefoot.drill.measure import DIRECT, GATEWAY
from surefoot.drill.modes import HEALTHY, HEALTHY_MEANING, MODES
from surefoot.facts import Fact, Facts, write
from surefoot.report import charts, shown

PAGE = "index.html"
FACTS = "facts.json"


def phases_of(facts: Facts) -> list[str]:
    """The phases that the facts tell of: the baseline first, then the modes in their order."""
    there = {fact.name.split(".")[0] for fact in facts.facts}
    return [name for name in (HEALTHY, *(mode.name for mode in MODES)) if name in there]


def write_report(facts: Facts, told: DemoOptions, folder: Path) -> Path:
    """Write the page and the facts into a folder, which is made if need be. Returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FACTS).write_bytes(write(facts) + b"\n")
    page = folder / PAGE
    page.write_text(render(facts, told), encoding="utf-8")
    return page


def render(facts: Facts, told: DemoOptions) -> str:
    """The page as text."""
    environment = Environment(
        loader=PackageLoader("surefoot.report", "templates"), autoescape=True, undefined=StrictUndefined
    )
    names = phases_of(facts)
    meanings = {HEALTHY: HEALTHY_MEANING} | {mode.name: mode.meaning for mode in MODES}

    def get(phase: str, measure: str, arm: str = GATEWAY) -> Fact:
        return facts.named(f"{phase}.{arm}.{measure}")

    def column(arm: str) -> list[tuple[Fact, Fact]]:
        return [(get(name, "ttft.p50", arm), get(name, "ttft.p99", arm)) for name in names]

    answered = [[get(name, "answered", arm) for name in names] for arm in (GATEWAY, DIRECT)]
    return environment.get_template("demo.html.j2").render(
        facts=facts,
        told=told,
        modes=[name for name in names if name != HEALTHY],
        names=names,
        meanings=meanings,
        get=get,
        shown=shown,
        gateway=GATEWAY,
        direct=DIRECT,
        answered_chart=charts.answered(names, *answered),
        ttft_chart=charts.first_content(names, column(GATEWAY), column(DIRECT)),
    )
