"""The policy decides by what it is told alone: a trace of the real gateway, told again on a virtual clock, agrees."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from tests.agreement.replayer import DisagreementError, replay
from tests.gateway.conftest import Pair
from tests.gateway.house import House, settings_of, targets_at, until
from tests.gateway.raw import chat, connect, exchange

from surefoot.domain.route import Limits
from surefoot.policy.breaker import BreakerOptions, State
from surefoot.policy.budget import BudgetOptions
from surefoot.policy.first_token import FirstTokenOptions
from surefoot.policy.options import PolicyOptions
from surefoot.twin import HEALTHY, Fault, FaultPlan, Rule

EAGER = PolicyOptions(
    FirstTokenOptions(hedge=0.05, limit=0.15, plain_hedge=0.05, plain_limit=0.15, hedge_floor=0.05, limit_floor=0.1),
    BreakerOptions(streak=3, open_for=0.2),
    BudgetOptions(share=1.0, burst=50),
)
KINDS = ("status:500", "reset", "status:529", "error_first", "empty", "silence", "slow_first_token", "stall", "cut")
MIXED = FaultPlan(tuple(Rule(Fault(kind), probability=0.12) for kind in KINDS))
PLANS = (
    (HEALTHY, HEALTHY),
    (MIXED, HEALTHY),
    (FaultPlan((Rule(Fault("refuse")),)), MIXED),
    (FaultPlan((Rule(Fault("status:429", retry_after=0.3)),)), HEALTHY),
    (MIXED, MIXED),
    (HEALTHY, HEALTHY),
)


def _leaves_a_stream(house: House) -> bool:
    """A client that goes away once it has content; False if it is refused, because no breaker admits it yet."""
    with connect(house.port) as sock:
        sock.sendall(chat(stream=True))
        return b"surefoot-target" in sock.recv(65536)


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory, started_twins: Pair) -> list[bytes]:
    """The lines that a worker wrote under all kinds of faults."""
    stem = tmp_path_factory.mktemp("trace") / "trace"
    settings = settings_of(
        targets_at(*(twin.port for twin in started_twins)),
        limits=Limits(idle=0.2, deadline=3.0),
        options=EAGER,
        hedge=1.0,
        trace=str(stem),
    )
    with House(settings) as house:
        for plans in PLANS:
            for twin, plan in zip(started_twins, plans, strict=True):
                twin.set_faults(plan)
            with ThreadPoolExecutor(24) as crowd:
                list(crowd.map(lambda number: exchange(house.port, chat(stream=number % 3 != 0)), range(36)))
        for twin in started_twins:
            twin.set_faults(Fault("slow_drip", seconds=0.1))
        until(lambda: _leaves_a_stream(house))
        house.drain()
    return Path(f"{stem}.0.call-v1.jsonl").read_bytes().splitlines()


def test_every_decision_is_the_same_on_a_virtual_clock(trace: list[bytes]) -> None:
    replayer = replay(trace)

    assert len(replayer.calls) >= 6 * 36 + 1
    assert replayer.told["Finish"] > 60


def test_the_trace_holds_all_that_is_worth_agreeing_on(trace: list[bytes]) -> None:
    replayer = replay(trace)
    text = b"\n".join(trace)

    assert replayer.states == {State.CLOSED, State.OPEN, State.HALF_OPEN}
    assert set(replayer.told) == {"Launch", "Deliver", "Cancel", "Finish", "Fail", "Drop"}
    assert all(b'"reason":"%b"' % reason in text for reason in (b"first", b"fallback", b"hedge"))
    assert b'"retry_after":0.3' in text or b'"retry_after":1.0' in text
    assert b'["tick"' in text


def test_the_trace_holds_no_secret_and_no_text(trace: list[bytes]) -> None:
    text = b"\n".join(trace)

    assert b"secret-of" not in text
    assert b"hello" not in text
    assert b"digest" not in text


def test_another_decision_is_noticed(trace: list[bytes]) -> None:
    settings = msgspec.json.decode(trace[0])
    settings[3]["options"]["first_token"]["hedge"] = 100.0
    settings[3]["options"]["first_token"]["limit"] = 100.0

    with pytest.raises(DisagreementError, match="was answered by"):
        replay([msgspec.json.encode(settings), *trace[1:]])


def test_another_order_is_noticed(trace: list[bytes]) -> None:
    settings = msgspec.json.decode(trace[0])
    settings[3]["routes"][0]["rungs"].reverse()

    with pytest.raises(DisagreementError, match="was answered by"):
        replay([msgspec.json.encode(settings), *trace[1:]])
