"""What a chat completion needs beside text: told by its parameters and by the parts of its messages."""

import json
from typing import Any

import pytest

from surefoot.dialects.openai_chat import DIALECT
from surefoot.domain.features import Feature

IMAGE_PART = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def needs(messages: Any = (), indent: int | None = None, **more: Any) -> set[str]:
    said = {"model": "m", "messages": list(messages), **more}
    return set(DIALECT.read(json.dumps(said, indent=indent).encode()).needs())


def part(**more: Any) -> list[Any]:
    return [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, more]}]


@pytest.mark.parametrize(
    ("said", "feature"),
    [
        ({"tools": [TOOL]}, Feature.TOOLS),
        ({"functions": [{"name": "f"}]}, Feature.TOOLS),
        ({"response_format": {"type": "json_object"}}, Feature.JSON),
        ({"response_format": SCHEMA}, Feature.JSON),
        ({"modalities": ["text", "audio"]}, Feature.AUDIO),
        ({"audio": {"voice": "v", "format": "wav"}}, Feature.AUDIO),
        ({"messages": part(**IMAGE_PART)}, Feature.IMAGE),
        ({"messages": part(type="input_audio", input_audio={"data": "", "format": "wav"})}, Feature.AUDIO),
        ({"messages": part(type="audio_url", audio_url={"url": "u"})}, Feature.AUDIO),
        ({"messages": part(type="file", file={"file_id": "f-1"})}, Feature.FILE),
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_each_feature_is_seen_where_the_api_puts_it(said: dict[str, Any], feature: Feature, indent: int | None) -> None:
    assert needs(indent=indent, **said) == {feature}


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"tools": [], "functions": []},
        {"tools": None, "functions": None, "response_format": None, "modalities": None, "audio": None},
        {"response_format": {"type": "text"}, "modalities": ["text"]},
        {"tool_choice": "none"},
        {"messages": [{"role": "user", "content": json.dumps(IMAGE_PART)}]},  # a text that speaks of an image
        {"messages": [{"role": "user", "content": "image_url"}]},
        {"metadata": IMAGE_PART},
    ],
)
def test_what_is_only_text_needs_nothing(said: dict[str, Any]) -> None:
    assert needs(**said) == set()


def test_all_of_them_are_seen_together() -> None:
    messages = part(**IMAGE_PART) + part(type="file", file={}) + part(type="input_audio")
    assert needs(messages, tools=[TOOL], response_format=SCHEMA) == set(Feature)


def test_an_image_is_seen_behind_a_long_text() -> None:
    assert needs([{"role": "user", "content": "word " * 10_000}, *part(**IMAGE_PART)]) == {Feature.IMAGE}
