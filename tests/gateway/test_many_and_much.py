"""Many streams at once, and a stream that nobody reads: all are whole, and memory stays bounded."""

import asyncio
import resource
from collections.abc import Iterator

import pytest
from tests.gateway.house import CALM, House, settings_of, targets_at, until
from tests.gateway.raw import body_of, chat, connect, post, read

from surefoot.domain.route import Limits
from surefoot.twin import Behaviour, Fixed, TwinOptions, TwinProcess

STREAMS = 2_000
TOKENS = 10
EVENTS = TOKENS + 3
"""A role, the tokens, the finish reason and `[DONE]`; the usage was not asked for."""
HUGE_TOKENS = 100_000


@pytest.fixture(scope="module", autouse=True)
def _room_for_files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 3 * STREAMS
    if before[1] != resource.RLIM_INFINITY and before[1] < wanted:
        pytest.fail(f"this machine allows {before[1]} files; {wanted} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, before[0]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def _one(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


async def _crowd(port: int) -> list[bytes]:
    request = post(body_of(stream=True), "connection: close")
    async with asyncio.timeout(40):
        return await asyncio.gather(*(_one(port, request) for _ in range(STREAMS)))


@pytest.mark.timeout(60)
def test_two_thousand_streams_at_once_are_all_whole() -> None:
    behaviour = Behaviour(ttft=Fixed(3.0), gap=Fixed(0.1), tokens=Fixed(TOKENS))
    with (
        TwinProcess(TwinOptions(behaviour=behaviour)) as twin,
        House(settings_of(targets_at(twin.port), limits=Limits(connect=10.0), options=CALM)) as house,
    ):
        answers = asyncio.run(_crowd(house.port))
        most = max(report.in_flight for report in house.reports)

    assert {answer[9:12] for answer in answers} == {b"200"}
    assert all(answer.endswith(b"0\r\n\r\n") for answer in answers)
    assert {answer.count(b"data: ") for answer in answers} == {EVENTS}
    assert most > STREAMS // 2


def test_answers_that_are_not_read_do_not_fill_the_memory_however_many_were_asked_for_ahead() -> None:
    with (
        TwinProcess(TwinOptions(behaviour=Behaviour(tokens=Fixed(20_000)))) as twin,
        House(settings_of(targets_at(twin.port), options=CALM)) as house,
        connect(house.port) as sock,
    ):
        until(lambda: len(house.reports) >= 1)
        before = house.memory()
        sock.sendall(chat() * 400)
        reports = len(house.reports)
        until(lambda: len(house.reports) >= reports + 2)
        grown = house.memory() - before
        asked = len(twin.log())

    assert asked < 200
    assert grown < 8_000_000


@pytest.mark.timeout(60)
def test_a_stream_that_is_not_read_does_not_fill_the_memory_and_is_whole_in_the_end() -> None:
    behaviour = Behaviour(tokens=Fixed(HUGE_TOKENS), events_per_segment=100)
    limits = Limits(idle=0.5)
    with (
        TwinProcess(TwinOptions(behaviour=behaviour)) as twin,
        House(settings_of(targets_at(twin.port), limits=limits, options=CALM)) as house,
    ):
        with connect(house.port) as warm:
            warm.sendall(chat(model="other"))
            read(warm)
        until(lambda: len(house.reports) >= 1)
        before = house.memory()
        with connect(house.port) as sock:
            sock.sendall(post(body_of(stream=True), "connection: close"))
            reports = len(house.reports)
            until(lambda: len(house.reports) >= reports + 3)
            grown = house.memory() - before
            size, tail = 0, b""
            while data := sock.recv(1 << 20):
                size += len(data)
                tail = (tail + data)[-100:]

    assert size > 10_000_000
    assert tail.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert grown < 4_000_000
