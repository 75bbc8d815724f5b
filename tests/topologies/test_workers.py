"""Two workers as one gateway: one dies, the file changes, the end comes, and limits are of the whole."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from openai import APIError, AsyncOpenAI, DefaultAsyncHttpxClient
from tests.topologies.house import KEY, OPEN_FOR, PATIENCE, QUIET, Client, Gateway, eventually

from surefoot.twin import HEALTHY, AttemptRecord, Behaviour, Fixed, TwinOptions, TwinProcess

TOKENS = 30
STREAMS = 20


@pytest.fixture(scope="module")
def slow_twin() -> Iterator[TwinProcess]:
    """Streams for a second and a half: time enough for something to happen meanwhile."""
    with TwinProcess(TwinOptions(behaviour=Behaviour(rate=Fixed(20.0), tokens=Fixed(TOKENS)))) as twin:
        yield twin


@pytest.fixture
def slow(slow_twin: TwinProcess) -> TwinProcess:
    slow_twin.set_faults(HEALTHY)
    slow_twin.clear_log()
    return slow_twin


def file_of(first: TwinProcess, second: TwinProcess, *, route: str = '"first", "second"', slots: int = 0) -> str:
    """Two targets and one route, with a key."""
    limit = f"max_in_flight = {slots}\n" if slots else ""
    return f"""
[[listeners]]
address = "127.0.0.1:0"
[[keys]]
name = "app"
env = "SUREFOOT_KEY"
[targets.first]
provider = "openai-compatible"
model = "one"
base_url = "{first.url}/v1"
{limit}
[targets.second]
provider = "openai-compatible"
model = "two"
base_url = "{second.url}/v1"
[routes.chat]
targets = [{route}]
hedge = "0%"
[routes.both]
targets = ["first", "second"]
[policy.breaker]
open_for = "{OPEN_FOR}s"
{QUIET}"""


class Stream(NamedTuple):
    """How one stream went. `worker` begins the identity of every call of one worker's process."""

    worker: str
    target: str
    tokens: int
    finish: str | None
    broken: bool

    @property
    def whole(self) -> bool:
        return not self.broken and self.finish == "stop" and self.tokens == TOKENS


async def streamed(sdk: AsyncOpenAI, started: Callable[[], None]) -> Stream:
    """One stream to its end, whatever that is; `started` is called at its first content."""
    raw = await sdk.chat.completions.with_raw_response.create(
        model="chat", messages=[{"role": "user", "content": "Walk on."}], stream=True
    )
    tokens, finish, broken = 0, None, False
    try:
        async with raw.parse() as stream:
            async for chunk in stream:
                for choice in chunk.choices:
                    if choice.delta.content:
                        tokens += 1
                        if tokens == 1:
                            started()
                    finish = choice.finish_reason or finish
    except (APIError, OSError):
        broken = True
    except Exception as error:  # the SDK lets its transport's own errors through in mid-stream
        if "httpx" not in type(error).__module__:
            raise
        broken = True
    return Stream(raw.headers["surefoot-call"][:8], raw.headers["surefoot-target"], tokens, finish, broken)


def streams_while(gateway: Gateway, number: int, meanwhile: Callable[[], Awaitable[None]]) -> list[Stream]:
    """So many streams at once, each on a connection of its own; `meanwhile` runs when all of them speak."""

    async def run() -> list[Stream]:
        speaking, count = asyncio.Event(), 0

        def started() -> None:
            nonlocal count
            count += 1
            if count == number:
                speaking.set()

        client = DefaultAsyncHttpxClient()
        async with AsyncOpenAI(base_url=gateway.url + "/v1", api_key=KEY, max_retries=0, http_client=client) as sdk:
            tasks = [asyncio.create_task(streamed(sdk, started)) for _ in range(number)]
            await asyncio.wait_for(speaking.wait(), PATIENCE)
            await meanwhile()
            return await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE)

    return asyncio.run(run())


def many(gateway: Gateway, number: int) -> list[str]:
    """So many plain calls at once, each on a connection of its own; who answered them."""

    def one(_: int) -> str:
        with Client(gateway) as client:
            return client.ask().target

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def test_a_killed_worker_breaks_only_its_own_streams_and_is_replaced(
    tmp_path: Path, twins: list[TwinProcess], slow: TwinProcess
) -> None:
    file = file_of(slow, twins[0])
    with Gateway(tmp_path / "surefoot.toml", file, workers=2) as gateway:
        before = gateway.worker_pids()
        assert len(before) == 2

        async def kill() -> None:
            os.kill(before[0], signal.SIGKILL)

        streams = streams_while(gateway, STREAMS, kill)
        whole = {stream.worker for stream in streams if stream.whole}
        broken = {stream.worker for stream in streams if not stream.whole}
        assert len(whole) == 1
        assert len(broken) == 1
        assert whole != broken
        assert not any(stream.finish for stream in streams if not stream.whole)

        eventually(lambda: gateway.page("/readyz") == "ready\n")
        assert sorted(worker["deaths"] for worker in gateway.status()["workers"]) == [0, 1]
        after = gateway.worker_pids()
        assert before[1] in after
        assert before[0] not in after
        assert len(after) == 2
        slow.set_faults("status:503")
        assert many(gateway, 10) == ["second"] * 10


def test_new_calls_are_all_served_while_a_killed_worker_is_being_replaced(
    tmp_path: Path, twins: list[TwinProcess]
) -> None:
    with Gateway(tmp_path / "surefoot.toml", file_of(twins[0], twins[1]), workers=2) as gateway:
        victim = gateway.worker_pids()[1]
        os.kill(victim, signal.SIGKILL)
        gateway.heard("is replaced")
        assert many(gateway, STREAMS) == ["first"] * STREAMS


def test_a_reload_changes_the_route_for_new_calls_and_a_running_stream_ends_as_it_began(
    tmp_path: Path, twins: list[TwinProcess], slow: TwinProcess
) -> None:
    with Gateway(tmp_path / "surefoot.toml", file_of(slow, twins[0]), workers=2) as gateway:
        old = gateway.status()["config"]

        async def reload() -> None:
            gateway.file.write_text(file_of(slow, twins[0], route='"second"'), encoding="utf-8")
            gateway.process.send_signal(signal.SIGHUP)
            await asyncio.to_thread(gateway.heard, "reload ok")
            await asyncio.to_thread(eventually, lambda: configurations(gateway).isdisjoint({old}))
            assert await asyncio.to_thread(many, gateway, 6) == ["second"] * 6
            assert all(record.end is None for record in slow.log()), "the stream was to be still running"

        streams = streams_while(gateway, 2, reload)
        assert all(stream.whole and stream.target == "first" for stream in streams), streams


def configurations(gateway: Gateway) -> set[str]:
    """The versions that the workers serve under."""
    return {worker["config"] for worker in gateway.status()["workers"]}


def test_a_broken_file_is_refused_and_the_old_one_goes_on(tmp_path: Path, twins: list[TwinProcess]) -> None:
    with Gateway(tmp_path / "surefoot.toml", file_of(twins[0], twins[1]), workers=2) as gateway:
        old = gateway.status()["config"]
        gateway.file.write_text(file_of(twins[0], twins[1], route='"nobody"'), encoding="utf-8")
        gateway.process.send_signal(signal.SIGHUP)
        assert "nobody" in gateway.heard("reload refused")
        assert gateway.page("/readyz") == "ready\n"
        assert configurations(gateway) == {old}
        assert gateway.status()["reloads"] == {"refused": 1}
        assert many(gateway, 6) == ["first"] * 6


def test_sigterm_lets_running_streams_end_whole_and_then_exits_with_zero(
    tmp_path: Path, twins: list[TwinProcess], slow: TwinProcess
) -> None:
    with Gateway(tmp_path / "surefoot.toml", file_of(slow, twins[0]), workers=2) as gateway:

        async def end() -> None:
            gateway.process.terminate()
            await asyncio.to_thread(gateway.heard, "drain: ")

        streams = streams_while(gateway, 6, end)
        assert all(stream.whole for stream in streams), streams
        assert gateway.process.wait(PATIENCE) == 0


def test_slots_are_of_the_whole_gateway(tmp_path: Path, twins: list[TwinProcess]) -> None:
    behaviour = Behaviour(ttft=Fixed(0.1), tokens=Fixed(2))
    with TwinProcess(TwinOptions(behaviour=behaviour)) as narrow:
        with Gateway(tmp_path / "surefoot.toml", file_of(narrow, twins[0], slots=2), workers=2) as gateway:
            answered: list[str] = []
            limit = time.monotonic() + 2.5  # the shares are dealt anew with each second's reports
            while time.monotonic() < limit:
                answered += many(gateway, STREAMS)
        assert set(answered) == {"first", "second"}
        assert answered.count("first") == len(narrow.log())
        assert most_at_once(narrow.log()) == 2


def most_at_once(log: list[AttemptRecord]) -> int:
    """The most attempts that were under way at one moment."""
    edges = sorted([(record.arrival, 1) for record in log] + [(record.end or float("inf"), -1) for record in log])
    level = most = 0
    for _, step in edges:
        level += step
        most = max(most, level)
    return most


def test_an_open_breaker_is_probed_once_for_the_whole_gateway(tmp_path: Path, twins: list[TwinProcess]) -> None:
    first = twins[0]
    with Gateway(tmp_path / "surefoot.toml", file_of(first, twins[1]), workers=2) as gateway:
        first.set_faults("status:503")
        while not any("breaker opened: first" in line for line in gateway.lines):
            many(gateway, 4)
        many(gateway, 4)  # by now both workers have heard of it
        first.clear_log()

        def probed() -> bool:
            assert many(gateway, 6) == ["second"] * 6
            return len(first.log()) >= 4

        eventually(probed)
        arrivals = [record.arrival for record in first.log()]
        apart = [later - earlier for earlier, later in pairwise(arrivals)]
        assert min(apart) >= OPEN_FOR * 0.95, apart
        first.set_faults(HEALTHY)
        eventually(lambda: many(gateway, 6) == ["first"] * 6)
