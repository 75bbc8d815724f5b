"""Capability: who declares what, who is asked for it, and who may stand in for whom."""

import pytest
from tests.policy.test_rules import candidate
from tests.policy.test_stack import chosen, stack_of
from tests.policy.world import SILENT, World, answers, fails, fleet, request, route, speaks_then, target

from surefoot.domain.commands import Fail, Reason
from surefoot.domain.features import ALL_FEATURES, NO_FEATURES, Feature, Features
from surefoot.domain.outcome import Kind
from surefoot.domain.request import Request
from surefoot.domain.route import Route, Rung, When
from surefoot.domain.target import Target
from surefoot.gateway.complaints import of_call
from surefoot.policy.rules.capability import Capability

TOOLS, IMAGE = frozenset({Feature.TOOLS}), frozenset({Feature.IMAGE})


def able(name: str, features: Features | None, place: str = "eu", window: int | None = None) -> Target:
    return target(name, place, features=features, window=window)


def needing(features: Features, prompt_tokens: int = 300, **more: object) -> Request:
    return request(prompt_tokens, features=features, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("declared", "needed", "admitted"),
    [
        (TOOLS, NO_FEATURES, True),
        (TOOLS, TOOLS, True),
        (TOOLS | IMAGE, TOOLS, True),
        (TOOLS, IMAGE, False),
        (TOOLS, TOOLS | IMAGE, False),
        (NO_FEATURES, NO_FEATURES, True),
        (NO_FEATURES, TOOLS, False),
        (None, ALL_FEATURES, True),
    ],
)
def test_who_declares_all_that_is_needed_is_admitted_and_who_declares_nothing_is_unknown(
    declared: Features | None, needed: Features, *, admitted: bool
) -> None:
    assert (Capability().reason(candidate(able("a", declared)), needing(needed), 0.0) is None) is admitted


def test_the_rule_says_what_is_missing_and_what_is_there() -> None:
    asked = needing(TOOLS | IMAGE | {Feature.FILE})
    assert Capability().reason(candidate(able("a", TOOLS)), asked, 0.0) == "cannot do file,image; it declares tools"
    none = Capability().reason(candidate(able("a", NO_FEATURES)), needing(TOOLS), 0.0)
    assert none == "cannot do tools; it declares nothing"


def test_the_first_that_is_able_is_chosen_and_who_was_not_is_written_down() -> None:
    stack = stack_of([able("a", TOOLS), able("b", IMAGE), able("c", None)])
    for _ in range(2):  # the second time it is remembered
        assert [chosen(stack, needing(f)) for f in (NO_FEATURES, TOOLS, IMAGE, TOOLS | IMAGE)] == ["a", "a", "b", "c"]
        last = stack.states[2]
        assert stack.passed_over(needing(TOOLS | IMAGE), last, 100.0) == "a:capability,b:capability"
        assert stack.passed_over(needing(IMAGE), last, 100.0) == "a:capability"
        assert stack.passed_over(needing(NO_FEATURES), last, 100.0) == ""


def test_a_route_knows_whether_any_target_declares_anything() -> None:
    assert not stack_of([able("a", None), able("b", None)]).declares
    assert stack_of([able("a", None), able("b", NO_FEATURES)]).declares


def test_where_nobody_declares_anything_a_need_makes_no_class_of_its_own() -> None:
    stack = stack_of([able("a", None)])
    for features in (NO_FEATURES, TOOLS, IMAGE):
        assert chosen(stack, needing(features)) == "a"
    assert len(stack._only) == 1
    assert not stack._admitted


@pytest.mark.parametrize(
    ("targets", "kind"),
    [
        ([able("a", TOOLS)], Kind.NOT_ABLE),
        ([able("a", IMAGE, "us"), able("b", TOOLS)], Kind.NOT_ABLE),  # the allowed one cannot
        ([able("a", IMAGE, "us"), able("b", TOOLS, "us")], Kind.NOT_ALLOWED),
        ([able("a", IMAGE, window=100), able("b", TOOLS)], Kind.TOO_LONG),  # the able one is too small
    ],
)
def test_a_refusal_is_called_by_the_last_rule_that_any_target_came_to(targets: list[Target], kind: Kind) -> None:
    stack = stack_of(targets, route(*(one.name for one in targets), jurisdiction="eu"))
    assert stack.refusal(needing(IMAGE)) is kind


def test_capability_is_asked_after_the_condition_and_before_the_window() -> None:
    rungs = (Rung("a", When(most=100)), Rung("b"))
    stack = stack_of([able("a", TOOLS, window=50), able("b", TOOLS, window=50)], Route("chat", rungs))
    assert [one.rule for one in stack.explain(needing(IMAGE), 0.0)] == ["condition", "capability"]


def test_where_nobody_is_able_nobody_is_asked_and_the_error_says_why_for_each_target() -> None:
    targets = [able("a", TOOLS), able("b", NO_FEATURES), target("canned", text="Sorry.")]
    world = World(fleet(targets, route("a", "b", static="canned")), {"a": [answers()], "b": [answers()], "canned": []})
    story = world.call(needing(TOOLS | IMAGE))
    assert story.told == [(100.0, Fail(Kind.NOT_ABLE))]
    said = of_call(story.call, Kind.NOT_ABLE)
    assert (said.status, said.type, said.code) == (400, "invalid_request_error", "not_able")
    assert said.message.endswith(
        "no target of the route can do all that the request needs. It needs image,tools. "
        "a: cannot do image; it declares tools; b: cannot do image,tools; it declares nothing."
    )


@pytest.mark.parametrize("play", [fails(Kind.SERVER_ERROR), SILENT, speaks_then(Kind.CUT)])
def test_fallback_hedge_and_resume_pass_over_who_is_not_able(play: tuple[object, ...]) -> None:
    targets = [able("a", IMAGE), able("b", TOOLS), able("c", None)]
    scripts = {"a": [play], "b": [answers()], "c": [answers()]}
    story = World(fleet(targets, route("a", "b", "c", hedge=1.0)), scripts).call(needing(IMAGE, resumable=True))  # type: ignore[arg-type]
    assert story.asked == ["a", "c"]
    assert story.call.kind is Kind.OK
    assert story.reasons[1] in {Reason.FALLBACK, Reason.HEDGE, Reason.RESUME}


@pytest.mark.parametrize(
    ("mine", "other", "eager"),
    [
        (TOOLS, TOOLS, True),
        (TOOLS, TOOLS | IMAGE, True),
        (TOOLS | IMAGE, TOOLS, False),
        (TOOLS, None, True),
        (None, TOOLS, False),
        (None, ALL_FEATURES, True),
        (None, None, True),
    ],
)
def test_only_who_can_do_all_that_a_target_can_stands_in_for_it(
    mine: Features | None, other: Features | None, *, eager: bool
) -> None:
    of = fleet([able("a", mine), able("b", other)], route("a", "b"))
    assert of.targets["a"].breaker.eager is eager
