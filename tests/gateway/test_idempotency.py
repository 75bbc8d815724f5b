"""Retries with one `Idempotency-Key`, over real sockets: joined, replayed, refused, and what is no retry at all."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import openai
import pytest
from tests.gateway.asking import MESSAGES, sdk
from tests.gateway.house import KEY, House, until
from tests.gateway.raw import body_of, connect, exchange, post, read, read_to_end
from tests.gateway.resending import FORMS, OTHER_KEY, call_of, keyed, mark, sent, two_clients, unmarked

from surefoot.domain.front import Idempotency
from surefoot.domain.target import Endpoint, Target
from surefoot.twin import HEALTHY, Fault, TwinProcess, always


@pytest.fixture
def quick(twins: tuple[TwinProcess, TwinProcess]) -> TwinProcess:
    return twins[0]


@pytest.fixture(scope="module")
def _quick_house(started_twins: tuple[TwinProcess, TwinProcess]) -> Iterator[House]:
    with House(two_clients(started_twins[0].port, Idempotency())) as house:
        yield house


@pytest.fixture
def brisk(_quick_house: House, quick: TwinProcess) -> House:
    assert quick
    return _quick_house


# ── joined and replayed ────────────────────────────────────────────────────────────────────────────────────────────


@FORMS
def test_a_retry_of_a_call_under_way_joins_it(patient: House, unhurried: TwinProcess, stream: bool) -> None:  # noqa: FBT001
    key = f"join-{stream}"
    with sent(patient, keyed(key, stream=stream)) as first:
        until(unhurried.log)
        with sent(patient, keyed(key, stream=stream)) as second:
            answers = [read(first), read(second)]

    assert [mark(answer) for answer in answers] == [None, "joined"]
    assert unmarked(answers[0]) == unmarked(answers[1])
    assert answers[0].status == 200
    assert len(unhurried.log()) == 1


def test_who_joins_in_the_midst_of_a_stream_gets_it_from_the_beginning_and_then_live(
    patient: House, unhurried: TwinProcess
) -> None:
    with sent(patient, keyed("midst", stream=True)) as first:
        begun = first.recv(65536)
        while begun.count(b"data: ") < 5:
            begun += first.recv(65536)
        with sent(patient, keyed("midst", stream=True)) as second:
            early = second.recv(65536)
            assert unhurried.log()[0].end is None, "the answer was to be still under way"
            answers = [read(first, begun), read(second, early)]

    assert early.count(b"data: ") >= 1
    assert unmarked(answers[0]) == unmarked(answers[1])
    assert answers[1].body.endswith(b"data: [DONE]\n\n")
    assert mark(answers[1]) == "joined"


@FORMS
def test_a_retry_after_the_end_gets_the_same_answer(brisk: House, quick: TwinProcess, stream: bool) -> None:  # noqa: FBT001
    request = keyed(f"again-{stream}", stream=stream)
    answers = [exchange(brisk.port, request) for _ in range(3)]

    assert [mark(answer) for answer in answers] == [None, "replayed", "replayed"]
    assert unmarked(answers[0]) == unmarked(answers[1]) == unmarked(answers[2])
    assert len(quick.log()) == 1


def test_a_connection_goes_on_after_a_replay(brisk: House) -> None:
    with connect(brisk.port) as sock:
        for request, expected in (
            (keyed("keep", stream=True), None),
            (keyed("keep", stream=True), "replayed"),
            (post(body_of()), None),
            (keyed("keep", stream=True), "replayed"),
        ):
            sock.sendall(request)
            answer = read(sock)
            assert (answer.status, answer.end, mark(answer)) == (200, "whole", expected)


def test_after_the_window_a_retry_is_a_call_of_its_own(quick: TwinProcess) -> None:
    with House(two_clients(quick.port, Idempotency(window=0.2))) as house:
        first = exchange(house.port, keyed("late"))
        until(lambda: mark(exchange(house.port, keyed("late"))) is None)
        assert call_of(exchange(house.port, keyed("late"))) != call_of(first)


def test_a_hundred_retries_at_once_are_one_attempt(patient: House, unhurried: TwinProcess) -> None:
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda _: exchange(patient.port, keyed("hundred")), range(100)))

    assert len({unmarked(answer) for answer in answers}) == 1
    assert [mark(answer) for answer in answers].count(None) == 1
    assert len(unhurried.log()) == 1


def test_the_sdk_gets_the_same_completion_for_the_same_key(brisk: House, quick: TwinProcess) -> None:
    with sdk(brisk) as client:

        def create() -> openai.types.chat.ChatCompletion:
            return client.chat.completions.create(
                model="chat", messages=MESSAGES, extra_headers={"Idempotency-Key": "of-the-sdk"}
            )

        assert create() == create()
        stream = client.chat.completions.create(
            model="chat", messages=MESSAGES, stream=True, extra_headers={"Idempotency-Key": "of-the-sdk-too"}
        )
        again = client.chat.completions.create(
            model="chat", messages=MESSAGES, stream=True, extra_headers={"Idempotency-Key": "of-the-sdk-too"}
        )
        assert list(stream) == list(again)
        with pytest.raises(openai.UnprocessableEntityError) as caught:
            client.chat.completions.create(
                model="chat", messages=MESSAGES, max_tokens=3, extra_headers={"Idempotency-Key": "of-the-sdk"}
            )
    assert caught.value.code == "idempotency_key_reused"
    assert len(quick.log()) == 2


def test_a_client_of_http_1_0_joins_a_stream_in_its_own_framing(patient: House, unhurried: TwinProcess) -> None:
    with sent(patient, keyed("old", stream=True)) as first:
        until(unhurried.log)
        with sent(patient, keyed("old", stream=True).replace(b"HTTP/1.1", b"HTTP/1.0", 1)) as second:
            answers = [read(first), read_to_end(second)]
    assert b"transfer-encoding" not in answers[1].head
    assert answers[1].body == answers[0].body


# ── no retry ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_request_under_the_same_key_is_a_422(brisk: House, quick: TwinProcess) -> None:
    assert exchange(brisk.port, keyed("taken")).status == 200
    for other in (keyed("taken", max_tokens=5), keyed("taken", "surefoot-place: eu")):
        answer = exchange(brisk.port, other)
        assert (answer.status, answer.code) == (422, "idempotency_key_reused")
        assert answer.json["error"]["type"] == "invalid_request_error"
    assert len(quick.log()) == 1
    assert mark(exchange(brisk.port, keyed("taken"))) == "replayed"


def test_clients_with_different_keys_do_not_share(brisk: House, quick: TwinProcess) -> None:
    answers = [exchange(brisk.port, keyed("mine", client=client)) for client in (KEY, OTHER_KEY)]
    assert [mark(answer) for answer in answers] == [None, None]
    assert exchange(brisk.port, keyed("mine", client=OTHER_KEY, max_tokens=9)).status == 422
    assert len(quick.log()) == 2


@pytest.mark.parametrize("key", ["", "two words", "k" * 256, "schlüssel"])
def test_a_key_of_no_good_form_is_a_400(brisk: House, quick: TwinProcess, key: str) -> None:
    answer = exchange(brisk.port, keyed(key))
    assert (answer.status, answer.code) == (400, "invalid_idempotency_key")
    assert not quick.log()


def test_the_longest_key_is_good(brisk: House) -> None:
    assert exchange(brisk.port, keyed("k" * 255)).status == 200


def test_what_never_became_a_call_is_not_kept(brisk: House) -> None:
    assert exchange(brisk.port, keyed("typo", model="chta")).status == 404
    assert exchange(brisk.port, keyed("typo")).status == 200


def test_without_any_keys_to_be_held_the_header_is_ignored(quick: TwinProcess) -> None:
    with House(two_clients(quick.port, Idempotency(keys=0))) as house:
        answers = [exchange(house.port, keyed("two words")) for _ in range(2)]
    assert [(answer.status, mark(answer)) for answer in answers] == [(200, None)] * 2
    assert len(quick.log()) == 2


# ── failures ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_failure_is_not_kept_and_a_retry_tries_again(brisk: House, quick: TwinProcess) -> None:
    quick.set_faults("status:503")
    assert exchange(brisk.port, keyed("failed")).status == 503
    quick.set_faults(HEALTHY)
    answer = exchange(brisk.port, keyed("failed"))
    assert (answer.status, mark(answer)) == (200, None)


@FORMS
def test_a_static_answer_stands_for_a_failure_and_is_not_kept(quick: TwinProcess, stream: bool) -> None:  # noqa: FBT001
    settings = two_clients(quick.port, Idempotency())
    nowhere = Endpoint("", 0, tls=False, path="")
    static = Target("static", "static", "static", "", nowhere, text="Please come back.")
    route = msgspec.structs.replace(settings.routes[0], static="static")
    quick.set_faults("status:503")
    with House(msgspec.structs.replace(settings, targets=(*settings.targets, static), routes=(route,))) as house:
        canned = exchange(house.port, keyed("canned", stream=stream))
        quick.set_faults(HEALTHY)
        until(lambda: b"surefoot-static" not in exchange(house.port, post(body_of())).head)  # the breaker has closed
        answer = exchange(house.port, keyed("canned", stream=stream))

    assert b"\r\nsurefoot-static: 1" in canned.head
    assert (answer.status, mark(answer)) == (200, None)
    assert b"surefoot-static" not in answer.head


def test_a_definite_no_of_the_provider_is_kept(brisk: House, quick: TwinProcess) -> None:
    quick.set_faults("status:400")
    first = exchange(brisk.port, keyed("wrong"))
    quick.set_faults(HEALTHY)
    again = exchange(brisk.port, keyed("wrong"))
    assert first.status == 400
    assert unmarked(first) == unmarked(again)
    assert mark(again) == "replayed"


def test_who_joined_a_stream_that_breaks_gets_it_broken_too(patient: House, unhurried: TwinProcess) -> None:
    unhurried.set_faults(always(Fault("cut", after_tokens=5)))
    with sent(patient, keyed("breaks", stream=True)) as first:
        until(unhurried.log)
        with sent(patient, keyed("breaks", stream=True)) as second:
            answers = [read_to_end(first), read_to_end(second)]

    assert unmarked(answers[0]) == unmarked(answers[1])
    assert mark(answers[1]) == "joined"
    for answer in answers:
        assert b'"error"' in answer.raw
        assert not answer.raw.endswith(b"0\r\n\r\n")
    unhurried.set_faults(HEALTHY)
    assert mark(exchange(patient.port, keyed("breaks", stream=True))) is None
