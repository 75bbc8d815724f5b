"""The gateway's own request headers on the wire: nobody is let believe in one that is none."""

import hashlib

import msgspec
import pytest
from tests.gateway.conftest import Pair
from tests.gateway.house import SALT, House, settings_of, targets_at
from tests.gateway.raw import Answer, body_of, exchange, post

from surefoot.domain.front import ClientKey
from surefoot.wire.names import MOST, NAMES, lowered

CANARY = "sk-canary-0123456789"


def told(house: House, *headers: str) -> Answer:
    return exchange(house.port, post(body_of(stream=True), *headers))


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("surefoot-deadlin: 500", "surefoot-deadline"),
        ("Surefoot-Dead-Line: 500", "surefoot-deadline"),
        ("SUREFOOT-PLACES: eu", "surefoot-place"),
        ("surefoot-resumed: off", "surefoot-resume"),
    ],
)
def test_a_misspelt_header_is_named_and_the_right_one_guessed(
    house: House, twins: Pair, written: str, near: str
) -> None:
    answer = told(house, written)
    message = answer.json["error"]["message"]
    assert (answer.status, answer.code) == (400, "unknown_header")
    assert written.partition(":")[0].lower() in message
    assert f"Did you mean {near}?" in message
    assert not twins[0].log()


def test_a_header_like_none_is_refused_with_the_list_of_all(house: House) -> None:
    answer = told(house, "surefoot-x: 1")
    listed = (
        "Known are surefoot-jurisdiction, surefoot-place, surefoot-data-class, surefoot-data-region, "
        "surefoot-deadline, surefoot-resume, surefoot-drill."
    )
    assert (answer.status, answer.code) == (400, "unknown_header")
    assert answer.json["error"]["message"] == f"There is no header surefoot-x. {listed}"


def test_a_huge_name_is_refused_and_not_repeated_whole(house: House) -> None:
    answer = told(house, f"surefoot-{'x' * 20_000}: 1")
    assert (answer.status, answer.code) == (400, "unknown_header")
    assert len(answer.json["error"]["message"]) < 250


def test_a_misspelt_header_is_refused_each_time_on_one_connection_and_in_a_resend(house: House) -> None:
    for _ in range(2):
        assert told(house, "surefoot-deadlin: 500", "idempotency-key: misspelt").code == "unknown_header"
    assert told(house, "idempotency-key: misspelt").status == 200
    assert told(house, "surefoot-deadlin: 500", "idempotency-key: misspelt").code == "unknown_header"


def test_a_header_that_only_looks_like_one_of_ours_is_left_alone(house: House) -> None:
    assert told(house, "x-surefoot-deadlin: 500", "surefoo: 1", "surefoot: 1").status == 200


@pytest.mark.parametrize("wrong", ["soon", "0", "-5", "1.5", "+5", "5 0", "86400001", "9" * 5000, ""])
def test_a_deadline_that_cannot_be_read_is_refused(house: House, wrong: str) -> None:
    answer = told(house, f"surefoot-deadline: {wrong}")
    assert (answer.status, answer.code) == (400, "invalid_deadline")
    assert "whole milliseconds, from 1 to 86400000" in answer.json["error"]["message"]


@pytest.mark.parametrize("wrong", ["maybe", "OFF", "", "off, text"])
def test_a_wish_to_resume_that_cannot_be_read_is_refused_by_a_route_that_does_not_resume_too(
    house: House, wrong: str
) -> None:
    assert (told(house, f"surefoot-resume: {wrong}").code) == "invalid_resume"


def test_what_the_route_never_does_cannot_be_asked_for_and_may_be_declined(house: House) -> None:
    asked = told(house, "surefoot-resume: text")
    assert (asked.status, asked.code) == (400, "invalid_resume")
    assert "The route 'chat' resumes no answer." in asked.json["error"]["message"]
    assert told(house, "surefoot-resume: off").status == 200


@pytest.mark.parametrize(
    ("wrong", "code"),
    [("", "invalid_place"), ("DE,", "invalid_place"), ("D E", "unknown_place"), ("zürich", "unknown_place")],
)
def test_a_place_that_no_configuration_can_name_is_refused(house: House, wrong: str, code: str) -> None:
    answer = exchange(house.port, post(body_of(), f"surefoot-place: {wrong}"))
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize("name", ["place", "deadline", "resume", "drill", "deadlin"])
def test_a_header_of_ours_that_comes_twice_is_refused(house: House, name: str) -> None:
    answer = told(house, f"surefoot-{name}: 1", f"Surefoot-{name}: 2")
    assert (answer.status, answer.code) == (400, "repeated_header")


def test_a_drill_is_for_canary_keys_only(twins: Pair) -> None:
    settings = settings_of(targets_at(twins[0].port))
    digest = hashlib.blake2b(CANARY.encode(), digest_size=32, key=SALT).digest()
    keys = (*settings.door.keys, ClientKey("canary", digest, drill=True))
    settings = msgspec.structs.replace(settings, door=msgspec.structs.replace(settings.door, keys=keys))
    with House(settings) as house:
        others = told(house, "surefoot-drill: 1")
        canary = [
            exchange(house.port, post(body_of(), f"surefoot-drill: {number}", key=CANARY))
            for number in ("one", "0", "1")
        ]
    assert (others.status, others.code) == (400, "invalid_drill")
    assert "canary key" in others.json["error"]["message"]
    assert [(answer.status, answer.code) for answer in canary] == [
        (400, "invalid_drill"),
        (400, "invalid_drill"),
        (409, "no_drill"),
    ]
    assert not twins[0].log()


def test_what_is_remembered_of_names_is_bounded_and_never_ours() -> None:
    before = dict(NAMES)
    try:
        for number in range(MOST + 10):
            assert lowered(b"X-%d" % number) == b"x-%d" % number
        assert len(NAMES) == MOST
        assert lowered(b"Surefoot-Place") == b"surefoot-place"
        NAMES.clear()
        assert lowered(b"X-" + b"y" * 100) == b"x-" + b"y" * 100
        assert lowered(b"Surefoot-Place") == b"surefoot-place"
        assert not NAMES
    finally:
        NAMES.clear()
        NAMES.update(before)
