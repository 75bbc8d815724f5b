"""Which jurisdictions bind, what they oblige the Call to, and what the stack makes of them."""

import pytest
from tests.policy.world import (
    JURISDICTIONS,
    SILENT,
    ZONES,
    World,
    answers,
    fails,
    fleet,
    request,
    route,
    speaks_then,
    target,
)

from surefoot.domain.commands import Reason
from surefoot.domain.front import ClientKey
from surefoot.domain.jurisdiction import (
    ANYWHERE,
    Applied,
    Circumstances,
    Constraints,
    Contradiction,
    Deny,
    Jurisdiction,
    Obligations,
    Subjects,
)
from surefoot.domain.outcome import Kind
from surefoot.domain.place import NOWHERE_SAID, Place, Subprocessor, Transfer, Zone
from surefoot.domain.route import Route, Rung
from surefoot.policy.jurisdictions import Jurisdictions, met_by
from surefoot.policy.rules.jurisdiction import forbids
from surefoot.policy.zones import NO_ZONES, Zones

HEALTH = Jurisdiction("health", Subjects(("clinic",), ("acme",), ("health",), ("DE",)), Constraints(("EU",)))
LISTED = Jurisdictions(ZONES, [HEALTH, Jurisdiction("eu", constraints=Constraints(("EU",)))])
PLAIN = Route("chat", ())


def applied(owed: Obligations) -> Applied:
    return Jurisdictions.together([Jurisdiction("owed", obligations=owed)])


@pytest.mark.parametrize(
    ("met", "name"),
    [
        (Circumstances(), "anywhere"),
        (Circumstances(key="clinic"), "health"),
        (Circumstances(tenant="acme"), "health"),
        (Circumstances(classes=("health",)), "health"),
        (Circumstances(regions=("DE",)), "health"),
        (Circumstances(regions=("EU",)), "health"),  # somebody in the EU may live in Germany
        (Circumstances(regions=("US",)), "anywhere"),
        (Circumstances(key="other", tenant="other", classes=("other",)), "anywhere"),
        (Circumstances(names=("eu", "anywhere")), "eu"),
        (Circumstances(key="clinic", names=("eu",), zones=("fr", "ch")), "eu+health+place:CH,FR"),
    ],
)
def test_who_is_bound_is_told_by_key_tenant_class_region_and_name(met: Circumstances, name: str) -> None:
    assert LISTED.bind(PLAIN, met).name == name


def test_the_routes_own_binds_whoever_asks() -> None:
    assert LISTED.bind(Route("chat", (), jurisdiction="eu"), Circumstances()).name == "eu"
    assert LISTED.bind(PLAIN, Circumstances()) is ANYWHERE


def test_an_unknown_name_binds_nobody_in_silence() -> None:
    with pytest.raises(KeyError, match="nowhere"):
        LISTED.bind(PLAIN, Circumstances(names=("nowhere",)))


def test_what_a_key_says_is_what_is_met() -> None:
    key = ClientKey("app", b"", tenant="acme", jurisdictions=("eu",), classes=("health",), regions=("DE",))
    assert met_by(key) == Circumstances("app", "acme", ("health",), ("DE",), ("eu",))


def test_the_strictest_of_each_obligation_holds() -> None:
    flagged = Obligations(contradiction=Contradiction.FLAG)
    both = [Jurisdiction("a", obligations=Obligations(hedge=False)), Jurisdiction("b", obligations=flagged)]
    assert Jurisdictions.together(both).obligations == Obligations(hedge=False)
    assert Jurisdictions.together(both[1:]).obligations == flagged
    strict = Obligations(resume=False, keep=False, receipts=True)
    assert Jurisdictions.together([*both, Jurisdiction("c", obligations=strict)]).obligations == Obligations(
        hedge=False, resume=False, keep=False, receipts=True
    )


def test_a_version_stands_for_the_text_and_not_for_the_order() -> None:
    one, other = Jurisdiction("a", constraints=Constraints(("EU",))), Jurisdiction("b")
    assert Jurisdictions.together([one, other]) == Jurisdictions.together([other, one])
    changed = Jurisdiction("a", constraints=Constraints(("DE",)))
    assert Jurisdictions.together([changed, other]).version != Jurisdictions.together([one, other]).version


def test_obligations_of_an_inner_route_are_owed_to_the_whole_call_and_its_constraints_to_its_rungs() -> None:
    careful = Jurisdiction("careful", constraints=Constraints(("EU",)), obligations=Obligations(hedge=False))
    outer = Route("chat", (Rung("us"), Rung("eu", jurisdictions=("careful",)), Rung("us", jurisdictions=("careful",))))
    of = Jurisdictions(ZONES, [careful])
    bound = of.bind(outer, Circumstances())
    assert (bound.name, bound.parts, bound.obligations) == ("anywhere", (), Obligations(hedge=False))
    stack = fleet([target("us", "us"), target("eu")], outer, jurisdictions=of).stacks["chat"]
    admitted = stack.admitted(request(jurisdiction=bound))
    assert [candidate.target.name for candidate in admitted] == ["us", "eu"]
    by_name = {candidate.target.name: candidate.state for candidate in admitted}
    assert stack.binding(request(jurisdiction=bound), by_name["eu"]) == (careful,)
    assert stack.binding(request(jurisdiction=bound), by_name["us"]) == ()


def test_a_target_on_two_rungs_is_admitted_once_by_the_rung_that_allows_it() -> None:
    outer = Route("chat", (Rung("us", jurisdictions=("eu",)), Rung("us")))
    stack = fleet([target("us", "us")], outer).stacks["chat"]
    assert [c.bound for c in stack.admitted(request())] == [()]
    twice = Route("chat", (Rung("eu", jurisdictions=("eu",)), Rung("eu")))
    stack = fleet([target("eu")], twice).stacks["chat"]
    assert len(stack.admitted(request())) == 1


SAID = Place(("DE",), ("DE",), "Alpha", "DE", Transfer.SCC, 100.0, False, (Subprocessor("s", "FR"),))


@pytest.mark.parametrize(
    ("asked", "place", "why"),
    [
        (Constraints(("EU",)), SAID, None),
        (Constraints(("FR",)), SAID, "processes in DE; allowed: FR"),
        (Constraints(("EU",)), NOWHERE_SAID, "does not say where it processes, and unknown is not allowed"),
        (Constraints(("EU",)), Place(()), "does not say where it processes, and unknown is not allowed"),
        (Constraints(("EU",)), Place(("DE", "US")), "processes in DE, US; allowed: EU"),
        (Constraints(("EU",)), Place(("mars",)), "processes in mars; allowed: EU"),
        (Constraints(()), SAID, "processes in DE; allowed: nowhere"),
        (Constraints(stores=("EU",)), Place(stores=()), None),
        (Constraints(stores=("FR",)), SAID, "stores in DE; allowed: FR"),
        (Constraints(seats=("EU",)), SAID, None),
        (Constraints(seats=("US",)), SAID, "has its operator's seat in DE; allowed: US"),
        (Constraints(subprocessors=("EU",)), SAID, None),
        (Constraints(subprocessors=("DE",)), SAID, "has sub-processors in FR; allowed: DE"),
        (
            Constraints(subprocessors=("DE",)),
            Place(subprocessors=(Subprocessor("s"),)),
            "does not say where it has sub-processors, and unknown is not allowed",
        ),
        (Constraints(subprocessors=("DE",)), Place(subprocessors=()), None),
        (Constraints(operators=("alpha ",)), SAID, None),
        (Constraints(operators=("Beta",)), SAID, "its operator is Alpha; allowed: Beta"),
        (Constraints(operators=("Beta",)), NOWHERE_SAID, "does not declare its operator, and unknown is not allowed"),
        (Constraints(transfers=(Transfer.SCC,)), SAID, None),
        (Constraints(transfers=(Transfer.BCR,)), SAID, "its transfer tool is SCC; allowed: BCR"),
        (Constraints(zero_retention=True), SAID, "zero data retention is not declared"),
        (Constraints(zero_retention=True), Place(zero_retention=True), None),
        (Constraints(retention=100.0), SAID, None),
        (Constraints(retention=0.0), Place(retention=86_400.0), "keeps content for 1 days; allowed: 0"),
        (Constraints(retention=0.0), Place(zero_retention=True), None),
        (
            Constraints(retention=0.0),
            NOWHERE_SAID,
            "does not say how long it keeps content, and unknown is not allowed",
        ),
    ],
)
def test_a_constraint_asks_what_is_declared(asked: Constraints, place: Place, why: str | None) -> None:
    assert forbids(Jurisdiction("j", constraints=asked), target("a", place), ZONES) == why


@pytest.mark.parametrize(
    ("deny", "place", "why"),
    [
        (Deny(targets=("a",)), SAID, "the target is denied by name"),
        (Deny(targets=("b",)), SAID, None),
        (Deny(processes=("EU",)), SAID, "processes in DE, and EU is denied"),
        (Deny(processes=("DE",)), Place(("EU",)), "processes in EU, and DE is denied"),
        (Deny(processes=("US",)), SAID, None),
        (Deny(processes=("US",)), NOWHERE_SAID, "does not say where it processes, and US is denied"),
        (Deny(stores=("US",)), Place(stores=()), None),
        (Deny(stores=("DE",)), SAID, "stores in DE, and DE is denied"),
        (Deny(seats=("DE",)), SAID, "has its operator's seat in DE, and DE is denied"),
        (Deny(operators=("ALPHA",)), SAID, "its operator Alpha is denied"),
        (Deny(operators=("Beta",)), SAID, None),
        (Deny(operators=("Beta",)), NOWHERE_SAID, "does not declare its operator, and Beta is denied"),
        (Deny(transfers=(Transfer.SCC,)), SAID, "its transfer tool SCC is denied"),
    ],
)
def test_what_is_denied_forbids_whatever_else_allows(deny: Deny, place: Place, why: str | None) -> None:
    assert forbids(Jurisdiction("j", constraints=Constraints(), deny=deny), target("a", place), ZONES) == why


def test_an_unknown_zone_is_within_nothing_and_touches_everything() -> None:
    assert not ZONES.within(["mars"], ["WORLD"])
    assert ZONES.overlap(["mars"], ["DE"])
    assert ZONES.overlap(["DE"], ["mars"])
    assert ZONES.name_of("eu") == "EU"
    assert ZONES.name_of("mars") is None
    assert NO_ZONES.names == ["WORLD"]


def test_what_is_common_is_told_in_as_few_names_as_possible() -> None:
    assert ZONES.common([("EU", "CH"), ("EU", "US")], ()) == ("EU",)
    assert ZONES.common([("EU",), ("FR", "US")], ()) == ("FR",)
    assert ZONES.common([], ("US",)) == ("EU", "CH")
    assert ZONES.common([("EU",)], ("WORLD",)) == ()


def test_a_zone_of_ones_own_is_named_only_where_no_other_is_left() -> None:
    both, cellar = frozenset({"DE", "US"}), frozenset({"cellar"})
    zones = Zones(
        {name: Zone(frozenset({name}), frozenset({name})) for name in both}
        | {"WORLD": Zone(both | cellar, both | cellar), "mine": Zone(both, both, own=True)}
        | {"cellar": Zone(cellar, cellar | {"DE"}, own=True)}
    )
    assert zones.common([("mine",)], ()) == ("DE", "US")
    assert zones.common([("cellar",)], ()) == ("cellar",)


def world_of(**scripts: list[tuple[object, ...]]) -> World:
    operators = {"a": "Alpha", "b": "Beta", "c": "Alpha"}
    targets = [target(name, Place(("DE",), operator=operators.get(name))) for name in scripts]
    return World(fleet(targets, route(*scripts, hedge=1.0)), scripts)  # type: ignore[arg-type]


@pytest.mark.parametrize(("owed", "asked"), [(Obligations(), ["a", "b"]), (Obligations(hedge=False), ["a"])])
def test_nobody_is_asked_beside_a_live_attempt_where_that_is_owed(owed: Obligations, asked: list[str]) -> None:
    world = world_of(a=[answers(2.0, 2.5)], b=[answers()])
    assert world.call(request(jurisdiction=applied(owed))).asked == asked


def test_a_late_attempt_is_cancelled_before_another_is_asked_where_nobody_may_be_beside_it() -> None:
    owed = Obligations(hedge=False)
    story = world_of(a=[SILENT], b=[answers()]).call(request(jurisdiction=applied(owed)))
    assert (story.asked, story.reasons[1], story.cancelled) == (["a", "b"], Reason.FALLBACK, [0])


@pytest.mark.parametrize(("owed", "asked"), [(Obligations(), ["a", "b"]), (Obligations(resume=False), ["a", "c"])])
def test_a_broken_answer_stays_with_its_operator_where_that_is_owed(owed: Obligations, asked: list[str]) -> None:
    world = world_of(a=[speaks_then(Kind.CUT)], b=[answers()], c=[answers()])
    assert world.call(request(jurisdiction=applied(owed), resumable=True)).asked == asked


def test_whose_operator_is_unknown_is_resumed_by_nobody_where_it_must_stay_with_its_operator() -> None:
    owed = Obligations(resume=False)
    world = world_of(x=[speaks_then(Kind.CUT)], y=[answers()])
    assert world.call(request(jurisdiction=applied(owed), resumable=True)).asked == ["x"]


def test_a_call_that_may_go_nowhere_tells_the_verdict_on_each_target() -> None:
    world = World(fleet([target("us", "us"), target("none", None)], route("us", "none")), {"us": [], "none": []})
    story = world.call(request(place="eu"))
    assert story.failure.kind is Kind.NOT_ALLOWED
    assert [(v.target, v.rule, v.reason) for v in story.call.verdicts()] == [
        ("us", "jurisdiction", "place:EU: processes in us; allowed: EU"),
        ("none", "jurisdiction", "place:EU: does not say where it processes, and unknown is not allowed"),
    ]


def test_what_binds_an_attempt_is_what_binds_its_request_and_its_route() -> None:
    world = World(fleet([target("a", "DE")], route("a", jurisdiction="eu")), {"a": [fails(Kind.RESET)]})
    story = world.call(request(place="DE"))
    assert [one.name for one in story.call.binding(0)] == ["eu", "place:DE"]
    assert JURISDICTIONS.by_name["eu"] in story.call.binding(0)


def test_a_place_is_shown_as_one_line_or_as_unknown() -> None:
    assert Place(("DE", "FR")).where() == "DE, FR"
    assert NOWHERE_SAID.where() is None
