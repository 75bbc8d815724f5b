"""How a drill ended and what it comes to: the last words on the screen.

Knows: what is a whole run and what is not. Must never: give a coverage of a drill that was not completed.
"""

from collections.abc import Iterator, Mapping

from surefoot.drill.coverage import UNTESTED
from surefoot.drill.runner import DrillRun
from surefoot.drill.shelf import WHOLE
from surefoot.drill.written import Kept
from surefoot.facts import Facts
from surefoot.report import shown


def verdict(file: str, run: DrillRun, kept: Mapping[str, Kept]) -> Iterator[str]:
    """Line by line; `kept` by route."""
    took = shown.duration_of(run.end - run.start)
    if run.status != WHOLE:
        yield f"{run.status.upper()} after {took}: {file}: {run.why}."
        yield f"  {_what_follows(run)}"
    elif run.after is None or not run.after.met:
        seen = "" if run.after is None else f": {run.after.sentence}"
        yield f"NOT WELL: {file} was drilled in {took}, but afterwards the gateway was not well{seen}."
    else:
        yield f"COMPLETED: {file} was drilled in {took}; the gateway was well before and after."
    wide = max(len(route) for route in kept)
    for route, (facts, folder, _) in kept.items():
        if run.status == WHOLE:
            yield f"  {route:<{wide}}  {_coverage(facts)}{_flaws(facts)}."
            yield f"  {'':<{wide}}  kept: {folder}"
        else:
            yield f"  {route:<{wide}}  kept: {folder}"


def _what_follows(run: DrillRun) -> str:
    if run.status == "failed":
        return "Nothing was drilled. Look at the gateway first, or allow it more time with --steady."
    what = "The run is partial" if run.repetitions else "No call was counted"
    return f"{what}, so there is no coverage, and no other run is held against it."


def _coverage(facts: Facts) -> str:
    risk = facts.named("coverage.risk")
    if risk.value is None:
        return f"no risk-weighted coverage ({risk.note})"
    scope = f", {risk.note.split(';')[0]}" if risk.note.startswith("of ") else ""
    return f"risk-weighted coverage {shown.share_of(risk)} (95 %: {shown.shares_between(risk)}){scope}"


def _flaws(facts: Facts) -> str:
    passed, untested = facts.named("passed_off"), facts.named(UNTESTED)
    flaws = [f"NOT SAFE, {passed.value:.0f} broken answers passed off as whole"] if passed.value else []
    if untested.value:
        flaws.append(f"{untested.value:.0f} of {untested.n} modes untested")
    return "".join(f"; {flaw}" for flaw in flaws)
