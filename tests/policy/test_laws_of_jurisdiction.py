"""The laws of jurisdiction, for every world: run through the real Call, judged by an oracle (`law_of_places`)."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.policy import law_of_places as law
from tests.policy.laws import CANNED, LAW, LONG, Setting, settings_of_the_world
from tests.policy.world import World, request

from surefoot.dialects.dialect import Complaint
from surefoot.domain.commands import Reason
from surefoot.domain.front import ClientKey
from surefoot.domain.jurisdiction import Applied, Circumstances, Constraints, Deny, Jurisdiction
from surefoot.domain.route import Route
from surefoot.gateway.binder import Binder
from surefoot.gateway.own_headers import CLASS, JURISDICTION, PLACE, REGION
from surefoot.policy.jurisdictions import Jurisdictions

MANY = settings(LAW, max_examples=100_000 if LONG else 80)


class Bound:
    """A world whose calls are bound, and who may serve them by the oracle."""

    def __init__(self, setting: Setting, the_map: law.Map, listed: list[Jurisdiction], met: Circumstances) -> None:
        self.jurisdictions = Jurisdictions(the_map.zones, listed)
        self.setting = setting._replace(jurisdictions=self.jurisdictions, allowed=None)
        self.route = Route("chat", (), jurisdiction=self.setting.bound)
        self.applied = self.jurisdictions.bind(self.route, met)
        parts = [one for one in listed if law.binds(one, met, self.route, the_map)]
        if met.zones:
            parts.append(Jurisdiction("narrowed", constraints=Constraints(processes=met.zones)))
        self.allowed = {
            name for name in setting.scripts if all(law.may(one, setting.target(name), the_map) for one in parts)
        }

    def told(self) -> World:
        bound = tuple(replace(asked, jurisdiction=self.applied) for asked in self.setting.requests)
        return self.setting._replace(requests=bound).told()

    def admitted(self, applied: Applied) -> set[str]:
        stack = self.setting.world().fleet.stacks["chat"]
        return {candidate.target.name for candidate in stack.admitted(request(jurisdiction=applied))}


@st.composite
def bounds(draw: st.DrawFn) -> Bound:
    setting = draw(settings_of_the_world())
    listed = draw(law.jurisdictions())
    places = {name: draw(law.places) for name in setting.scripts}
    setting = setting._replace(places=places, bound=draw(st.sampled_from([None, "j0"])))
    return Bound(setting, law.map_of(draw(st.integers(0, law.POOL - 1))), listed, draw(law.circumstances))


@MANY
@given(bounds())
def test_no_command_ever_names_a_forbidden_target(bound: Bound) -> None:
    world = bound.told()
    for story in world.stories:
        assert bound.allowed.issuperset(name for name in story.asked if name != CANNED)
        following = story.call.next_target(world.now)
        assert following is None or following.name in bound.allowed


@LAW
@given(bounds())
def test_whom_the_oracle_allows_the_rule_admits(bound: Bound) -> None:
    bound.setting = bound.setting._replace(windows={})
    assert bound.admitted(bound.applied) == bound.allowed


@LAW
@given(bounds())
def test_who_is_bound_not_to_hedge_is_at_one_target_at_a_time(bound: Bound) -> None:
    if bound.applied.obligations.hedge:
        return
    for story in bound.told().stories:
        spans = [(attempt.started, attempt.ended) for attempt in story.call.attempts]
        assert Reason.HEDGE not in story.reasons
        for (_, ended), (began, _) in pairwise(spans):
            assert ended is not None
            assert ended <= began


@LAW
@given(bounds())
def test_who_is_bound_to_one_operator_is_never_resumed_by_another(bound: Bound) -> None:
    if bound.applied.obligations.resume:
        return
    for story in bound.told().stories:
        resumed = [a.state.target.place.operator for a in story.call.attempts if a.reason is Reason.RESUME]
        broken = story.call.broken
        if broken is not None:
            assert set(resumed) <= {broken.state.target.place.operator} - {None}


@LAW
@given(bounds(), law.constraints, law.denials)
def test_one_constraint_more_never_adds_a_target(bound: Bound, more: Constraints, deny: Deny) -> None:
    added = Jurisdiction("more", constraints=more, deny=deny)
    narrower = bound.jurisdictions.together([*bound.applied.parts, added])
    assert bound.admitted(narrower) <= bound.admitted(bound.applied)


headers = st.dictionaries(
    st.sampled_from([JURISDICTION, PLACE, CLASS, REGION]),
    st.sampled_from([b"j0", b"anywhere", b"J0", b"EU", b"world", b"DE, us", b"health", b"", b"EU,,DE", b"\xff"]),
)


@LAW
@given(bounds(), headers)
def test_whatever_a_header_says_it_never_adds_a_target(bound: Bound, said: dict[bytes, bytes]) -> None:
    binder, key = Binder(bound.jurisdictions), ClientKey("app", b"", tenant="acme")
    plain, narrowed = binder.applied(key, bound.route, {}), binder.applied(key, bound.route, said)
    assert isinstance(plain, Applied)
    if not isinstance(narrowed, Complaint):
        assert {one.name for one in plain.parts} <= {one.name for one in narrowed.parts}
        assert bound.admitted(narrowed) <= bound.admitted(plain)


@LAW
@given(bounds())
def test_a_header_that_would_widen_changes_nothing(bound: Bound) -> None:
    """Zones around those that bind already, jurisdictions that bind already, and `anywhere`."""
    zones = [one.constraints.processes for one in bound.applied.parts if one.constraints.processes]
    named = ",".join(["anywhere", *(one.name for one in bound.applied.parts if ":" not in one.name)])
    said = {JURISDICTION: named.encode()} | ({PLACE: b"WORLD"} if zones else {})
    key = ClientKey("other", b"", jurisdictions=tuple(n for n in named.split(",") if n != "anywhere"))
    binder = Binder(bound.jurisdictions)
    plain, widened = binder.applied(key, bound.route, {}), binder.applied(key, bound.route, said)
    assert isinstance(plain, Applied)
    assert isinstance(widened, Applied)
    if any(one.constraints.processes for one in plain.parts):
        assert bound.admitted(widened) == bound.admitted(plain)
