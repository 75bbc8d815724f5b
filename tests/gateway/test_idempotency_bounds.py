"""Several clients of one answer: who leaves, who is slow, and how much is kept for those that come later."""

from tests.gateway.house import House, until
from tests.gateway.raw import exchange, read, read_to_end
from tests.gateway.resending import (
    FORMS,
    call_of,
    counted,
    keyed,
    mark,
    read_quickly,
    sent,
    two_clients,
    unmarked,
)

from surefoot.domain.front import Idempotency
from surefoot.twin import Behaviour, Fixed, TwinOptions, TwinProcess

# ── who leaves ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_when_the_first_leaves_the_call_goes_on_for_those_that_joined(patient: House, unhurried: TwinProcess) -> None:
    with sent(patient, keyed("leaves", stream=True)) as first:
        until(unhurried.log)
        with sent(patient, keyed("leaves", stream=True)) as second:
            early = second.recv(65536)
            first.close()
            answer = read(second, early)

    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert patient.record(call_of(answer))["kind"] == "ok"
    assert [record.gone_at for record in unhurried.log()] == [None]
    assert mark(exchange(patient.port, keyed("leaves", stream=True))) == "replayed"


def test_a_follower_that_leaves_harms_nobody(patient: House, unhurried: TwinProcess) -> None:
    with sent(patient, keyed("harmless", stream=True)) as first:
        until(unhurried.log)
        with sent(patient, keyed("harmless", stream=True)) as second:
            assert second.recv(65536)
        answer = read(first)
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert len(unhurried.log()) == 1


@FORMS
def test_when_all_have_gone_the_call_is_cancelled_and_a_retry_starts_anew(
    patient: House,
    unhurried: TwinProcess,
    stream: bool,  # noqa: FBT001
) -> None:
    key = f"all-gone-{stream}"
    with sent(patient, keyed(key, stream=stream)):
        until(unhurried.log)
        joined = counted(patient, "joined")
        with sent(patient, keyed(key, stream=stream)):
            until(lambda: counted(patient, "joined") > joined or unhurried.log()[0].end)
    until(lambda: unhurried.log()[0].gone_at)
    answer = exchange(patient.port, keyed(key, stream=stream))
    assert (answer.status, mark(answer)) == (200, None)
    assert len(unhurried.log()) == 2


# ── bounds ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_when_as_many_as_may_be_are_under_way_another_key_is_served_without(unhurried: TwinProcess) -> None:
    with House(two_clients(unhurried.port, Idempotency(keys=1))) as house, sent(house, keyed("one")) as first:
        until(unhurried.log)
        with sent(house, keyed("two")) as second, sent(house, keyed("two")) as third:
            answers = [read(first), read(second), read(third)]
        until(lambda: counted(house, "not_kept_full") == 2)
    assert [(answer.status, mark(answer)) for answer in answers] == [(200, None)] * 3
    assert len(unhurried.log()) == 3


@FORMS
def test_an_answer_that_is_too_long_is_given_whole_and_not_kept(stream: bool) -> None:  # noqa: FBT001
    with TwinProcess(TwinOptions(behaviour=Behaviour(tokens=Fixed(2000)))) as wordy:
        with House(two_clients(wordy.port, Idempotency(answer=1024))) as house:
            answers = [exchange(house.port, keyed("long", stream=stream)) for _ in range(2)]
            until(lambda: counted(house, "not_kept_long") == 2)
            until(lambda: house.reports[-1].kept_memory == 0)
        assert [mark(answer) for answer in answers] == [None, None]
        assert all(answer.end == "whole" and len(answer.body) > 4096 for answer in answers)
        assert len(wordy.log()) == 2


def test_a_slow_client_of_a_kept_answer_holds_nobody_up_and_gets_all_of_it() -> None:
    behaviour = Behaviour(ttft=Fixed(0.5), tokens=Fixed(20_000), events_per_segment=100)
    options = Idempotency(answer=32 * 1024 * 1024)
    with (
        TwinProcess(TwinOptions(behaviour=behaviour)) as wordy,
        House(two_clients(wordy.port, options)) as house,
        sent(house, keyed("big", stream=True)) as slow,
    ):
        until(wordy.log)
        with sent(house, keyed("big", stream=True)) as fast:
            first = read_quickly(fast)
        assert house.record(call_of(first))["kind"] == "ok"
        second = read_quickly(slow)
        third = exchange(house.port, keyed("big", stream=True))

    assert len(first.body) > 2_000_000
    assert unmarked(first) == unmarked(second) == unmarked(third)
    assert [mark(one) for one in (first, second, third)] == ["joined", None, "replayed"]


def test_a_client_that_falls_far_behind_in_an_answer_that_is_not_kept_is_let_go_and_the_others_go_on() -> None:
    behaviour = Behaviour(ttft=Fixed(0.5), tokens=Fixed(100_000), events_per_segment=100)
    with (
        TwinProcess(TwinOptions(behaviour=behaviour)) as wordy,
        House(two_clients(wordy.port, Idempotency(answer=64 * 1024))) as house,
        sent(house, keyed("vast", stream=True)) as slow,
    ):
        until(wordy.log)
        with sent(house, keyed("vast", stream=True)) as fast:
            answer = read_quickly(fast)
        cut = read_to_end(slow)
        until(lambda: counted(house, "cut_off") == 1)

    assert answer.raw.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert not cut.raw.endswith(b"0\r\n\r\n")
    assert len(cut.raw) < len(answer.raw)


def test_alone_a_slow_client_of_an_answer_that_is_not_kept_slows_the_provider_and_gets_all_of_it() -> None:
    behaviour = Behaviour(tokens=Fixed(100_000), events_per_segment=100)
    with (
        TwinProcess(TwinOptions(behaviour=behaviour)) as wordy,
        House(two_clients(wordy.port, Idempotency(answer=64 * 1024))) as house,
    ):
        until(lambda: len(house.reports) >= 1)
        before = house.memory()
        with sent(house, keyed("alone", stream=True)) as slow:
            reports = len(house.reports)
            until(lambda: len(house.reports) >= reports + 3)
            grown = house.memory() - before
            answer = read_quickly(slow)

    assert len(answer.raw) > 10_000_000
    assert answer.raw.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert grown < 4_000_000
