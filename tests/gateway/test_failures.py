"""Every failure that a provider can have before its content: the caller gets a whole answer and does not notice."""

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from tests.gateway.asking import ask, sdk
from tests.gateway.conftest import BEHAVIOUR, Pair, healthy
from tests.gateway.house import House, settings_of, targets_at

from surefoot.domain.outcome import Kind
from surefoot.twin import Fault, Tls, TwinOptions, TwinProcess

WHOLE = "A sure foot tries the ground before it"
BEFORE_CONTENT = {
    "refused": (Fault("refuse"), Kind.CONNECT),
    "reset": (Fault("reset"), Kind.RESET),
    "500": (Fault("status:500"), Kind.SERVER_ERROR),
    "502 in HTML": (Fault("status:502"), Kind.SERVER_ERROR),
    "503": (Fault("status:503"), Kind.OVERLOAD),
    "529": (Fault("status:529"), Kind.OVERLOAD),
    "429": (Fault("status:429", retry_after=0.0), Kind.RATE_LIMIT),
    "429 with a date": (Fault("status:429", retry_after=0.0, retry_after_form="http_date"), Kind.RATE_LIMIT),
    "429 without a word": (Fault("status:429"), Kind.RATE_LIMIT),
    "429 in milliseconds": (Fault("status:429", retry_after=1.0, retry_after_form="milliseconds"), Kind.RATE_LIMIT),
    "429 by a wrong clock": (
        Fault("status:429", retry_after=1.0, retry_after_form="http_date", date_skew=-3600.0),
        Kind.RATE_LIMIT,
    ),
    "quota": (Fault("status:429", code="insufficient_quota"), Kind.QUOTA),
    "a project's spend limit": (Fault("status:429", code="project_spend_limit_exceeded"), Kind.QUOTA),
    "a tier's spend limit": (Fault("status:429", code="enforced_spend_limit_reached"), Kind.QUOTA),
    "an own spend limit": (Fault("status:400", code="spend_limit"), Kind.QUOTA),
    "402": (Fault("status:402"), Kind.QUOTA),
    "401": (Fault("status:401"), Kind.AUTH),
    "403": (Fault("status:403"), Kind.AUTH),
    "404": (Fault("status:404"), Kind.MODEL_GONE),
    "silence": (Fault("silence"), Kind.SILENCE),
    "empty": (Fault("empty"), Kind.EMPTY),
    "no JSON": (Fault("not_json"), Kind.MALFORMED),
    "504": (Fault("status:504"), Kind.SERVER_ERROR),
    "error first": (Fault("error_first"), Kind.SERVER_ERROR),
    "quota after response.created": (Fault("error_created"), Kind.QUOTA),
    "the same under its name": (Fault("error_created", event_form="named"), Kind.QUOTA),
    "the same, bare": (Fault("error_created", event_form="bare"), Kind.QUOTA),
    "a failed response": (Fault("error_created", event_form="failed"), Kind.QUOTA),
    "a spend limit inside a 200": (Fault("error_first", code="enforced_spend_limit_reached"), Kind.QUOTA),
    "no text": (Fault("empty_answer"), Kind.EMPTY),
}
EITHER = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


@EITHER
@pytest.mark.parametrize(("fault", "kind"), BEFORE_CONTENT.values(), ids=BEFORE_CONTENT.keys())
def test_a_failure_before_content_is_answered_whole_by_the_next_target(
    house: House, twins: Pair, fault: Fault, kind: Kind, *, stream: bool
) -> None:
    twins[0].set_faults(fault)

    with sdk(house) as client:
        heard = ask(client, stream=stream)

    assert (heard.text, heard.finish) == (WHOLE, "stop")
    assert (heard.target, heard.attempts, heard.route) == ("backup", 2, "chat")
    record = house.record(heard.call)
    assert [attempt["kind"] for attempt in record["attempts"]] == [kind, Kind.OK]
    assert (record["kind"], record["winner"], record["key"]) == (Kind.OK, 1, "tester")


def test_tool_arguments_that_break_off_are_no_plain_answer(house: House, twins: Pair) -> None:
    twins[0].set_faults("bad_arguments")

    with sdk(house) as client:
        heard = ask(client, stream=False)

    assert (heard.text, heard.target) == (WHOLE, "backup")
    assert [attempt["kind"] for attempt in house.record(heard.call)["attempts"]] == [Kind.MALFORMED, Kind.OK]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_comments_for_ever_are_left_at_the_first_token_limit(house: House, twins: Pair, *, stream: bool) -> None:
    twins[0].set_faults("comments_only")

    with sdk(house) as client:
        heard = ask(client, stream=stream)

    assert (heard.text, heard.target) == (WHOLE, "backup")
    assert [attempt["kind"] for attempt in house.record(heard.call)["attempts"]] == [Kind.SLOW_FIRST_TOKEN, Kind.OK]


@EITHER
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("content_filter"), Kind.CONTENT_FILTER),
        (Fault("status:400", code="content_filter"), Kind.CONTENT_FILTER),
        (Fault("status:400", code="content_policy_violation"), Kind.CONTENT_FILTER),
        (Fault("status:400", code="context_length_exceeded"), Kind.CONTEXT_OVERFLOW),
        (Fault("status:400", code="prompt_too_long"), Kind.CONTEXT_OVERFLOW),
        (Fault("status:413"), Kind.CONTEXT_OVERFLOW),
    ],
    ids=["a filtered answer", "azure", "openai", "window", "anthropic's window", "413"],
)
def test_a_filter_and_a_small_window_are_told_and_never_asked_again(
    house: House, twins: Pair, fault: Fault, kind: Kind, *, stream: bool
) -> None:
    """Neither the route nor the windows say that another target may be asked."""
    twins[0].set_faults(fault)

    with sdk(house) as client, pytest.raises(openai.APIStatusError) as raised:
        ask(client, stream=stream)

    assert raised.value.status_code in {400, 413}
    record = house.record(raised.value.response.headers["surefoot-call"])
    assert [attempt["kind"] for attempt in record["attempts"]] == [kind]
    assert not twins[1].log()


def test_a_stream_that_begins_without_content_is_left_at_the_first_token_limit(house: House, twins: Pair) -> None:
    twins[0].set_faults("slow_first_token")

    with sdk(house) as client:
        heard = ask(client, stream=True)

    assert (heard.text, heard.target) == (WHOLE, "backup")
    assert [attempt["kind"] for attempt in house.record(heard.call)["attempts"]] == [Kind.SLOW_FIRST_TOKEN, Kind.OK]


@pytest.fixture(scope="module")
def started_tls(authority: tuple[Path, Tls]) -> Iterator[tuple[House, Pair]]:
    ca, tls = authority
    options = TwinOptions(behaviour=BEHAVIOUR, tls=tls)
    with TwinProcess(options) as one, TwinProcess(options) as two:
        targets = targets_at(one.port, two.port, ca_file=str(ca))
        with House(settings_of(targets)) as house:
            yield house, (one, two)


@EITHER
def test_a_failed_handshake_is_answered_whole_by_the_next_target(
    started_tls: tuple[House, Pair], *, stream: bool
) -> None:
    house, pair = started_tls
    healthy(pair)[0].set_faults("tls")

    with sdk(house) as client:
        heard = ask(client, stream=stream)

    assert (heard.text, heard.target, heard.attempts) == (WHOLE, "backup", 2)
    assert [attempt["kind"] for attempt in house.record(heard.call)["attempts"]] == [Kind.TLS, Kind.OK]


@EITHER
def test_a_healthy_target_serves_over_tls(started_tls: tuple[House, Pair], *, stream: bool) -> None:
    house, pair = started_tls
    healthy(pair)

    with sdk(house) as client:
        heard = ask(client, stream=stream)

    assert (heard.text, heard.target, heard.attempts) == (WHOLE, "primary", 1)


def test_a_certificate_of_an_unknown_authority_is_a_failure_of_tls(
    started_tls: tuple[House, Pair], started_house: House
) -> None:
    _, pair = started_tls
    strange = targets_at(healthy(pair)[0].port, ca_file="/etc/ssl/certs/ca-certificates.crt")[0]
    with House(settings_of((strange, started_house.settings.targets[1]))) as house, sdk(house) as client:
        heard = ask(client, stream=False)

        assert house.record(heard.call)["attempts"][0]["kind"] == Kind.TLS
