"""Every failure mode that can be drilled can be replayed, and means the same."""

import math

import pytest
from tests.replay.world import FIRST, TRIP, arm, calls, kinds, model, outage, replayed

from surefoot.domain.outcome import Kind
from surefoot.domain.route import Limits, Watch
from surefoot.drill.catalogue import MODES as DRILLED
from surefoot.replay.modes import AFTER_TOKENS, MODES, Play, Sign, Speech, Step, Way, healthy, worse

SPEECH = Speech(0.5, 0.05, 11, 0.1)
PATIENT = Limits(attempts=1, wait=0.0)


def test_the_replay_knows_the_same_modes_as_the_drills() -> None:
    assert list(MODES) == [mode.name for mode in DRILLED]


@pytest.mark.parametrize("mode", DRILLED, ids=lambda mode: mode.name)
def test_an_attempt_that_is_struck_ends_as_the_journal_of_a_drill_may_name_it(mode: object) -> None:
    name, drilled, stream = mode.name, mode.kinds, mode.stream  # type: ignore[attr-defined]
    watch = Watch.OFF if name.startswith("plain_") else Watch.AUTO
    alone = arm(model("a"), limits=PATIENT, watch=watch)

    results = replayed(alone, calls([0.0], stream=stream), [outage("a", -1, 1, name)])

    late = {Kind.SILENCE, Kind.SLOW_FIRST_TOKEN, Kind.OVERTAKEN, Kind.CANCELLED}
    allowed = {*drilled, *({Kind.DEADLINE, Kind.OK} if late & set(drilled) else ())}
    assert kinds(results)[0] in allowed


@pytest.mark.parametrize("mode", [mode for mode in DRILLED if mode.answer], ids=lambda mode: mode.name)
def test_another_target_saves_the_call_unless_the_client_has_the_beginning_of_an_answer(mode: object) -> None:
    name, stream = mode.name, mode.stream  # type: ignore[attr-defined]
    broken_off = {"stall", "cut", "cut_reset", "cut_mid_event", "truncate", "done_unfinished", "error_later"}

    results = replayed(arm(model("a"), model("b")), calls([0.0], stream=stream), [outage("a", -1, 1, name)])

    assert (kinds(results)[0] is Kind.OK) is (name not in broken_off)


@pytest.mark.parametrize("name", sorted(MODES))
@pytest.mark.parametrize("way", Way)
def test_the_steps_of_a_play_are_in_order_and_never_before_its_begin(name: str, way: Way) -> None:
    steps = MODES[name](SPEECH, way).steps

    times = [step.after for step in steps]
    assert times == sorted(times)
    assert all(time >= 0 for time in times)
    assert all(step.sign not in {Sign.WHOLE, Sign.FAILED} for step in steps[:-1])


def test_tokens_are_counted_as_they_come() -> None:
    play = healthy(SPEECH, Way.RELAYED)

    assert play.said(0.4) == (0, 0.4)
    assert play.said(0.5) == (1, 0.5)
    assert play.said(0.56) == pytest.approx((2, 0.55))
    assert play.said(0.88) == pytest.approx((8, 0.85))
    assert play.said(9.0) == pytest.approx((11, 1.0))


def test_a_drip_after_some_tokens_is_counted_at_both_paces() -> None:
    play = MODES["drip_later"](SPEECH, Way.RELAYED)

    assert play.said(0.61) == pytest.approx((AFTER_TOKENS, 0.6))
    assert play.said(2.7) == pytest.approx((AFTER_TOKENS + 2, 2.6))
    assert play.steps[-1].after == pytest.approx(0.6 + 8)


def test_of_two_that_strike_the_one_without_an_answer_is_worse_and_then_the_later() -> None:
    soon, late = Play((Step(1.0, Sign.WHOLE),)), Play((Step(2.0, Sign.WHOLE),))
    none, spoiled = Play(()), Play((Step(0.5, Sign.WHOLE),), spoiled=True)

    assert worse(soon, late) is worse(late, soon) is late
    assert worse(late, none) is worse(none, late) is none
    assert worse(spoiled, soon) is spoiled


def test_a_spoiled_stream_is_relayed_and_counts_as_malformed() -> None:
    results = replayed(arm(model("a"), model("b")), calls([0.0]), [outage("a", -1, 1, "bad_arguments")])

    assert kinds(results) == [Kind.MALFORMED]
    assert results.winner.tolist() == [0]
    assert results.ttft[0] == pytest.approx(FIRST)


def test_a_refusal_costs_one_round_trip() -> None:
    results = replayed(arm(model("a"), model("b")), calls([0.0]), [outage("a", -1, 1, "rate_limit")])

    assert results.detect[0] == pytest.approx(TRIP)
    assert results.switch[0] == 0.0
    assert results.ttft[0] == pytest.approx(TRIP + FIRST)
    assert not math.isnan(results.cost[0])
