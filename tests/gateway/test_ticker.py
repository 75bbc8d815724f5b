"""A fault of ours in one call, or in the ticker itself, stops nothing else. The fault is planted in a real worker."""

import tempfile

from tests.gateway.conftest import Pair
from tests.gateway.house import BRISK, House, settings_of, targets_at, until
from tests.gateway.raw import chat, connect, exchange, read

from surefoot.domain.route import Limits
from surefoot.twin import Fault

PLANTED = """
import sys
from surefoot.gateway import worker
from surefoot.gateway.exchange import Exchange
from surefoot.gateway.world import World

def plant(of, name):
    sound, strikes = getattr(of, name), [1]
    def struck(self, at):
        if strikes:
            strikes.pop()
            raise RuntimeError("a secret prompt")
        return sound(self, at)
    setattr(of, name, struck)

plant(*{"call": (Exchange, "wake"), "ticker": (World, "warm")}[sys.argv.pop(1)])
worker.main(sys.argv[1:])
"""


def house_with(fault: str, twins: Pair, errors: int) -> House:
    limits = Limits(idle=0.3, deadline=1.0)
    house = House(settings_of(targets_at(twins[0].port), limits=limits, options=BRISK))
    house.program = ("-c", PLANTED, fault)
    house.errors = errors
    return house


def test_a_call_that_fails_inside_is_ended_alone_and_the_log_has_no_prompt(twins: Pair) -> None:
    twins[0].set_faults(Fault("slow_first_token"))
    with tempfile.TemporaryFile() as log:
        with house_with("call", twins, log.fileno()) as house, connect(house.port) as struck:
            struck.sendall(chat())
            ended = read(struck)
            reported = len(house.reports)
            late = exchange(house.port, chat())

            assert (ended.status, ended.code) == (503, "shutdown")
            assert (late.status, late.code) == (504, "deadline")
            assert until(lambda: len(house.reports) > reported)
            assert until(lambda: len(house.records) == 2)
        log.seek(0)
        said = log.read()
    assert b"RuntimeError at " in said
    assert b"a secret prompt" not in said


def test_an_error_of_the_ticker_does_not_stop_it(twins: Pair) -> None:
    with tempfile.TemporaryFile() as log:
        with house_with("ticker", twins, log.fileno()) as house:
            assert until(lambda: house.reports)
            assert exchange(house.port, chat()).status == 200
        log.seek(0)
        assert b"RuntimeError" in log.read()
