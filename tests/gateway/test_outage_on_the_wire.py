"""A total outage over real sockets: the crowd is told, attempts are bounded, and nothing is left under way."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.gateway.conftest import Pair
from tests.gateway.house import House, settings_of, targets_at, until
from tests.gateway.raw import chat, exchange

from surefoot.domain.route import Limits, Resume
from surefoot.policy.breaker import BreakerOptions
from surefoot.policy.first_token import FirstTokenOptions
from surefoot.policy.options import PolicyOptions

CALLS = 90
BRIEF = PolicyOptions(
    FirstTokenOptions(hedge=0.1, limit=0.3, plain_hedge=0.1, plain_limit=0.3, hedge_floor=0.05, limit_floor=0.2),
    BreakerOptions(open_for=0.2),
)


@pytest.mark.parametrize("fault", ["status:500", "silence", "refuse", "stall", "slow_first_token"])
def test_in_a_total_outage_everyone_is_told_and_nothing_is_left_under_way(twins: Pair, fault: str) -> None:
    for twin in twins:
        twin.set_faults(fault)
    limits = Limits(deadline=1.0, idle=0.3, wait=0.5)
    settings = settings_of(targets_at(*(t.port for t in twins)), limits=limits, options=BRIEF, resume=Resume.TEXT)
    with House(settings) as house:
        with ThreadPoolExecutor(30) as crowd:
            answers = list(crowd.map(lambda n: exchange(house.port, chat(stream=n % 3 != 0)), range(CALLS)))
        until(lambda: len(house.records) == CALLS)
        seen = len(house.reports)
        until(lambda: len(house.reports) > seen and house.reports[-1].in_flight == 0)
        (report,) = house.reports[-1:]
        attempts = sum(len(record["attempts"]) for record in house.records.values())

    assert all(b'"error":' in answer.raw for answer in answers)
    assert not any(b"[DONE]" in answer.raw for answer in answers)
    assert {target.in_flight for target in report.targets} == {0}
    assert attempts <= 2 * CALLS * 1.1 + BRIEF.budget.burst
    assert all(until(lambda one=one: one.end or one.gone_at) for twin in twins for one in twin.log())  # type: ignore[misc]
