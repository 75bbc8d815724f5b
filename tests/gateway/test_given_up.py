"""A call that cannot even be stopped is given up: its client is told, nothing runs on, and nobody else notices."""

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from tests.gateway.conftest import Pair
from tests.gateway.house import CALM, House, settings_of, targets_at, until
from tests.gateway.raw import chat, connect, exchange, read, read_to_end

from surefoot.domain.front import Door
from surefoot.twin import HEALTHY, Fault, TwinProcess

WORKER_WITH_SUCH_CALLS = """
import asyncio, logging, socket, sys
from surefoot.domain.events import Stopping
from surefoot.gateway.worker import Worker
from surefoot.gateway.world import World
from surefoot.policy.call import Call

class Unstoppable(Call):
    __slots__ = ()
    def wake(self, now):
        if self.request.max_tokens == 13:
            raise RuntimeError("a secret prompt")
        return super().wake(now)
    def handle(self, event, now):
        if isinstance(event, Stopping) and self.request.max_tokens in (13, 14):
            raise RuntimeError("a secret prompt")
        return super().handle(event, now)

class Bad(World):
    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.make_call = Unstoppable

class Serving(Worker):
    make_world = Bad

async def serve(channel, listeners):
    await Serving(listeners).run(channel)

logging.basicConfig()
channel, *listeners = (socket.socket(fileno=int(fd)) for fd in sys.argv[1:])
asyncio.run(serve(channel, listeners))
"""
FAILS, CANNOT_BE_STOPPED = 13, 14


@contextmanager
def house_of(twin: TwinProcess, errors: int | None = None) -> Iterator[House]:
    (target,) = targets_at(twin.port)
    one_at_a_time = msgspec.structs.replace(target, max_in_flight=1)
    options = msgspec.structs.replace(CALM, first_token=msgspec.structs.replace(CALM.first_token, hedge=0.05))
    house = House(settings_of([one_at_a_time], options=options, door=Door((), drain=0.3)))
    house.program = ("-c", WORKER_WITH_SUCH_CALLS)
    house.errors = errors
    with house:
        yield house


def test_its_client_is_told_its_leg_is_cancelled_and_its_slot_is_free_again(twins: Pair) -> None:
    twin = twins[0]
    twin.set_faults(Fault("silence"))
    with tempfile.TemporaryFile() as log:
        with house_of(twin, log.fileno()) as house, connect(house.port) as sock:
            sock.sendall(chat(max_tokens=FAILS))
            told = read(sock)
            assert (told.status, told.code) == (500, "internal_error")
            assert until(lambda: [one.gone_at for one in twin.log() if one.gone_at])
            twin.set_faults(HEALTHY)
            sock.sendall(chat())
            assert read(sock).status == 200
        log.seek(0)
        said = log.read()
    assert b"cannot be ended in order, and leaves no record: RuntimeError at " in said
    assert b"a secret prompt" not in said


def test_a_stream_of_it_breaks_off_with_an_error_event(twins: Pair) -> None:
    twins[0].set_faults(Fault("stall"))
    with house_of(twins[0]) as house, connect(house.port) as sock:
        sock.sendall(chat(stream=True, max_tokens=CANNOT_BE_STOPPED))
        begun = sock.recv(65536)
        house.drain()
        whole = begun + read_to_end(sock).raw
    assert b"200 OK" in begun
    error = json.loads(re.findall(rb"data: (\{\"error\".*\})\n\n", whole)[0])
    assert error["error"]["code"] == "internal_error"
    assert b"[DONE]" not in whole
    assert not whole.endswith(b"0\r\n\r\n")


def test_the_others_are_ended_in_order_when_the_time_to_drain_is_over(twins: Pair) -> None:
    twins[0].set_faults(Fault("silence"))
    (target,) = targets_at(twins[0].port)
    house = House(settings_of([target], options=CALM, door=Door((), drain=0.3)))
    house.program = ("-c", WORKER_WITH_SUCH_CALLS)
    with house:
        socks = [connect(house.port) for _ in range(5)]
        for number, sock in enumerate(socks):
            sock.sendall(chat(max_tokens=CANNOT_BE_STOPPED if number in {1, 3} else 5))
        assert until(lambda: len(twins[0].log()) == len(socks))
        house.drain()
        codes = [read(sock).code for sock in socks]
        for sock in socks:
            sock.close()
    assert codes == ["shutdown", "internal_error", "shutdown", "internal_error", "shutdown"]
    assert len(house.records) == 3


def test_the_client_of_one_that_others_may_join_is_told_too(twins: Pair) -> None:
    twins[0].set_faults(Fault("silence"))
    with house_of(twins[0]) as house:
        keyed = chat(max_tokens=FAILS).replace(b"\r\n\r\n", b"\r\nidempotency-key: one\r\n\r\n", 1)
        assert exchange(house.port, keyed).code == "internal_error"
        assert exchange(house.port, keyed).code == "internal_error"
    assert len(twins[0].log()) == 2
