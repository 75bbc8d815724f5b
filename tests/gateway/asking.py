"""How tests ask: the official SDK, and what came of it in one shape for plain and streamed answers.

Knows the SDK. Must never retry: a repeat would hide what the gateway did.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import openai
from openai.types.chat import ChatCompletionChunk
from tests.gateway.house import KEY, House
from tests.leaks import PROMPT

MESSAGES: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": PROMPT}]


class Heard(NamedTuple):
    """A whole answer."""

    text: str
    target: str
    attempts: int
    call: str
    route: str
    finish: str | None


@contextmanager
def sdk(house: House) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key=KEY, base_url=house.url, max_retries=0, timeout=10.0) as client:
        yield client


def ask(client: openai.OpenAI, *, stream: bool) -> Heard:
    """One call by the SDK, read to its end."""
    if stream:
        with client.chat.completions.with_streaming_response.create(
            model="chat", messages=MESSAGES, stream=True
        ) as answer:
            chunks: list[ChatCompletionChunk] = list(answer.parse())
            said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
            ends = [c.choices[0].finish_reason for c in chunks if c.choices]
            finish = next((end for end in ends if end), None)
            return _heard(said, answer.headers, finish)
    raw = client.chat.completions.with_raw_response.create(model="chat", messages=MESSAGES)
    choice = raw.parse().choices[0]
    return _heard(choice.message.content or "", raw.headers, choice.finish_reason)


def _heard(text: str, headers: Mapping[str, str], finish: str | None) -> Heard:
    return Heard(
        text,
        headers["surefoot-target"],
        int(headers["surefoot-attempts"]),
        headers["surefoot-call"],
        headers["surefoot-route"],
        finish,
    )
