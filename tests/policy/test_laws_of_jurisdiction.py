"""The laws of jurisdiction, for every world: run through the real Call, judged by an oracle (`law_of_places`)."""

from functools import cached_property
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.policy import law_of_places as law
from tests.policy.dealing import CASES, Dealt, Drawn, dealt
from tests.policy.laws import CANNED, LAW, LONG, Setting, broken_texts, settings_of_the_world, share_of
from tests.policy.world import World, request, target

from surefoot.dialects.dialect import Complaint
from surefoot.domain.commands import Reason
from surefoot.domain.front import ClientKey
from surefoot.domain.jurisdiction import Applied, Circumstances, Constraints, Deny, Jurisdiction, Obligations
from surefoot.domain.place import Place
from surefoot.domain.route import Route
from surefoot.gateway.binder import Binder
from surefoot.gateway.own_headers import JURISDICTION, PLACE
from surefoot.policy.jurisdictions import Jurisdictions
from surefoot.policy.rules.jurisdiction import forbids
from surefoot.policy.stack import Stack

MANY = settings(LAW, max_examples=share_of(100_000) // CASES if LONG else 100)
OFTEN = settings(LAW, max_examples=share_of(100_000) if LONG else 1_000)


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

    @cached_property
    def _stack(self) -> Stack:
        return self.setting.world().fleet.stacks["chat"]

    def admitted(self, applied: Applied) -> set[str]:
        return {candidate.target.name for candidate in self._stack.admitted(request(jurisdiction=applied))}


def bound(case: Drawn) -> Bound:
    setting = case.setting._replace(places=case.places, bound=case.bound)
    return Bound(setting, law.map_of(case.map_seed), case.listed, case.ways)


@st.composite
def obliged(draw: st.DrawFn, owed: Obligations) -> Bound:
    """All calls are bound by these obligations, and by little else."""
    setting = draw(settings_of_the_world() if owed.resume else broken_texts())
    places = {name: draw(law.places) for name in setting.scripts}
    ways = (draw(law.circumstances), draw(law.circumstances))
    setting = setting._replace(places=places, bound="j0")
    return Bound(setting, law.map_of(draw(law.seeds)), [Jurisdiction("j0", obligations=owed)], ways)


@MANY
@given(dealt())
def test_no_command_ever_names_a_forbidden_target(draw: Dealt) -> None:
    for one in map(bound, draw.cases()):
        world = one.told()
        for story in world.stories:
            allowed = one.allowed[story.call.request.jurisdiction.name]
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
@given(obliged(Obligations(hedge=False)))
def test_who_is_bound_not_to_hedge_is_at_one_target_at_a_time(one: Bound) -> None:
    for story in one.told().stories:
        assert Reason.HEDGE not in story.reasons
        for earlier, later in pairwise(story.call.attempts):
            assert earlier.ended is not None
            assert earlier.ended <= later.started


@LAW
@given(obliged(Obligations(resume=False)))
def test_who_is_bound_to_one_operator_is_never_resumed_by_another(one: Bound) -> None:
    for story in one.told().stories:
        broken = story.call.broken
        if broken is not None:
            resumed = {a.state.target.place.operator for a in story.call.attempts if a.reason is Reason.RESUME}
            assert resumed <= {broken.state.target.place.operator} - {None}


@MANY
@given(dealt())
def test_one_constraint_more_never_adds_a_target(draw: Dealt) -> None:
    for case in draw.cases():
        one = bound(case)
        for applied in one.ways:
            narrower = one.jurisdictions.together([*applied.parts, case.more])
            assert one.admitted(narrower) <= one.admitted(applied)


@MANY
@given(dealt())
def test_whatever_a_header_says_it_never_adds_a_target(draw: Dealt) -> None:
    key = ClientKey("app", b"", tenant="acme")
    for case in draw.cases():
        one = bound(case)
        binder = Binder(one.jurisdictions)
        plain, narrowed = binder.applied(key, one.route, {}), binder.applied(key, one.route, case.said)
        assert isinstance(plain, Applied)
        if not isinstance(narrowed, Complaint):
            assert {part.name for part in plain.parts} <= {part.name for part in narrowed.parts}
            assert one.admitted(narrowed) <= one.admitted(plain)


@MANY
@given(dealt())
def test_a_header_that_would_widen_changes_nothing(draw: Dealt) -> None:
    """Zones around those that bind already, jurisdictions that bind already, and `anywhere`."""
    for one in map(bound, draw.cases()):
        zones = [part.constraints.processes for part in one.ways[0].parts if part.constraints.processes]
        named = ",".join(["anywhere", *(part.name for part in one.ways[0].parts if ":" not in part.name)])
        said = {JURISDICTION: named.encode()} | ({PLACE: b"WORLD"} if zones else {})
        key = ClientKey("other", b"", jurisdictions=tuple(n for n in named.split(",") if n != "anywhere"))
        binder = Binder(one.jurisdictions)
        plain, widened = binder.applied(key, one.route, {}), binder.applied(key, one.route, said)
        assert isinstance(plain, Applied)
        assert isinstance(widened, Applied)
        if any(part.constraints.processes for part in plain.parts):
            assert one.admitted(widened) == one.admitted(plain)
