"""What binds an attempt, and what is said of it: by its request and by the rung that it came from."""

from tests.policy.world import SILENT, World, answers, fleet, request, route, target

from surefoot.domain.front import ANYONE
from surefoot.domain.jurisdiction import Circumstances
from surefoot.domain.place import Place
from surefoot.policy.jurisdictions import met_by


def test_an_attempt_that_nothing_binds_is_bound_by_nothing() -> None:
    world = World(fleet([target("a"), target("b")], route("a", "b")), {"a": [answers()], "b": [SILENT]})
    call = world.call().call
    assert call.binding(0) == ()
    assert world.fleet.stacks["chat"].binding(request(), world.fleet.targets["b"]) == ()


def test_a_call_tells_the_verdict_on_each_target_of_its_route() -> None:
    world = World(fleet([target("a"), target("b")], route("a", "b")), {"a": [answers()], "b": [SILENT]})
    world.fleet.targets["b"].breaker.open(world.now, 60.0)
    story = world.opens()
    assert [(one.target, one.rank, one.rule) for one in story.call.verdicts()] == [
        ("a", 1, None),
        ("b", None, "health"),
    ]
    world.run()
    assert [one.target for one in story.call.verdicts()] == ["a", "b"]


def test_a_client_without_a_key_meets_no_circumstances() -> None:
    assert met_by(None) == Circumstances()
    assert met_by(ANYONE).names == ()


def test_where_a_target_processes_is_one_line_or_unknown() -> None:
    assert Place(("DE", "FR")).where() == "DE, FR"
    assert Place().where() is None
