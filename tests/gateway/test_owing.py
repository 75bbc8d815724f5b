"""Calls that owe their receipts: room is taken when they begin, and where there is none they are refused at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace
from tests.gateway.conftest import Pair
from tests.gateway.house import House, settings_of, targets_at, until
from tests.gateway.raw import Answer, chat, exchange
from tests.gateway.test_given_up import FAILS, WORKER_WITH_SUCH_CALLS

from surefoot.domain.receipt import ReceiptOptions
from surefoot.gateway.channel import Configure, Records, Settled, Up
from surefoot.twin import HEALTHY, Fault

CHAIN = "unused-by-a-worker"


class Lender(House):
    """A house that keeps what it was told of calls that owe their receipts."""

    owed: int = 0
    forgotten: int = 0

    def _take(self, frame: Up) -> None:
        if isinstance(frame, Records):
            self.forgotten += frame.forgotten
        if isinstance(frame, Records) and frame.owed:
            self.owed += len(frame.owed)
            frame = Records(frame.owed, 0)
        super()._take(frame)


@contextmanager
def lender(twins: Pair, *, room: int = 3, required: bool = True, window: int | None = None) -> Iterator[Lender]:
    targets = [replace(target, window=window) for target in targets_at(*(twin.port for twin in twins))]
    settings = settings_of(targets)
    with Lender(replace(settings, receipts=ReceiptOptions(CHAIN, required=required, room=room))) as house:
        yield house


def ask(house: House) -> Answer:
    return exchange(house.port, chat(stream=False))


def refused(answer: Answer) -> str:
    """What a refused call was told."""
    assert answer.status == 503
    assert answer.json["error"]["code"] == "receipts_full"
    assert b"retry-after: 1" in answer.head
    return str(answer.json["error"]["message"])


def asked(twins: Pair) -> int:
    return sum(len(twin.log()) for twin in twins)


def test_calls_beyond_the_room_are_refused_and_nobody_is_asked_until_earlier_ones_are_on_the_disk(twins: Pair) -> None:
    with lender(twins, room=3) as house:
        assert [ask(house).status for _ in range(3)] == [200] * 3
        assert "too many wait to be written" in refused(ask(house))
        assert asked(twins) == 3
        until(lambda: house.owed == 3)
        house.tell(Settled(2, writing=True))
        until(lambda: ask(house).status == 200)
        assert ask(house).status == 200
        refused(ask(house))


def test_a_call_under_way_has_its_room_already(twins: Pair) -> None:
    twins[0].set_faults(Fault("slow_first_token", seconds=0.25))
    with lender(twins, room=1) as house:
        answers: list[Answer] = []
        under_way = threading.Thread(target=lambda: answers.append(ask(house)))
        under_way.start()
        until(lambda: asked(twins) == 1)
        twins[0].set_faults(HEALTHY)
        refused(ask(house))
        under_way.join()
        assert answers[0].status == 200
        until(lambda: house.owed == 1)


def test_while_nothing_can_be_written_such_calls_are_refused_at_once(twins: Pair) -> None:
    with lender(twins) as house:
        house.tell(Settled(0, writing=False))
        until(lambda: ask(house).status == 503)
        assert "cannot be written at present" in refused(ask(house))
        house.tell(Settled(0, writing=True))
        until(lambda: ask(house).status == 200)


def test_without_a_supervisor_such_calls_are_refused(twins: Pair) -> None:
    with lender(twins, room=1_000) as house:
        assert ask(house).status == 200
        house.leave_alone()
        until(lambda: ask(house).status == 503)
        assert "is gone" in refused(ask(house))


def test_who_owes_nothing_goes_on(twins: Pair) -> None:
    with lender(twins, room=1, required=False) as house:
        house.tell(Settled(0, writing=False))
        assert [ask(house).status for _ in range(5)] == [200] * 5
        until(lambda: len(house.records) == 5)
        assert house.owed == 0


def test_where_no_receipts_are_kept_none_can_be_owed(twins: Pair) -> None:
    with lender(twins, room=2) as house:
        house.tell(Configure(replace(house.settings, version="v2", receipts=None)))
        until(lambda: ask(house).status == 200)


def test_a_reload_changes_the_room(twins: Pair) -> None:
    with lender(twins, room=1) as house:
        assert ask(house).status == 200
        refused(ask(house))
        wider = ReceiptOptions(CHAIN, required=True, room=2)
        house.tell(Configure(replace(house.settings, version="v2", receipts=wider)))
        until(lambda: ask(house).status == 200)
        refused(ask(house))


def test_what_is_owed_is_never_dropped_while_the_supervisor_reads_nothing(twins: Pair) -> None:
    with lender(twins, room=40) as house:
        statuses = [ask(house).status for _ in range(60)]
        assert statuses == [200] * 40 + [503] * 20
        until(lambda: house.owed == 40)
        report = until(lambda: next((one for one in reversed(house.reports) if one.counters["receipts_refused"]), None))
        assert report.counters["receipts_refused"] == 20
        assert report.dropped == 0
        house.drain()


def test_a_call_that_is_given_up_leaves_no_record_and_that_is_told(twins: Pair) -> None:
    twins[0].set_faults(Fault("silence"))
    house = Lender(
        replace(settings_of(targets_at(twins[0].port)), receipts=ReceiptOptions(CHAIN, required=True, room=1))
    )
    house.program = ("-c", WORKER_WITH_SUCH_CALLS)
    with house:
        assert exchange(house.port, chat(max_tokens=FAILS)).status == 500
        twins[0].set_faults(HEALTHY)
        until(lambda: house.forgotten == 1)
        assert ask(house).status == 200


def test_a_call_for_which_nobody_may_be_asked_leaves_its_record_as_well(twins: Pair) -> None:
    with lender(twins, room=1, window=1) as house:
        assert ask(house).code == "too_long"
        until(lambda: house.owed == 1)
