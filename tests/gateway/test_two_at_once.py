"""Hedges, and clients that leave: who answers first wins, and whoever is not needed hears of it at once."""

import time

import pytest
from tests.gateway.asking import ask, sdk
from tests.gateway.conftest import Pair
from tests.gateway.house import STEADY, House, settings_of, targets_at, until
from tests.gateway.raw import chat, connect

from surefoot.domain.commands import Reason
from surefoot.policy.first_token import FirstTokenOptions
from surefoot.policy.options import PolicyOptions
from surefoot.twin import AttemptRecord, Fault, TwinProcess

EARLY = PolicyOptions(FirstTokenOptions(hedge=0.1, limit=5.0, plain_hedge=0.1, plain_limit=5.0), STEADY)
EITHER = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


def under_way(twin: TwinProcess) -> AttemptRecord:
    return until(lambda: next((record for record in twin.log() if record.end is None), None))


def left(twin: TwinProcess) -> float:
    """When the twin saw its caller go."""
    return until(lambda: next((record.gone_at for record in twin.log() if record.gone_at is not None), None))


@EITHER
def test_past_the_hedge_delay_the_next_target_answers_and_the_slow_one_is_cancelled(
    twins: Pair, *, stream: bool
) -> None:
    twins[0].set_faults("slow_first_token" if stream else "silence")
    with House(settings_of(targets_at(*(twin.port for twin in twins)), options=EARLY)) as house, sdk(house) as client:
        heard = ask(client, stream=stream)

        assert (heard.target, heard.attempts) == ("backup", 2)
        record = house.record(heard.call)
        assert [attempt["reason"] for attempt in record["attempts"]] == [Reason.FIRST, Reason.HEDGE]
        assert 0.1 <= record["attempts"][1]["started"] < 0.3
        assert left(twins[0]) > 0


@EITHER
@pytest.mark.parametrize("when", ["before content", "after content"])
def test_a_client_that_leaves_is_seen_by_the_provider_within_100_ms(
    house: House, twins: Pair, when: str, *, stream: bool
) -> None:
    late = when == "after content" and stream
    twins[0].set_faults(Fault("slow_drip", seconds=0.2) if late else Fault("silence"))

    with connect(house.port) as sock:
        sock.sendall(chat(stream=stream))
        if late:
            assert b"content" in sock.recv(65536)
        under_way(twins[0])
        gone = time.monotonic()  # the twin keeps time on the same clock
    seen = left(twins[0])

    assert seen - gone < 0.1
    assert not twins[1].log()
