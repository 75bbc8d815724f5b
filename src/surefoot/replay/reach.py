"""Whether a list of incidents has anything to say of the traffic and its targets; and if not, what to do instead.

Without any outage of a primary a replay can only say that nothing is known. That is told before it is run.
Must never: replay, or take an incident for one of another time.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from surefoot.config.configuration import Configuration
from surefoot.intake.incident import Incident
from surefoot.replay.arms import primaries
from surefoot.replay.models.naming import runs
from surefoot.replay.outages.planning import LeftOut
from surefoot.replay.posing import Material, Posed

SHOWN = 3
"""Incidents that are named."""

INSTEAD = (
    "give traffic or --incidents of another time; or --stress busiest-hour=1h, which plays an outage that did not"
    " happen; or --anyway, to replay all the same"
)


def untouched(material: Material, posed: Posed) -> tuple[str, ...]:
    """What to say and to do where nothing can come of a replay, in sentences; nothing where something can.

    That is where no reading of the list has an outage, in the traffic's time, of a target that calls may ask first, and
    no stress is asked for. Of two configurations any target of either counts.
    """
    told = [task for task in posed.tasks if task.scenario]
    struck = {one.target for task in told for one in task.outages}
    asked = None if material.against else {name for names in primaries(material.ours).values() for name in names}
    if any(task.assumption == "stress" for task in told) or (struck if asked is None else struck & asked):
        return ()
    first, last = material.demand.span
    nothing = (
        f"no incident strikes a target that calls ask first in the time of the traffic, {moment(first)} to"
        f" {moment(last)} UTC: a replay could only say that nothing is known of a fallback's worth"
    )
    both = [material.ours, *([] if material.against is None else [material.against])]
    fallbacks = [f"there are outages of fallbacks alone: {', '.join(sorted(struck))}"] if struck else []
    inside = _inside(next(iter(posed.inside.values()), ()))
    return nothing, *_reaches(material.incidents, both, (first, last)), *fallbacks, *inside, INSTEAD


def moment(at: float) -> str:
    """To the minute."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"


def _reaches(
    incidents: Sequence[Incident], configurations: Sequence[Configuration], span: tuple[float, float]
) -> Iterator[str]:
    """How far the list reaches, and where the nearest incident of a provider that matters is."""
    if not incidents:
        yield "the list has no incident at all"
        return
    starts = [one.start for one in incidents]
    number = f"{len(incidents):,} incident{'' if len(incidents) == 1 else 's'}"
    yield f"the list has {number}, from {moment(min(starts))} to {moment(max(starts))} UTC"
    targets = [target for one in configurations for target in one.targets if target.text is None]
    ours = [one for one in incidents if any(runs(one.provider, target) for target in targets)]
    if not ours:
        names = ", ".join(sorted({one.provider for one in incidents})[:SHOWN])
        yield (
            f"none of it is of a provider that runs a target here (the list has {names}"
            f"{' and others' if len({one.provider for one in incidents}) > SHOWN else ''});"
            ' a target declares whose incidents are its own: domains = { cloud = "openai" }'
        )
        return
    nearest = min(ours, key=lambda one: max(span[0] - (one.end or one.start), one.start - span[1], 0.0))
    yield (
        f"{len(ours):,} of them {'is' if len(ours) == 1 else 'are'} of providers that run a target here, the nearest on"
        f" {moment(nearest.start)} UTC ({nearest.provider}: {nearest.title or nearest.id})"
    )


def _inside(left_out: Sequence[LeftOut]) -> Iterator[str]:
    """What lies in the traffic's time and makes no outage all the same."""
    if not left_out:
        return
    named = "; ".join(f"{one.provider}: {one.title or one.incident} ({one.why})" for one in left_out[:SHOWN])
    more = f"; and {len(left_out) - SHOWN:,} more" if len(left_out) > SHOWN else ""
    yield f"in that time, and left out: {named}{more}"
