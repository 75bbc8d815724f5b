"""From three accounts of a call to one repetition: what counts, and what each time is."""

import pytest

from surefoot.domain.target import Endpoint, Target
from surefoot.domain.units import Price
from surefoot.drill.catalogue import MODES
from surefoot.drill.joining import Evidence, cost_of, joined, repetitions
from surefoot.drill.plan import Trial
from surefoot.drill.repetition import Repetition
from surefoot.journal.reader import AttemptEntry, CallEntry
from surefoot.load import CallResult
from surefoot.twin import AttemptRecord

AT = 1_000.0
TARGETS = {
    name: Target(name, "p", "m", "openai-chat", Endpoint("h", 1, tls=False, path="/v1"), price=Price(1.0, 10.0))
    for name in ("near", "far")
}


def trial(mode: str) -> Trial:
    return Trial(2, "chat", next(one for one in MODES if one.name == mode), "near", ("near",), began=AT - 1)


def attempt(number: int, target: str, kind: str, breaker: str = "closed", **known: float | None) -> AttemptEntry:
    given = {"started": 0.0, "sent": 0.001, "first_content": None, "ended": 1.0, "verdict": None} | known
    return AttemptEntry(
        number=number,
        target=target,
        reason="first" if number == 0 else "fallback",
        kind=kind,
        started=given["started"] or 0.0,
        sent=given["sent"],
        heard=None,
        first_content=given["first_content"],
        ended=given["ended"],
        verdict=given["verdict"],
        prompt_tokens=60 if kind == "ok" else None,
        completion_tokens=12 if kind == "ok" else None,
        won=kind == "ok",
        breaker=breaker,
        rules="" if number or target == "near" else "near:health",
    )


def call(*attempts: AttemptEntry, name: str = "c-1", kind: str = "ok") -> CallEntry:
    return CallEntry(
        call=name,
        at=AT,
        route="chat",
        key="drill",
        config="c",
        drill=2,
        stream=True,
        bucket=0,
        prompt_tokens=60,
        max_tokens=0,
        features="",
        request_bytes=1,
        answer_bytes=1,
        kind=kind,
        winner=len(attempts) - 1 if kind == "ok" else None,
        first_content=0.2,
        ended=1.0,
        jurisdiction="anywhere",
        jurisdiction_version="",
        attempts=attempts,
    )


def seen(name: str | None = "c-1", *, ok: bool = True, tokens: int = 12, target: str = "far") -> CallResult:
    result = CallResult(0, 5.0, sent=5.0, first_content=5.2, end=5.5, ok=ok, status=200, tokens=tokens)
    result.call, result.target, result.failure = name, target, None if ok else "truncated"
    return result


def struck(wall: float = AT + 0.002, fault: str | None = "silence", last_content: float | None = None) -> AttemptRecord:
    return AttemptRecord(1, 1, arrival=70.0, wall=wall, fault=fault, last_content=last_content)


FAILED_OVER = call(
    attempt(0, "near", "silence", verdict=0.301),
    attempt(1, "far", "ok", started=0.301, sent=0.302, first_content=0.372),
)


def only(mode: str, entry: CallEntry, result: CallResult, *log: AttemptRecord) -> Repetition:
    one = trial(mode)
    one.results = [result]
    (found,) = repetitions(Evidence(one, [entry], log), TARGETS, patience=10.0, whole=12)
    return found


def test_a_fault_that_the_twin_noted_and_the_fallback_answered_is_mitigated_and_timed() -> None:
    found = only("silence", FAILED_OVER, seen(), struck())
    assert (found.delivered, found.warm, found.mitigated, found.answered_by) == (True, False, True, "far")
    times = (found.detect, found.switch, found.fallback_ttft, found.ttft, found.end_to_end)
    assert times == pytest.approx((0.3, 0.001, 0.07, 0.2, 0.5))


def test_a_fault_that_the_twin_did_not_note_does_not_count() -> None:
    assert not only("silence", FAILED_OVER, seen()).delivered
    assert not only("silence", FAILED_OVER, seen(), struck(fault=None)).delivered
    assert not only("silence", FAILED_OVER, seen(), struck(wall=AT + 30)).delivered


def test_a_refused_connection_leaves_no_note_and_counts_by_how_it_ended() -> None:
    refused = call(attempt(0, "near", "connect_failed", sent=None, verdict=0.001), attempt(1, "far", "ok", sent=0.002))
    assert only("refuse", refused, seen()).delivered
    assert not only("auth", refused, seen()).delivered


def test_a_call_that_passed_the_target_over_for_its_breaker_is_warm() -> None:
    found = only("auth", call(attempt(0, "far", "ok")), seen())
    assert (found.warm, found.delivered, found.mitigated) == (True, False, True)
    probe = only("auth", call(attempt(0, "near", "auth", "open"), attempt(1, "far", "ok")), seen(), struck(fault="x"))
    assert (probe.warm, probe.delivered) == (True, True)


def test_a_call_that_never_had_to_do_with_the_target_is_left_out() -> None:
    one = trial("auth")
    one.results = [seen()]
    elsewhere = call(attempt(1, "far", "ok"))
    assert repetitions(Evidence(one, [elsewhere], [struck()]), TARGETS, patience=10.0, whole=12) == []


@pytest.mark.parametrize("result", [seen(ok=False), seen(tokens=3)])
def test_a_broken_answer_that_ended_as_if_whole_is_passed_off_and_not_mitigated(result: CallResult) -> None:
    found = only("truncate", call(attempt(0, "near", "cut")), result, struck(fault="truncate"))
    assert (found.passed_off, found.mitigated) == (True, False)


def test_what_the_struck_target_says_where_json_was_asked_for_is_no_answer() -> None:
    entry = call(attempt(0, "near", "ok"))
    assert only("bad_structure", entry, seen(target="near"), struck(fault="bad_structure")).passed_off
    assert only("no_done", entry, seen(target="near"), struck(fault="no_done")).mitigated


def test_an_answer_after_the_clients_patience_is_not_mitigated() -> None:
    one = trial("silence")
    one.results = [seen()]
    (found,) = repetitions(Evidence(one, [FAILED_OVER], [struck()]), TARGETS, patience=0.4, whole=12)
    assert (found.mitigated, found.passed_off) == (False, False)


def test_a_cut_is_detected_from_the_last_content_that_the_twin_wrote() -> None:
    entry = call(attempt(0, "near", "cut", first_content=0.05, verdict=0.104), kind="cut")
    found = only("cut", entry, seen(ok=False), struck(wall=AT + 0.002, fault="cut", last_content=70.098))
    assert found.detect == pytest.approx(0.004)


def test_a_call_whose_client_never_learned_its_name_is_joined_by_its_place_in_the_order() -> None:
    one, other = call(name="c-1"), call(name="c-2")
    nameless = seen(None)
    assert joined([nameless, seen("c-1")], [one, other])[-1] == (nameless, other)
    assert len(joined([nameless, seen("c-1")], [one, other, call(name="c-3")])) == 1  # two are left for one


def test_the_cost_is_of_all_attempts_and_unknown_where_one_is() -> None:
    assert cost_of(call(attempt(0, "near", "auth"), attempt(1, "far", "ok")), TARGETS) == pytest.approx(180e-6)
    assert cost_of(FAILED_OVER, TARGETS) is None  # silence is likely billed, and nobody said how much
