"""What binds an attempt, and what is said of it: by its request and by the rung that it came from."""

from tests.policy.world import SILENT, ZONES, World, answers, fleet, request, route, target

from surefoot.domain.front import ANYONE
from surefoot.domain.jurisdiction import ANYWHERE, Circumstances, Jurisdiction, Subjects
from surefoot.domain.place import Place
from surefoot.policy.jurisdictions import Jurisdictions, met_by


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


def test_a_client_of_whom_no_key_is_asked_is_bound_by_nothing_of_its_own() -> None:
    assert met_by(ANYONE) == Circumstances(ANYONE.name)
    who = Subjects(keys=("app",), tenants=("acme",), classes=("health",), regions=("EU",))
    assert Jurisdictions(ZONES, [Jurisdiction("j", who)]).bind(route("a"), met_by(ANYONE)) is ANYWHERE


def test_where_a_target_processes_is_one_line_or_unknown() -> None:
    assert Place(("DE", "FR")).where() == "DE, FR"
    assert Place().where() is None
