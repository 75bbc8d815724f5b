"""The laws of jurisdiction, for every world: run through the real Call, judged by an oracle (`law_of_places`)."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.policy import law_of_places as law
from tests.policy.laws import CANNED, LAW, LONG, Setting, broken_texts, settings_of_the_world
from tests.policy.world import World, request, target

from surefoot.dialects.dialect import Complaint
from surefoot.domain.commands import Reason
from surefoot.domain.front import ClientKey
from surefoot.domain.jurisdiction import Applied, Circumstances, Constraints, Deny, Jurisdiction, Obligations
from surefoot.domain.place import Place
from surefoot.domain.route import Route
from surefoot.gateway.binder import Binder
from surefoot.gateway.own_headers import CLASS, JURISDICTION, PLACE, REGION
from surefoot.policy.jurisdictions import Jurisdictions
from surefoot.policy.rules.jurisdiction import forbids

MANY = settings(LAW, max_examples=100_000 if LONG else 100)
OFTEN = settings(LAW, max_examples=100_000 if LONG else 1_000)


class Bound:
    """A world whose calls are bound in one of two ways, by turns, and who may serve them by the oracle."""

    def __init__(
        self, setting: Setting, the_map: law.Map, listed: list[Jurisdiction], ways: tuple[Circumstances, Circumstances]
    ) -> None:
        self.jurisdictions = Jurisdictions(the_map.zones, listed)
        self.setting = setting._replace(jurisdictions=self.jurisdictions, allowed=None)
        self.route = Route("chat", (), jurisdiction=self.setting.bound)
        self.ways = tuple(self.jurisdictions.bind(self.route, met) for met in ways)
        self.allowed: dict[str, set[str]] = {}
        for applied, met in zip(self.ways, ways, strict=True):
            parts = [one for one in listed if law.binds(one, met, self.route, the_map)]
            if met.zones:
                parts.append(Jurisdiction("narrowed", constraints=Constraints(processes=met.zones)))
            targets = {name: setting.target(name) for name in setting.scripts}
            self.allowed[applied.name] = {
                name for name, of in targets.items() if all(law.may(one, of, the_map) for one in parts)
            }

    def told(self) -> World:
        asked = self.setting.requests
        bound = tuple(replace(one, jurisdiction=applied) for one in asked for applied in self.ways)
        return self.setting._replace(requests=bound).told()

    def admitted(self, applied: Applied) -> set[str]:
        stack = self.setting.world().fleet.stacks["chat"]
        return {candidate.target.name for candidate in stack.admitted(request(jurisdiction=applied))}


@st.composite
def bounds(draw: st.DrawFn, owed: Obligations | None = None) -> Bound:
    """With `owed`, all calls are bound by these obligations, and by little else."""
    setting = draw(settings_of_the_world() if owed is None or owed.resume else broken_texts())
    listed = draw(law.jurisdictions()) if owed is None else [Jurisdiction("j0", obligations=owed)]
    places = {name: draw(law.places) for name in setting.scripts}
    setting = setting._replace(places=places, bound=draw(st.sampled_from([None, "j0"])) if owed is None else "j0")
    ways = (draw(law.circumstances), draw(law.circumstances))
    return Bound(setting, law.map_of(draw(law.seeds)), listed, ways)


@MANY
@given(bounds())
def test_no_command_ever_names_a_forbidden_target(bound: Bound) -> None:
    world = bound.told()
    for story in world.stories:
        allowed = bound.allowed[story.call.request.jurisdiction.name]
        assert allowed.issuperset(name for name in story.asked if name != CANNED)
        following = story.call.next_target(world.now)
        assert following is None or following.name in allowed


@OFTEN
@given(law.seeds, law.constraints, law.denials, law.places)
def test_the_rule_allows_whom_the_oracle_allows(seed: int, asked: Constraints, deny: Deny, place: Place) -> None:
    one, of = Jurisdiction("j", constraints=asked, deny=deny), target("a", place)
    assert (forbids(one, of, law.map_of(seed).zones) is None) is law.may(one, of, law.map_of(seed))


@OFTEN
@given(law.seeds, law.zones, law.zones)
def test_a_zone_lies_where_its_definition_says(seed: int, some: tuple[str, ...], others: tuple[str, ...]) -> None:
    the_map = law.map_of(seed)
    assert the_map.zones.within(some, others) is the_map.inside(some, others)
    assert the_map.zones.overlap(some, others) is the_map.touch(some, others)


@OFTEN
@given(law.seeds, st.lists(law.zones, min_size=1, max_size=3), law.zones | st.just(()))
def test_what_is_handed_on_is_no_wider_than_what_binds(
    seed: int, allowed: list[tuple[str, ...]], denied: tuple[str, ...]
) -> None:
    the_map = law.map_of(seed)
    handed = the_map.zones.common(allowed, denied)
    assert all(the_map.inside(handed, zones) for zones in allowed)
    assert not the_map.touch(handed, denied)


@LAW
@given(bounds(Obligations(hedge=False)))
def test_who_is_bound_not_to_hedge_is_at_one_target_at_a_time(bound: Bound) -> None:
    for story in bound.told().stories:
        assert Reason.HEDGE not in story.reasons
        for earlier, later in pairwise(story.call.attempts):
            assert earlier.ended is not None
            assert earlier.ended <= later.started


@LAW
@given(bounds(Obligations(resume=False)))
def test_who_is_bound_to_one_operator_is_never_resumed_by_another(bound: Bound) -> None:
    for story in bound.told().stories:
        broken = story.call.broken
        if broken is not None:
            resumed = {a.state.target.place.operator for a in story.call.attempts if a.reason is Reason.RESUME}
            assert resumed <= {broken.state.target.place.operator} - {None}


@LAW
@given(bounds(), law.constraints, law.denials)
def test_one_constraint_more_never_adds_a_target(bound: Bound, more: Constraints, deny: Deny) -> None:
    added = Jurisdiction("more", constraints=more, deny=deny)
    for applied in bound.ways:
        narrower = bound.jurisdictions.together([*applied.parts, added])
        assert bound.admitted(narrower) <= bound.admitted(applied)


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
    zones = [one.constraints.processes for one in bound.ways[0].parts if one.constraints.processes]
    named = ",".join(["anywhere", *(one.name for one in bound.ways[0].parts if ":" not in one.name)])
    said = {JURISDICTION: named.encode()} | ({PLACE: b"WORLD"} if zones else {})
    key = ClientKey("other", b"", jurisdictions=tuple(n for n in named.split(",") if n != "anywhere"))
    binder = Binder(bound.jurisdictions)
    plain, widened = binder.applied(key, bound.route, {}), binder.applied(key, bound.route, said)
    assert isinstance(plain, Applied)
    assert isinstance(widened, Applied)
    if any(one.constraints.processes for one in plain.parts):
        assert bound.admitted(widened) == bound.admitted(plain)
