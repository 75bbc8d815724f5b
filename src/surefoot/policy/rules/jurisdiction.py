"""Jurisdiction decides before availability: a target that is not allowed does not exist for the request.

Asked of what a target declares; what is not declared is unknown, and unknown is not allowed wherever it matters. What
forbids is asked first, so that nothing which allows can outweigh it.
"""

from collections.abc import Iterator, Sequence

from surefoot.domain.jurisdiction import Constraints, Deny, Jurisdiction
from surefoot.domain.place import Place
from surefoot.domain.request import Request
from surefoot.domain.target import Target
from surefoot.policy.candidate import Candidate
from surefoot.policy.zones import Zones

DAY = 86_400.0


class Allowed:
    """Admits a target that every jurisdiction allows which binds the request or the candidate's rung."""

    name = "jurisdiction"

    def reason(self, candidate: Candidate, request: Request, now: float) -> str | None:  # noqa: ARG002 - one shape for all rules
        """None, or why this target may not process the request, beginning with the jurisdiction's name."""
        bound = {part.name: part for part in (*candidate.bound, *request.jurisdiction.parts)}
        for part in bound.values():
            why = forbids(part, candidate.target, candidate.zones)
            if why is not None:
                return f"{part.name}: {why}"
        return None


def forbids(jurisdiction: Jurisdiction, target: Target, zones: Zones) -> str | None:
    """Why a jurisdiction does not allow a target; None if it does."""
    place, asked = target.place, jurisdiction.constraints
    if target.name in jurisdiction.deny.targets:
        return "the target is denied by name"
    reasons = (
        *_denied(jurisdiction.deny, place, zones),
        *_zones_asked(asked, place, zones),
        *_facts_asked(asked, place),
    )
    return next((why for why in reasons if why is not None), None)


def _denied(deny: Deny, place: Place, zones: Zones) -> Iterator[str | None]:
    """What forbids whatever else allows it."""
    seat = None if place.seat is None else (place.seat,)
    for denied, declared, verb in (
        (deny.processes, place.processes or None, "processes"),
        (deny.stores, place.stores, "stores"),
        (deny.seats, seat, "has its operator's seat"),
    ):
        if denied and declared is None:
            yield f"does not say where it {verb}, and {_words(denied)} is denied"
        elif denied and declared and zones.overlap(declared, denied):
            yield f"{verb} in {_words(declared)}, and {_words(denied)} is denied"
    yield _denied_word(deny.operators, place.operator, "operator")
    yield _denied_word(deny.transfers, place.transfer, "transfer tool")


def _denied_word(denied: Sequence[str], declared: str | None, what: str) -> str | None:
    if not denied:
        return None
    if declared is None:
        return f"does not declare its {what}, and {_words(denied)} is denied"
    return f"its {what} {declared} is denied" if _folded(declared) in map(_folded, denied) else None


def _zones_asked(asked: Constraints, place: Place, zones: Zones) -> Iterator[str | None]:
    """Constraints on where something is: all that is declared has to lie within."""
    seats = None if place.seat is None else (place.seat,)
    for allowed, declared, verb in (
        (asked.processes, place.processes or None, "processes"),
        (asked.stores, place.stores, "stores"),
        (asked.seats, seats, "has its operator's seat"),
        (asked.subprocessors, _seats_of_others(place), "has sub-processors"),
    ):
        if allowed is None:
            continue
        if declared is None:
            yield f"does not say where it {verb}, and unknown is not allowed"
        elif not zones.within(declared, allowed):
            yield f"{verb} in {_words(declared)}; allowed: {_words(allowed)}"


def _facts_asked(asked: Constraints, place: Place) -> Iterator[str | None]:
    """The other constraints."""
    if asked.operators is not None:
        yield _asked_word(asked.operators, place.operator, "operator")
    if asked.transfers is not None:
        yield _asked_word(asked.transfers, place.transfer, "transfer tool")
    if asked.zero_retention and not place.zero_retention:
        yield "zero data retention is not declared"
    if asked.retention is not None and not place.zero_retention:
        yield _kept_too_long(asked.retention, place.retention)


def _asked_word(allowed: Sequence[str], declared: str | None, what: str) -> str | None:
    if declared is None:
        return f"does not declare its {what}, and unknown is not allowed"
    if _folded(declared) in map(_folded, allowed):
        return None
    return f"its {what} is {declared}; allowed: {_words(allowed)}"


def _kept_too_long(most: float, declared: float | None) -> str | None:
    if declared is None:
        return "does not say how long it keeps content, and unknown is not allowed"
    return None if declared <= most else f"keeps content for {declared / DAY:g} days; allowed: {most / DAY:g}"


def _seats_of_others(place: Place) -> tuple[str, ...] | None:
    """Where all sub-processors have their seats; None if that of any is not declared."""
    if place.subprocessors is None:
        return None
    seats = tuple(other.seat for other in place.subprocessors if other.seat is not None)
    return seats if len(seats) == len(place.subprocessors) else None


def _folded(word: str) -> str:
    return word.strip().casefold()


def _words(words: Sequence[str]) -> str:
    return ", ".join(words) or "nowhere"
