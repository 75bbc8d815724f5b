"""What a request needs beside text, on the wire: it goes to who can do it, or to nobody, and its record tells."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from tests.gateway.house import BRISK, House, settings_of, targets_at, until
from tests.gateway.raw import Answer, chat, exchange

from surefoot.domain.features import Feature, Features
from surefoot.domain.route import Resume
from surefoot.gateway.channel import Settings
from surefoot.twin.process import TwinProcess

Pair = tuple[TwinProcess, TwinProcess]
TEXT, TOOLS, SEEING = frozenset[Feature](), frozenset({Feature.TOOLS}), frozenset({Feature.TOOLS, Feature.IMAGE})
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
LOOK = [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, IMAGE]}]


def able(settings: Settings, *features: Features | None) -> Settings:
    declared = zip(settings.targets, features, strict=True)
    return replace(settings, targets=tuple(replace(target, features=one) for target, one in declared))


def target_of(answer: Answer) -> str:
    assert answer.status == 200, answer.body
    return answer.head.partition(b"surefoot-target: ")[2].partition(b"\r\n")[0].decode()


def call_of(answer: Answer) -> str:
    return answer.head.partition(b"surefoot-call: ")[2].partition(b"\r\n")[0].decode()


@pytest.fixture(scope="module")
def started(started_twins: Pair) -> Iterator[House]:
    """The first target takes text and tools, the second one images too, the third says nothing."""
    one, two = started_twins
    settings = settings_of(targets_at(one.port, two.port, two.port), options=BRISK)
    with House(able(settings, TOOLS, SEEING, None)) as house:
        yield house


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("more", "target", "features"),
    [
        ({}, "primary", ""),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "primary", "tools"),
        ({"messages": LOOK}, "backup", "image"),
        ({"messages": LOOK, "response_format": {"type": "text"}}, "backup", "image"),
        ({"modalities": ["text", "audio"]}, "third", "audio"),
    ],
)
def test_a_call_goes_to_the_first_that_can_do_what_it_needs(
    started: House, twins: Pair, more: dict[str, object], target: str, features: str, *, stream: bool
) -> None:
    answer = exchange(started.port, chat(stream=stream, **more))
    assert target_of(answer) == target
    assert [len(twin.log()) for twin in twins] == ([1, 0] if target == "primary" else [0, 1])
    record = started.record(call_of(answer))
    assert record["features"] == features
    passed = {"primary": "", "backup": "primary:capability", "third": "primary:capability,backup:capability"}
    assert record["attempts"][0]["rules"] == passed[target]


def test_the_fallback_of_a_call_with_an_image_is_able_too(started: House, twins: Pair) -> None:
    twins[1].set_faults("status:503")  # of both that are able
    answer = exchange(started.port, chat(messages=LOOK))
    assert answer.status == 503
    assert {one["target"] for one in answer.json["error"]["attempts"]} == {"backup", "third"}
    assert not twins[0].log()


def test_a_text_with_an_image_that_breaks_off_is_resumed_only_by_who_sees(twins: Pair) -> None:
    one, two = twins
    one.set_faults("cut")
    settings = settings_of(targets_at(one.port, two.port, two.port), options=BRISK, resume=Resume.TEXT)
    with House(able(settings, SEEING, TEXT, None)) as house:
        answer = exchange(house.port, chat(stream=True, messages=LOOK))
        record = until(lambda: house.record(call_of(answer)))
        assert answer.body.endswith(b"data: [DONE]\n\n")
        assert [(a["target"], a["reason"]) for a in record["attempts"]] == [("primary", "first"), ("third", "resume")]


@pytest.mark.parametrize("stream", [False, True])
def test_where_nobody_can_it_is_a_400_that_names_the_feature_and_nobody_is_asked(twins: Pair, *, stream: bool) -> None:
    settings = settings_of(targets_at(*(twin.port for twin in twins)), options=BRISK)
    with House(able(settings, TOOLS, TEXT)) as house:
        answer = exchange(house.port, chat(stream=stream, messages=LOOK))
        assert (answer.status, answer.code) == (400, "not_able")
        message = answer.json["error"]["message"]
        assert "It needs image." in message
        assert "primary: cannot do image; it declares tools; backup: cannot do image; it declares nothing." in message
        assert not any(twin.log() for twin in twins)
        assert house.record(call_of(answer))["kind"] == "not_able"
        assert target_of(exchange(house.port, chat(stream=stream))) == "primary"


def test_where_no_target_declares_anything_nobody_looks_what_is_needed(house: House, twins: Pair) -> None:
    answer = exchange(house.port, chat(messages=LOOK))
    assert target_of(answer) == "primary"
    assert house.record(call_of(answer))["features"] == ""
    assert len(twins[0].log()) == 1
