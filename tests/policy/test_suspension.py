"""A target whose own answer contradicts what is declared of it: its attempt fails, and nobody asks it any more."""

from random import Random

import pytest
from tests.policy.world import fleet, request, route, target

from surefoot.domain.commands import Cancel, Deliver, Fail, Finish, Launch, Reason
from surefoot.domain.events import Attested, Connecting, Failed, Heard
from surefoot.domain.jurisdiction import Applied, Constraints, Contradiction, Jurisdiction, Obligations
from surefoot.domain.outcome import Kind
from surefoot.domain.place import Confirmation, Fact, Place, Zone
from surefoot.domain.record import ATTEMPT_FIELDS
from surefoot.domain.route import Limits
from surefoot.domain.target import Target
from surefoot.policy.breaker import State
from surefoot.policy.call import Call
from surefoot.policy.exercise import ExerciseOptions
from surefoot.policy.fleet import Fleet
from surefoot.policy.jurisdictions import Jurisdictions
from surefoot.policy.options import PolicyOptions
from surefoot.policy.target_state import ProbeWanted, Readmitted, Suspended
from surefoot.policy.zones import Zones

CONFIRMS = (Confirmation(Fact.PROCESSES, header="x-region", means={"here": "DE", "there": "US"}),)
HERE, THERE = ((0, "here"),), ((0, "there"),)
WHY = "declares processes = DE; header x-region: there"
FLAGGED = Applied("lenient", obligations=Obligations(contradiction=Contradiction.FLAG))


def confirming(name: str) -> Target:
    return target(name, place=Place(("DE",), confirms=CONFIRMS))


def two() -> Fleet:
    return fleet([confirming("a"), target("b")], route("a", "b"))


def suspended(of: Fleet, name: str = "a") -> Fleet:
    of.hear(Suspended(name, WHY), 0.0)
    return of


def begun(of: Fleet, **more: object) -> Call:
    call = Call(of, request(**more), 100.0)  # type: ignore[arg-type]
    assert call.begin(100.0) == (Launch(0, "a", Reason.FIRST),)
    assert call.handle(Heard(0), 100.1) == ()
    return call


def evidence(call: Call, number: int = 0) -> object:
    return dict(zip(ATTEMPT_FIELDS, call.attempt_records()[number], strict=True))["evidence"]


def test_a_contradiction_before_content_falls_back_and_suspends() -> None:
    of = two()
    call = begun(of)
    assert call.handle(Attested(0, THERE), 100.1) == (Cancel(0), Launch(1, "b", Reason.FALLBACK))
    assert (call.attempts[0].kind, evidence(call)) == (Kind.CONTRADICTED, {"processes": "contradicted: there"})
    assert of.targets["a"].suspended == WHY
    assert of.news == [Suspended("a", WHY)]
    assert of.targets["a"].breaker.state is State.CLOSED
    assert call.content(1, 100.5) == (Deliver(1),)
    assert call.finished(1, 101.0, 1, 1) == (Finish(),)


def test_what_confirms_changes_nothing_and_is_in_the_record() -> None:
    of = two()
    call = begun(of)
    assert call.handle(Attested(0, HERE), 100.1) == ()
    assert (evidence(call), of.targets["a"].suspended, of.news) == ({"processes": "confirmed: here"}, None, [])


def test_an_answer_that_never_came_says_nothing_and_one_that_is_silent_is_told_apart_from_it() -> None:
    call = begun(two())
    assert evidence(call) is None
    call.handle(Attested(0, ()), 100.1)
    assert evidence(call) == {"processes": "silent"}


def test_a_contradiction_at_the_end_of_a_stream_breaks_it_off_and_is_never_completed_elsewhere() -> None:
    of = two()
    call = begun(of, resumable=True)
    assert call.content(0, 100.2) == (Deliver(0),)
    assert call.handle(Attested(0, THERE), 100.4) == (Cancel(0), Fail(Kind.CONTRADICTED, 0))
    assert of.targets["a"].suspended == WHY


def test_where_it_is_only_to_be_flagged_the_answer_is_delivered_and_the_target_suspended_all_the_same() -> None:
    of = two()
    call = begun(of, jurisdiction=FLAGGED)
    assert call.handle(Attested(0, THERE), 100.1) == ()
    assert call.content(0, 100.2) == (Deliver(0),)
    assert call.finished(0, 100.4, 1, 1) == (Finish(),)
    assert (call.kind, evidence(call)) == (Kind.OK, {"processes": "contradicted: there"})
    assert of.targets["a"].suspended == WHY


def test_two_contradictions_are_one_piece_of_news() -> None:
    of = two()
    one, other = begun(of), begun(of)
    one.handle(Attested(0, THERE), 100.1)
    other.handle(Attested(0, THERE), 100.2)
    assert of.news == [Suspended("a", WHY)]


def test_the_only_target_is_not_asked_again_and_the_call_fails() -> None:
    of = fleet([confirming("a")], route("a"))
    call = begun(of)
    assert call.handle(Attested(0, THERE), 100.1) == (Cancel(0), Fail(Kind.CONTRADICTED, 0))
    after = Call(of, request(), 101.0)
    assert after.begin(101.0) == (Fail(Kind.NO_TARGET),)


def test_nobody_repeats_on_a_target_that_was_suspended_meanwhile() -> None:
    of = fleet([confirming("a")], route("a"))
    call = begun(of)
    suspended(of)
    assert call.handle(Failed(0, Kind.SERVER_ERROR), 100.2) == (Fail(Kind.SERVER_ERROR, 0),)


def test_the_stack_says_why_and_asks_no_other_rule_of_the_moment() -> None:
    of = suspended(two())
    of.targets["a"].breaker.open(0.0, 60.0)
    verdict = of.stacks["chat"].explain(request(), 1.0)[-1]
    assert (verdict.target, verdict.rule) == ("a", "suspension")
    assert verdict.reason == f"suspended until it is readmitted: {WHY}"


def test_no_probe_is_wanted_or_waited_for_at_a_suspended_target() -> None:
    of = suspended(fleet([confirming("a")], route("a", limits=Limits(wait=15.0)), workers=2))
    of.targets["a"].breaker.open(0.0, 1.0)
    stack = of.stacks["chat"]
    assert stack.choose(request(), 5.0) is None
    assert (stack.soonest(request(), 5.0), stack.next_to_open(request(), ())) == (None, None)
    assert not [news for news in of.news if isinstance(news, ProbeWanted)]


def test_a_person_readmits_it_and_it_is_asked_first_again() -> None:
    of = suspended(two())
    assert of.stacks["chat"].choose(request(), 1.0) is of.targets["b"]
    of.hear(Readmitted("a"), 1.0)
    assert of.targets["a"].suspended is None
    assert of.stacks["chat"].choose(request(), 1.0) is of.targets["a"]


def test_neither_time_nor_forgiveness_lifts_a_suspension() -> None:
    of = suspended(two())
    of.targets["a"].breaker.open(0.0, 1.0)
    for now in range(1, 3600, 60):
        of.tick(float(now))
    of.targets["a"].succeeded(3600.0, probe=True)
    assert of.stacks["chat"].choose(request(), 3601.0) is of.targets["b"]


def test_it_outlives_a_reload_that_leaves_the_target_as_it_is() -> None:
    of = fleet([confirming("a"), target("b")], route("b", "a"))
    of.adopt(suspended(two()))
    assert of.targets["a"].suspended == WHY


def test_no_call_is_exercised_at_a_suspended_fallback() -> None:
    options = PolicyOptions(exercise=ExerciseOptions(deadline=1.0))
    the_route = route("b", "a", exercise=0.5)
    of = suspended(Fleet([confirming("a"), target("b")], [the_route], options, Random(1)))  # noqa: S311
    assert {of.stacks["chat"].exercised(request(), 1.0, 300.0) for _ in range(20)} == {None}


def test_a_suspended_target_cannot_take_over_for_one_that_grows_slow() -> None:
    of = two()
    assert of._others_can_take_over(of.targets["b"])
    assert not suspended(of)._others_can_take_over(of.targets["b"])


def test_another_fleet_may_take_over_who_is_suspended() -> None:
    other = two()
    other.suspend_as(suspended(two()), 1.0)
    assert (other.targets["a"].suspended, other.targets["b"].suspended, other.news) == (WHY, None, [])


@pytest.mark.parametrize("workers", [1, 2])
def test_zones_decide_what_lies_within(workers: int) -> None:
    both, one = frozenset({"DE", "US"}), frozenset({"US"})
    zones = Zones({"DE": Zone(both, both), "US": Zone(one, one)})  # a world in which one lies inside the other
    rng = Random(1)  # noqa: S311
    of = Fleet([confirming("a")], [route("a")], PolicyOptions(), rng, workers, Jurisdictions(zones))
    call = begun(of)
    assert call.handle(Attested(0, THERE), 100.1) == ()
    assert evidence(call) == {"processes": "confirmed: there"}


def test_after_a_reload_answers_are_held_against_the_zones_of_then() -> None:
    def of_zones(within_de: frozenset[str]) -> Fleet:
        zones = Zones({"DE": Zone(within_de, within_de), "US": Zone(frozenset({"US"}), frozenset({"US"}))})
        rng = Random(1)  # noqa: S311
        return Fleet([confirming("a")], [route("a")], PolicyOptions(), rng, jurisdictions=Jurisdictions(zones))

    of = of_zones(frozenset({"DE", "US"}))
    of.adopt(of_zones(frozenset({"DE"})))
    assert begun(of).handle(Attested(0, THERE), 100.1) == ()
    assert of.targets["a"].suspended is None
    bound = Applied("germany", (Jurisdiction("germany", constraints=Constraints(processes=("DE",))),))
    assert of.stacks["chat"].choose(request(jurisdiction=bound), 100.2) is of.targets["a"]


def test_what_is_said_of_the_winners_connection_is_still_stale() -> None:
    call = begun(two())
    call.content(0, 100.2)
    assert call.handle(Connecting(0), 100.3) == ()
