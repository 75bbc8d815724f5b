"""The answer put together from a provider's stream is its plain answer, field by field: ids and times excepted."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.dialects.providers import ask_both

from surefoot.drill.local_llm import NAME, LocalModel
from surefoot.twin import Behaviour, Fixed, TwinOptions, TwinProcess

TIMES = {"id", "created", "timings"}
TEXT = 'Grüß dich, "Welt":\tdie Zeile \\ endet ❤ hier.'


@pytest.fixture(scope="module")
def twin() -> Iterator[TwinProcess]:
    behaviour = Behaviour(tokens=Fixed(40), text=TEXT, seed=1, events_per_segment=3, keepalive=0.01)
    with TwinProcess(TwinOptions(behaviour=behaviour)) as process:
        yield process


@pytest.fixture(scope="module")
def model() -> Iterator[LocalModel]:
    with LocalModel() as running:
        yield running


def compared(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer.keys() >= {"id", "created"}
    return {name: value for name, value in answer.items() if name not in TIMES}


@pytest.mark.parametrize("more", [{}, {"max_tokens": 7}, {"stream": False, "temperature": 0}])
def test_a_twins_answer(twin: TwinProcess, more: dict[str, Any]) -> None:
    plain, assembled = ask_both(twin.url, "twin-1", **more)

    assert compared(assembled) == compared(plain)
    assert plain["usage"]["completion_tokens"] == more.get("max_tokens", 40)


SCHEMA = {
    "type": "object",
    "properties": {"greeting": {"type": "string", "maxLength": 12}, "loud": {"type": "boolean"}},
    "required": ["greeting", "loud"],
}
ASKED: dict[str, dict[str, Any]] = {
    "text": {},
    "json": {"response_format": {"type": "json_schema", "json_schema": {"name": "greeting", "schema": SCHEMA}}},
    "logprobs": {"logprobs": True, "top_logprobs": 2, "max_tokens": 8},
    "two": {"n": 2, "max_tokens": 8},
    "short": {"max_tokens": 1},
    "stop": {"stop": ["here"]},
}


@pytest.mark.local_llm
@pytest.mark.parametrize("more", ASKED.values(), ids=ASKED.keys())
def test_a_real_models_answer(model: LocalModel, more: dict[str, Any]) -> None:
    steady = {"temperature": 0, "seed": 1, "max_tokens": 40, "cache_prompt": False}
    plain, assembled = ask_both(model.url, NAME, **(steady | more))

    assert compared(assembled) == compared(plain)
    assert len(plain["choices"]) == more.get("n", 1)
