"""The same for all that answers need besides: watched, resumed, canned, exercised, suspected, waited for, hurried."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.agreement.replayer import DisagreementError, replay
from tests.gateway.conftest import Pair
from tests.gateway.house import House, settings_of, targets_at, until
from tests.gateway.raw import body_of, chat, exchange, post

from surefoot.domain.commands import Reason
from surefoot.domain.outcome import Kind
from surefoot.domain.route import Limits, Resume
from surefoot.policy.breaker import BreakerOptions
from surefoot.policy.budget import BudgetOptions
from surefoot.policy.exercise import ExerciseOptions
from surefoot.policy.first_token import FirstTokenOptions
from surefoot.policy.options import PolicyOptions
from surefoot.policy.suspicion import Grade, SuspicionOptions
from surefoot.policy.token_rate import TokenRateOptions
from surefoot.twin import HEALTHY, Fault, FaultPlan, Rule

WARY = PolicyOptions(
    FirstTokenOptions(hedge=0.4, limit=0.8, plain_hedge=0.4, plain_limit=0.8, hedge_floor=0.2, limit_floor=0.6),
    BreakerOptions(streak=3, open_for=0.3),
    BudgetOptions(share=1.0, burst=50),
    SuspicionOptions(threshold=1.5, samples=5, pace=0.05),
    TokenRateOptions(samples=5, answer=4, tokens=2, seconds=0.2),
    exercise=ExerciseOptions(deadline=1.0),
)
BREAKS = FaultPlan(tuple(Rule(Fault(kind), probability=0.3) for kind in ("stall", "cut", "error_later", "truncate")))
DOWN = Fault("status:500")
SLOW = Fault("slow_first_token", seconds=0.2)
DRIP = Fault("slow_drip", seconds=0.15)
PHASES: tuple[tuple[FaultPlan | Fault, FaultPlan | Fault], ...] = (
    (HEALTHY, HEALTHY),
    (BREAKS, HEALTHY),
    (BREAKS, BREAKS),
    (HEALTHY, HEALTHY),
    (DOWN, DOWN),
    (HEALTHY, HEALTHY),
    (SLOW, HEALTHY),
    (DRIP, HEALTHY),
    (Fault("silence"), Fault("silence")),
    (Fault("status:400", code="context_length_exceeded"), HEALTHY),
)
CALLS = 36
"""In each phase."""

ASKED: tuple[Callable[[], bytes], ...] = (
    lambda: chat(stream=True),
    lambda: chat(stream=False),
    lambda: post(body_of(stream=True), "surefoot-deadline: 250"),
    lambda: post(body_of(stream=False), "surefoot-deadline: 1500"),
    lambda: post(body_of(stream=True), "surefoot-resume: off"),
)


def _prefers_the_backup(house: House) -> bool:
    """Whether a call goes there at once though no rule refuses the primary: traffic has moved for suspicion alone."""
    head = exchange(house.port, chat(stream=True)).head
    call = re.search(rb"surefoot-call: (\S+)", head)
    if call is None or b"surefoot-target: backup" not in head:
        return False
    attempts = house.record(call[1].decode())["attempts"]
    return [(one["target"], one["reason"], one["rules"]) for one in attempts] == [("backup", Reason.FIRST, "")]


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory, started_twins: Pair) -> list[bytes]:
    """The lines that a worker wrote while its twins went through the phases."""
    stem = tmp_path_factory.mktemp("trace") / "trace"
    targets = targets_at(*(twin.port for twin in started_twins))
    targets = tuple(msgspec.structs.replace(target, window=100_000) for target in targets)
    canned = msgspec.structs.replace(targets[0], name="canned", model="none", text="Back in a minute.", window=None)
    settings = settings_of(
        [*targets, canned],
        limits=Limits(idle=0.4, deadline=3.0, wait=0.5),
        options=WARY,
        hedge=1.0,
        trace=str(stem),
        resume=Resume.TEXT,
        exercise=0.1,
    )
    with House(settings) as house:
        for plans in PHASES:
            for twin, plan in zip(started_twins, plans, strict=True):
                twin.set_faults(plan)
            with ThreadPoolExecutor(12) as crowd:
                list(crowd.map(lambda number: exchange(house.port, ASKED[number % len(ASKED)]()), range(CALLS)))
            if plans[0] is SLOW:
                until(lambda: _prefers_the_backup(house))
        house.drain()
    return Path(f"{stem}.0.call-v1.jsonl").read_bytes().splitlines()


@pytest.fixture(scope="module")
def lines(trace: list[bytes]) -> list[list[Any]]:
    return [msgspec.json.decode(line) for line in trace]


def decisions(lines: list[list[Any]]) -> list[list[Any]]:
    """The lines that say what was decided."""
    return [line for line in lines if line[0] in {"begin", "content", "finished", "handle", "wake"}]


def answered(lines: list[list[Any]], what: str, command: str) -> bool:
    """Whether an input of this name was ever answered by a command of that name."""
    return any(line[0] == what and any(said[0] == command for said in line[4]) for line in decisions(lines))


def test_every_decision_is_the_same_on_a_virtual_clock(trace: list[bytes]) -> None:
    replayer = replay(trace)

    assert len(replayer.calls) >= CALLS * len(PHASES)
    assert replayer.told["Finish"] > 100


def test_the_trace_holds_every_reason_to_launch_and_every_grade_that_moves_traffic(trace: list[bytes]) -> None:
    replayer = replay(trace)

    assert {Reason.FIRST, Reason.FALLBACK, Reason.HEDGE, Reason.RESUME, Reason.EXERCISE} <= set(replayer.reasons)
    assert replayer.grades >= {Grade.CALM, Grade.PREFER_OTHERS}


def test_the_trace_holds_watched_answers_that_began_and_broke(lines: list[list[Any]]) -> None:
    spoke = {line[2] for line in lines if line[0] == "handle" and line[3][0] == "Spoke"}
    failed = [line for line in lines if line[0] == "handle" and line[3][0] == "Failed" and line[2] in spoke]

    assert {Kind.CUT, Kind.SERVER_ERROR} <= {line[3][1]["kind"] for line in failed}
    assert any(line[0] == "wake" and line[2] in spoke and line[4] for line in lines), "none has stalled"


def test_the_trace_holds_calls_that_wait_for_a_probe_and_texts_that_are_canned(lines: list[list[Any]]) -> None:
    assert any(line[0] == "begin" and line[4] == [] for line in lines)
    assert answered(lines, "wake", "Launch")
    assert "canned" in {said[1]["target"] for line in decisions(lines) for said in line[4] if said[0] == "Launch"}


def test_the_trace_holds_deadlines_of_clients_that_ran_out(lines: list[list[Any]]) -> None:
    """Nothing was delivered by then: the route's own text is."""
    hurried = {line[2]: line[1] for line in lines if line[0] == "call" and line[3]["deadline"] == 0.25}
    woken = [line for line in decisions(lines) if line[0] == "wake" and line[2] in hurried]
    at_the_end = [line for line in woken if line[1] >= hurried[line[2]] + 0.25]

    assert "canned" in {said[1]["target"] for line in at_the_end for said in line[4] if said[0] == "Launch"}


def test_what_a_driver_counted_of_an_answer_is_part_of_what_it_told(lines: list[list[Any]]) -> None:
    """Rates are learned from it, and suspicion from rates: forgotten, later decisions would differ."""
    counts = {said for line in lines if line[0] == "marked" for _, _, said in line[4]}
    assert max(counts) >= 8


def test_a_grade_that_is_missed_is_noticed(trace: list[bytes]) -> None:
    settings = msgspec.json.decode(trace[0])
    settings[3]["options"]["suspicion"]["threshold"] = 100.0

    with pytest.raises(DisagreementError, match="was answered by"):
        replay([msgspec.json.encode(settings), *trace[1:]])


def test_an_exercise_that_is_missed_is_noticed(trace: list[bytes]) -> None:
    settings = msgspec.json.decode(trace[0])
    settings[3]["routes"][0]["exercise"] = 0.0

    with pytest.raises(DisagreementError, match="was answered by"):
        replay([msgspec.json.encode(settings), *trace[1:]])


def test_a_worker_that_is_left_alone_says_so_in_its_trace(tmp_path: Path, twins: Pair) -> None:
    """Of two workers, one may not probe without leave; without a supervisor it gives leave to itself."""
    stem = tmp_path / "trace"
    settings = settings_of(targets_at(twins[0].port), options=WARY, hedge=0.0, limits=Limits(wait=0.0), trace=str(stem))
    twins[0].set_faults(Fault("status:429", retry_after=0.2))
    with House(msgspec.structs.replace(settings, workers=2)) as house:
        assert exchange(house.port, chat(stream=True)).status == 429
        twins[0].set_faults(HEALTHY)
        house.leave_alone()
        until(lambda: exchange(house.port, chat(stream=True)).status == 200)
        path = Path(f"{stem}.0.call-v1.jsonl")
        until(lambda: b'["finished"' in path.read_bytes())
        told = path.read_bytes()
    lines = told[: told.rindex(b"\n")].splitlines()

    assert any(line.startswith(b'["alone"') for line in lines)
    assert replay(lines).told["Finish"] >= 1
