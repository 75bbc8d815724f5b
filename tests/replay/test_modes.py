"""Every failure mode that can be drilled can be replayed, and means the same."""

import math
from itertools import pairwise

import pytest
from tests.replay.world import FIRST, TRIP, arm, calls, kinds, model, outage, replayed

from surefoot.domain.outcome import Kind
from surefoot.domain.route import Limits, Watch
from surefoot.drill.catalogue import MODES as DRILLED
from surefoot.replay.outages.modes import AFTER_TOKENS, MODES, Severity, Sign, Speech, Way, healthy, severity, worse

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


def test_arguments_break_off_after_some_tokens_where_they_are_streamed_and_are_judged_in_the_end_where_not() -> None:
    for way, when in ((Way.RELAYED, 0.6), (Way.WATCHED, 0.6), (Way.PLAIN, SPEECH.end)):
        assert MODES["bad_arguments"](SPEECH, way).steps[-1].after == pytest.approx(when), way
    assert MODES["bad_structure"](SPEECH, Way.WATCHED).steps[-1].after == SPEECH.end


SEVERE = {
    Severity.WHOLE: ("no_done", "drip_later", "slow_first_token"),
    Severity.TOLD: ("server_error", "empty_answer"),
    Severity.SILENT: ("comments_only", "silence"),
    Severity.REFUSED: ("bad_request", "content_filter"),
    Severity.BROKEN: ("cut", "stall"),
    Severity.SPOILED: ("bad_arguments",),
}
"""Modes of a relayed stream by how bad they are, those that end sooner first; the two of silence never end."""


@pytest.mark.parametrize("rank", list(Severity))
def test_a_mode_is_as_severe_as_what_it_leaves_the_client_with(rank: Severity) -> None:
    assert {severity(MODES[name](SPEECH, Way.RELAYED)) for name in SEVERE[rank]} == {rank}


@pytest.mark.parametrize(("milder", "graver"), list(pairwise(name for rank in Severity for name in SEVERE[rank])))
def test_of_two_that_strike_at_once_the_graver_strikes_whichever_began_last(milder: str, graver: str) -> None:
    one, other = (MODES[name](SPEECH, Way.RELAYED) for name in (milder, graver))
    alike = {milder, graver} == {"comments_only", "silence"}

    assert worse(other, one) is other
    assert worse(one, other) is (one if alike else other)


def test_a_break_that_nobody_has_seen_yet_is_no_worse_than_any_other_failure() -> None:
    seen, unseen = (MODES["cut"](SPEECH, way) for way in (Way.RELAYED, Way.WATCHED))
    assert (severity(seen), severity(unseen)) == (Severity.BROKEN, Severity.TOLD)


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
