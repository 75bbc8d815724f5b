"""What users of other gateways complained of, each under the number of its issue, where it shows on the wire."""

import socket

import msgspec
import pytest
from tests.gateway.asking import ask, sdk
from tests.gateway.conftest import Pair
from tests.gateway.house import BRISK, CALM, House, settings_of, targets_at, until
from tests.gateway.raw import Answer, chat, exchange

from surefoot.domain.outcome import Kind
from surefoot.domain.route import Filtered, Limits
from surefoot.twin import Fault, FaultPlan, Rule

WHOLE = "A sure foot tries the ground before it"
EITHER = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
BEFORE_CONTENT = {
    "error event": Fault("error_first"),
    "role, then an error event": Fault("error_later", after_tokens=0),
    "role, then a cut": Fault("cut", after_tokens=0),
    "role, then a clean end": Fault("truncate", after_tokens=0),
    "nothing at all": Fault("empty"),
}


def attempts_of(answer: Answer) -> int:
    line = next(line for line in answer.head.split(b"\r\n") if line.startswith(b"surefoot-attempts: "))
    return int(line.partition(b": ")[2])


def nobody_listens() -> int:
    """A port of this machine at which every connection is refused."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("fault", BEFORE_CONTENT.values(), ids=BEFORE_CONTENT.keys())
def test_bifrost_2917_a_stream_that_fails_before_its_first_content_goes_to_the_fallback(
    house: House, twins: Pair, fault: Fault
) -> None:
    """The connection stood and its head had come; but the client had nothing yet, so nothing is lost."""
    twins[0].set_faults(fault)
    with sdk(house) as client:
        heard = ask(client, stream=True)
    assert (heard.text, heard.target, heard.attempts) == (WHOLE, "backup", 2)


@pytest.mark.parametrize("fault", [Fault("error_first"), Fault("empty")], ids=["error event", "nothing at all"])
def test_litellm_29808_without_any_fallback_an_error_inside_a_stream_is_repeated(twins: Pair, fault: Fault) -> None:
    twins[0].set_faults(FaultPlan((Rule(fault, count=1),)))
    with House(settings_of(targets_at(twins[0].port), options=BRISK, hedge=1.0)) as house, sdk(house) as client:
        heard = ask(client, stream=True)
        record = house.record(heard.call)
    assert (heard.text, heard.target, heard.attempts) == (WHOLE, "primary", 2)
    assert [attempt["reason"] for attempt in record["attempts"]] == ["first", "retry"]


@pytest.mark.parametrize(
    "fault",
    [Fault("status:500"), Fault("status:429"), Fault("refuse"), Fault("silence"), Fault("error_first"), Fault("empty")],
    ids=lambda fault: fault.kind,
)
def test_litellm_25843_streams_fall_back_exactly_as_plain_answers_do(house: House, twins: Pair, fault: Fault) -> None:
    twins[0].set_faults(fault)
    with sdk(house) as client:
        plain, streamed = (ask(client, stream=stream) for stream in (False, True))
    assert plain[:3] == streamed[:3] == (WHOLE, "backup", 2)
    kinds = [[a["kind"] for a in house.record(heard.call)["attempts"]] for heard in (plain, streamed)]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize("form", ["data", "named", "bare", "failed"])
@EITHER
def test_bifrost_5395_an_error_after_response_created_goes_to_the_fallback(
    house: House, twins: Pair, form: str, *, stream: bool
) -> None:
    twins[0].set_faults(Fault("error_created", event_form=form))  # type: ignore[arg-type]
    with sdk(house) as client:
        heard = ask(client, stream=stream)
    assert (heard.text, heard.target) == (WHOLE, "backup")
    assert house.record(heard.call)["attempts"][0]["kind"] == Kind.QUOTA


@EITHER
def test_pydantic_ai_4140_a_whole_answer_that_is_none_falls_back_in_streams_too(
    house: House, twins: Pair, *, stream: bool
) -> None:
    """Judged by what it says and not by its status: here, an answer without any text."""
    twins[0].set_faults("empty_answer")
    with sdk(house) as client:
        heard = ask(client, stream=stream)
    assert (heard.text, heard.target) == (WHOLE, "backup")


@EITHER
def test_pydantic_ai_4140_an_answer_that_a_filter_took_away_goes_to_another_model_by_leave(
    twins: Pair, *, stream: bool
) -> None:
    twins[0].set_faults("content_filter")
    settings = settings_of(targets_at(*(twin.port for twin in twins)), filtered=Filtered.FALL_BACK)
    with House(settings) as house, sdk(house) as client:
        heard = ask(client, stream=stream)
    assert (heard.text, heard.target) == (WHOLE, "backup")


@EITHER
def test_portkey_1797_a_truncated_answer_is_never_closed_as_if_it_were_complete(
    house: House, twins: Pair, *, stream: bool
) -> None:
    for twin in twins:
        twin.set_faults("truncate")
    answer = exchange(house.port, chat(stream=stream))
    if stream:
        assert answer.end == "eof"
        assert b"[DONE]" not in answer.raw
        assert b'"finish_reason":"stop"' not in answer.raw
    else:
        assert (answer.status, answer.code) == (502, Kind.CUT)


@EITHER
def test_bifrost_7034_a_silent_provider_does_not_hold_the_fallback_back(
    house: House, twins: Pair, *, stream: bool
) -> None:
    """Accepted, then not a byte: no head, so that no time-out on the body would ever begin."""
    twins[0].set_faults("silence")
    with sdk(house) as client:
        heard = ask(client, stream=stream)
    record = house.record(heard.call)
    assert (heard.text, heard.target) == (WHOLE, "backup")
    assert [attempt["kind"] for attempt in record["attempts"]] == [Kind.SILENCE, Kind.OK]
    assert record["attempts"][0]["heard"] is None


@EITHER
def test_bifrost_7035_nothing_more_is_sent_once_the_client_has_left(twins: Pair, *, stream: bool) -> None:
    for twin in twins:
        twin.set_faults("silence")
    limits = Limits(deadline=5.0)
    with House(settings_of(targets_at(*(t.port for t in twins)), limits=limits, options=CALM)) as house:
        with socket.create_connection(("127.0.0.1", house.port), timeout=5) as sock:
            sock.sendall(chat(stream=stream))
            until(twins[0].log)
        record = until(lambda: next(iter(house.records.values()), None))
        seen = until(lambda: twins[0].log() if twins[0].log()[0].gone_at else None)
    assert record["kind"] == Kind.CLIENT_GONE
    assert len(seen) == 1
    assert not twins[1].log()


def test_tensorzero_6328_a_stream_that_stalls_after_its_first_token_gives_its_connection_back(
    house: House, twins: Pair
) -> None:
    twins[0].set_faults(Fault("stall", after_tokens=1))
    answer = exchange(house.port, chat(stream=True))
    assert b'"code":"stall"' in answer.raw
    assert until(lambda: twins[0].log()[0].gone_at)


def test_litellm_5859_headers_and_comments_do_not_stand_for_a_first_token(house: House, twins: Pair) -> None:
    twins[0].set_faults("slow_first_token")
    with sdk(house) as client:
        heard = ask(client, stream=True)
    assert (heard.text, heard.target) == (WHOLE, "backup")
    assert house.record(heard.call)["attempts"][0]["kind"] == Kind.SLOW_FIRST_TOKEN


@EITHER
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_portkey_1012_the_attempts_that_are_told_are_those_that_were_made(
    house: House, twins: Pair, status: int, *, stream: bool
) -> None:
    for twin in twins:
        twin.set_faults(f"status:{status}")
    answer = exchange(house.port, chat(stream=stream))
    made = len(twins[0].log()) + len(twins[1].log())
    assert attempts_of(answer) == len(answer.json["error"]["attempts"]) == made >= 2


@EITHER
def test_pydantic_ai_3439_a_provider_that_is_not_there_is_a_failure_like_any_other(
    twins: Pair, *, stream: bool
) -> None:
    settings = settings_of(targets_at(nobody_listens(), twins[1].port))
    with House(settings) as house, sdk(house) as client:
        heard = ask(client, stream=stream)
        record = house.record(heard.call)
    assert (heard.text, heard.target) == (WHOLE, "backup")
    assert record["attempts"][0]["kind"] == Kind.CONNECT


@EITHER
def test_envoy_ai_gateway_1855_rate_limits_on_every_side_bring_nothing_down(twins: Pair, *, stream: bool) -> None:
    twins[0].set_faults(Fault("status:429", retry_after=0.0))
    with House(settings_of(targets_at(*(twin.port for twin in twins)), hedge=1.0)) as house:
        with sdk(house) as client:
            assert {ask(client, stream=stream).target for _ in range(10)} == {"backup"}
        twins[1].set_faults(Fault("status:429", retry_after=0.0))
        assert {exchange(house.port, chat(stream=stream)).status for _ in range(20)} == {429}
        twins[0].set_faults(FaultPlan())
        with sdk(house) as client:
            assert ask(client, stream=stream).text == WHOLE
        assert house.lives()


def test_litellm_20722_the_time_a_provider_asks_for_is_kept_and_told(twins: Pair) -> None:
    twins[0].set_faults(Fault("status:429", retry_after=30.0))
    options = msgspec.structs.replace(BRISK, breaker=msgspec.structs.replace(BRISK.breaker, longest=60.0))
    settings = settings_of(targets_at(twins[0].port), options=options, limits=Limits(wait=0.0))
    with House(settings) as house:
        first, second = (exchange(house.port, chat()) for _ in range(2))
    assert (first.status, second.status) == (429, 503)
    assert len(twins[0].log()) == 1
    told = [line for line in second.head.split(b"\r\n") if line.startswith(b"retry-after: ")]
    assert 28 <= int(told[0].partition(b": ")[2]) <= 31
