"""Retries with one `Idempotency-Key`, over real sockets: joined, replayed, refused, and what is no retry at all."""

import hashlib
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import openai
import pytest
from tests.gateway.asking import MESSAGES, sdk
from tests.gateway.house import CALM, KEY, SALT, House, settings_of, targets_at, until
from tests.gateway.raw import Answer, body_of, connect, exchange, post, read, read_to_end

from surefoot.domain.front import ClientKey, Door, Idempotency
from surefoot.domain.target import Endpoint, Target
from surefoot.gateway.channel import Settings
from surefoot.twin import HEALTHY, Behaviour, Fault, Fixed, TwinOptions, TwinProcess, always

OTHER_KEY = "sk-test-other-9876543210"
UNHURRIED = Behaviour(ttft=Fixed(0.5), rate=Fixed(10.0), tokens=Fixed(30), seed=1)
"""Three and a half seconds for an answer: time enough for something to happen meanwhile."""

FORMS = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


def keyed(key: str, *headers: str, stream: bool = False, client: str = KEY, **more: object) -> bytes:
    return post(body_of(stream=stream, **more), f"idempotency-key: {key}", *headers, key=client)


def settings_with(port: int, options: Idempotency) -> Settings:
    """Two clients, one target."""
    settings = settings_of(targets_at(port), options=CALM, door=Door((), idempotency=options))
    digest = hashlib.blake2b(OTHER_KEY.encode(), digest_size=32, key=SALT).digest()
    keys = (*settings.door.keys, ClientKey("other", digest))
    return msgspec.structs.replace(settings, door=msgspec.structs.replace(settings.door, keys=keys))


@pytest.fixture(scope="module")
def started_twin() -> Iterator[TwinProcess]:
    with TwinProcess(TwinOptions(behaviour=UNHURRIED)) as twin:
        yield twin


@pytest.fixture(scope="module")
def started(started_twin: TwinProcess) -> Iterator[House]:
    with House(settings_with(started_twin.port, Idempotency())) as house:
        yield house


@pytest.fixture
def slow(started_twin: TwinProcess) -> TwinProcess:
    """A provider that takes its time."""
    started_twin.set_faults(HEALTHY)
    until(lambda: all(record.end is not None for record in started_twin.log()))
    started_twin.clear_log()
    return started_twin


@pytest.fixture
def quick(twins: tuple[TwinProcess, TwinProcess]) -> TwinProcess:
    return twins[0]


@pytest.fixture(scope="module")
def _quick_house(started_twins: tuple[TwinProcess, TwinProcess]) -> Iterator[House]:
    with House(settings_with(started_twins[0].port, Idempotency())) as house:
        yield house


@pytest.fixture
def brisk(_quick_house: House, quick: TwinProcess) -> House:
    assert quick
    return _quick_house


def mark(answer: Answer) -> str | None:
    found = re.search(rb"\r\nsurefoot-idempotent: (\w+)", answer.head)
    return None if found is None else found[1].decode()


def unmarked(answer: Answer) -> tuple[bytes, bytes]:
    """Head and body, but for the mark."""
    return re.sub(rb"\r\nsurefoot-idempotent: \w+", b"", answer.head), answer.body


def call_of(answer: Answer) -> str:
    found = re.search(rb"\r\nsurefoot-call: (\S+)", answer.head)
    assert found is not None
    return found[1].decode()


def counted(house: House, what: str) -> int:
    return house.reports[-1].counters[f"idempotency_{what}"] if house.reports else 0


def sent(house: House, request: bytes) -> socket.socket:
    """A client that has sent this and waits."""
    sock = connect(house.port)
    sock.sendall(request)
    return sock


# ── joined and replayed ────────────────────────────────────────────────────────────────────────────────────────────


@FORMS
def test_a_retry_of_a_call_under_way_joins_it(started: House, slow: TwinProcess, stream: bool) -> None:  # noqa: FBT001
    key = f"join-{stream}"
    with sent(started, keyed(key, stream=stream)) as first:
        until(slow.log)
        with sent(started, keyed(key, stream=stream)) as second:
            answers = [read(first), read(second)]

    assert [mark(answer) for answer in answers] == [None, "joined"]
    assert unmarked(answers[0]) == unmarked(answers[1])
    assert answers[0].status == 200
    assert len(slow.log()) == 1


def test_who_joins_in_the_midst_of_a_stream_gets_it_from_the_beginning_and_then_live(
    started: House, slow: TwinProcess
) -> None:
    with sent(started, keyed("midst", stream=True)) as first:
        begun = first.recv(65536)
        while begun.count(b"data: ") < 5:
            begun += first.recv(65536)
        with sent(started, keyed("midst", stream=True)) as second:
            early = second.recv(65536)
            assert slow.log()[0].end is None, "the answer was to be still under way"
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
    with House(settings_with(quick.port, Idempotency(window=0.2))) as house:
        first = exchange(house.port, keyed("late"))
        until(lambda: mark(exchange(house.port, keyed("late"))) is None)
        assert call_of(exchange(house.port, keyed("late"))) != call_of(first)


def test_a_hundred_retries_at_once_are_one_attempt(started: House, slow: TwinProcess) -> None:
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda _: exchange(started.port, keyed("hundred")), range(100)))

    assert len({unmarked(answer) for answer in answers}) == 1
    assert [mark(answer) for answer in answers].count(None) == 1
    assert len(slow.log()) == 1


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


def test_a_client_of_http_1_0_joins_a_stream_in_its_own_framing(started: House, slow: TwinProcess) -> None:
    with sent(started, keyed("old", stream=True)) as first:
        until(slow.log)
        with sent(started, keyed("old", stream=True).replace(b"HTTP/1.1", b"HTTP/1.0", 1)) as second:
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
    with House(settings_with(quick.port, Idempotency(keys=0))) as house:
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
    settings = settings_with(quick.port, Idempotency())
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


def test_who_joined_a_stream_that_breaks_gets_it_broken_too(started: House, slow: TwinProcess) -> None:
    slow.set_faults(always(Fault("cut", after_tokens=5)))
    with sent(started, keyed("breaks", stream=True)) as first:
        until(slow.log)
        with sent(started, keyed("breaks", stream=True)) as second:
            answers = [read_to_end(first), read_to_end(second)]

    assert unmarked(answers[0]) == unmarked(answers[1])
    assert mark(answers[1]) == "joined"
    for answer in answers:
        assert b'"error"' in answer.raw
        assert not answer.raw.endswith(b"0\r\n\r\n")
    slow.set_faults(HEALTHY)
    assert mark(exchange(started.port, keyed("breaks", stream=True))) is None


# ── who leaves ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_when_the_first_leaves_the_call_goes_on_for_those_that_joined(started: House, slow: TwinProcess) -> None:
    with sent(started, keyed("leaves", stream=True)) as first:
        until(slow.log)
        with sent(started, keyed("leaves", stream=True)) as second:
            early = second.recv(65536)
            first.close()
            answer = read(second, early)

    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert started.record(call_of(answer))["kind"] == "ok"
    assert [record.gone_at for record in slow.log()] == [None]
    assert mark(exchange(started.port, keyed("leaves", stream=True))) == "replayed"


def test_a_follower_that_leaves_harms_nobody(started: House, slow: TwinProcess) -> None:
    with sent(started, keyed("harmless", stream=True)) as first:
        until(slow.log)
        with sent(started, keyed("harmless", stream=True)) as second:
            assert second.recv(65536)
        answer = read(first)
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert len(slow.log()) == 1


@FORMS
def test_when_all_have_gone_the_call_is_cancelled_and_a_retry_starts_anew(
    started: House,
    slow: TwinProcess,
    stream: bool,  # noqa: FBT001
) -> None:
    key = f"all-gone-{stream}"
    with sent(started, keyed(key, stream=stream)):
        until(slow.log)
        joined = counted(started, "joined")
        with sent(started, keyed(key, stream=stream)):
            until(lambda: counted(started, "joined") > joined or slow.log()[0].end)
    until(lambda: slow.log()[0].gone_at)
    answer = exchange(started.port, keyed(key, stream=stream))
    assert (answer.status, mark(answer)) == (200, None)
    assert len(slow.log()) == 2


# ── bounds ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_when_as_many_as_may_be_are_under_way_another_key_is_served_without(slow: TwinProcess) -> None:
    with House(settings_with(slow.port, Idempotency(keys=1))) as house, sent(house, keyed("one")) as first:
        until(slow.log)
        with sent(house, keyed("two")) as second, sent(house, keyed("two")) as third:
            answers = [read(first), read(second), read(third)]
        until(lambda: counted(house, "not_kept_full") == 2)
    assert [(answer.status, mark(answer)) for answer in answers] == [(200, None)] * 3
    assert len(slow.log()) == 3


@FORMS
def test_an_answer_that_is_too_long_is_given_whole_and_not_kept(stream: bool) -> None:  # noqa: FBT001
    with TwinProcess(TwinOptions(behaviour=Behaviour(tokens=Fixed(2000)))) as wordy:
        with House(settings_with(wordy.port, Idempotency(answer=1024))) as house:
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
        House(settings_with(wordy.port, options)) as house,
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
        House(settings_with(wordy.port, Idempotency(answer=64 * 1024))) as house,
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
        House(settings_with(wordy.port, Idempotency(answer=64 * 1024))) as house,
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


def read_quickly(sock: socket.socket) -> Answer:
    """Read one chunked answer of many megabytes."""
    raw = bytearray()
    while not raw.endswith(b"\r\n0\r\n\r\n"):
        data = sock.recv(1 << 20)
        if not data:
            return Answer(bytes(raw), "eof")
        raw += data
    return Answer(bytes(raw), "whole")
