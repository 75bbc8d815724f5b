"""`surefoot compliance`: dated duties of law, what each touches here, and what would change if a transfer tool fell.

Knows the day, and how all this is put into words. Must never hold a rule or a date of its own.
"""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from surefoot.cli.screen import print_json
from surefoot.config.calendar import calendar
from surefoot.config.compliance import Fall, Touched, touched, without
from surefoot.config.credentials import Placeholders
from surefoot.config.loading import load
from surefoot.domain.place import Transfer
from surefoot.drill.shelf import Label, last_run
from surefoot.errors import SurefootError
from surefoot.facts import Facts

Run = tuple[Label, Facts]
"""A kept drill of one route."""

NOT_ADVICE = "This compares what is declared with dates and is no legal advice: ask counsel what follows."


def compliance(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = Path("surefoot.toml"),
    tool: Annotated[
        str | None, typer.Option("--without", help="Also say what changes if this transfer tool falls, such as DPF.")
    ] = None,
    on: Annotated[str | None, typer.Option(help="The day to count from, as 2026-11-24; today unless given.")] = None,
    drills: Annotated[
        Path | None, typer.Option(help="Folder of kept drills, for the coverage that they found.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List dated duties of law, which targets and jurisdictions each touches, and the days left.

    Coverage is told only as a drill has found it. Connects to nothing.
    """
    fallen = None if tool is None else _tool(tool)
    day = datetime.now(UTC).date() if on is None else _day(on)
    configuration = load(config, Placeholders(os.environ))
    duties = touched(configuration, calendar(), day)
    falls = [] if fallen is None else without(configuration, fallen)
    runs = {fall.route: None if drills is None else last_run(drills / config.stem / fall.route) for fall in falls}
    if as_json:
        print_json(_json(day, duties, falls, runs))
        return
    for one in duties:
        typer.echo("\n".join(_told(one)))
    if fallen is not None:
        typer.echo(f"\nWithout {fallen}:")
        for line in [line for fall in falls for line in _fell(fall, runs[fall.route])]:
            typer.echo(f"  {line}")
        if not falls:
            typer.echo(f"  nothing changes: no target that a route may ask declares {fallen}")
    typer.echo(f"\n{NOT_ADVICE}")


def _tool(word: str) -> Transfer:
    known = {one.value.casefold(): one for one in Transfer if one is not Transfer.NONE}
    found = known.get(word.casefold())
    if found is None:
        raise SurefootError(f"--without: there is no transfer tool '{word}'; there are: {', '.join(known.values())}")
    return found


def _day(word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise SurefootError(f"--on: '{word}' is no day; write it as 2026-11-24") from None


def _told(one: Touched) -> list[str]:
    duty = one.duty
    lines = [
        f"{duty.date}  {_when(one.days)}  {duty.law}, {duty.article}",
        f"    {duty.title}",
        f"    targets: {_names(one.targets)}; jurisdictions: {_names(one.jurisdictions)}",
    ]
    if duty.note:
        lines.append(f"    {duty.note}")
    return [*lines, f"    {duty.source}, read {duty.as_of}"]


def _when(days: int) -> str:
    if days == 0:
        return "from today"
    count = "1 day" if abs(days) == 1 else f"{abs(days)} days"
    return f"in {count}" if days > 0 else f"for {count}"


def _fell(fall: Fall, run: Run | None) -> list[str]:
    lost = [name for name in fall.before if name not in fall.after]
    head = f"{fall.route}, {fall.jurisdiction}: of its targets {len(fall.before)} allowed, then {len(fall.after)}"
    lines = [f"{head}; loses {', '.join(lost)}" if lost else head]
    if fall.untold:
        lines.append(
            f"    {', '.join(fall.untold)} would go on without a tool: nothing here asks for one (`transfers`)"
        )
    domains = [f"{kind} {before}, then {after}" for kind, (before, after) in fall.domains.items()]
    if domains:
        lines.append(f"    distinct failure domains: {'; '.join(domains)}")
    return [*lines, f"    coverage: {_coverage(fall, run)}"]


def _coverage(fall: Fall, run: Run | None) -> str:
    """Of what is left it is known only where nothing changes, or where there is nobody to fall back to."""
    before = [] if run is None else [_of_others(fall, run[0]) or _drilled(run[1])]
    if len(fall.after) == 1:
        return "; then ".join([*before, "none, nobody is left to fall back to"])
    if not fall.after:
        return "; then ".join([*before, "none, nobody may be asked"])
    if not before:
        return "not drilled; `surefoot drill`, then --drills"
    return before[0] if fall.after == fall.before else f"{before[0]}; with fewer targets it has to be drilled anew"


def _of_others(fall: Fall, label: Label) -> str | None:
    """Why a drill says nothing for those who are bound so: its calls might not ask the same targets."""
    if label.asked is None:
        return f"unknown: the drill of {label.made} did not keep which targets it might ask; drill anew"
    if label.asked != fall.before:
        asked = ", ".join(label.asked) or "nobody"
        return f"not drilled for these: the drill of {label.made} asked {asked}, as its canary key is bound"
    return None


def _drilled(sheet: Facts) -> str:
    fact = sheet.named("coverage.risk")
    if fact.value is None or fact.low is None or fact.high is None:
        return f"unknown: {fact.note}"
    return f"{fact.value:.0%} by risk ({fact.low:.0%} to {fact.high:.0%}), drilled {sheet.made}"


def _json(day: date, duties: list[Touched], falls: list[Fall], runs: dict[str, Run | None]) -> dict[str, Any]:
    drilled = {
        route: {"made": run[1].made, "asked": run[0].asked, "coverage": run[1].named("coverage.risk")}
        for route, run in runs.items()
        if run is not None
    }
    return {"on": day, "duties": duties, "without": falls, "drilled_before": drilled, "note": NOT_ADVICE}


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "none"
