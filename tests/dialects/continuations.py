"""Broken answers and their continuations, for tests of what joins them."""

import json
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st
from tests.dialects.streams import DONE, asked, event

from surefoot.dialects.delivered import delivered_of
from surefoot.dialects.dialect import Delivered
from surefoot.dialects.openai_chat import DIALECT
from surefoot.dialects.openai_continued import ContinuedReader
from surefoot.dialects.spent import NOTHING, Spent
from surefoot.dialects.sse import events, payload
from surefoot.domain.outcome import Kind
from surefoot.domain.target import Continues, Endpoint, Target

TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('"\\\n\u2028é❤😀ab'), max_size=60)

REASONING = event({"reasoning_content": "hm"})
SHOWN_ALL = [Continues.PROMPT, Continues.PREFILL]
"""How a target continues that is shown what was delivered."""
ALL = [*SHOWN_ALL, Continues.REPLAY]


def target(continues: Continues, name: str = "second", **more: Any) -> Target:
    return Target(
        name, "p", "the-model", "openai-chat", Endpoint("h", 80, tls=False, path=""), **more, continues=continues
    )


def answer(*texts: str, finish: str | None = "stop", ascii_only: bool = False, **more: Any) -> bytes:
    """A stream that says these texts; with `finish` None it breaks off."""
    chunks = [event({"content": text}, **more) for text in texts]
    if ascii_only:
        chunks = [b"data: " + json.dumps(json.loads(payload(chunk) or b"")).encode() + b"\n\n" for chunk in chunks]
    role = event({"role": "assistant", "content": ""}, **more)
    return b"".join([role, *chunks, *([event({}, finish, **more), DONE] if finish else [])])


def first(*texts: str, **more: Any) -> bytes:
    """What was relayed of a first answer that broke off."""
    return answer(*texts, finish=None, id="first", created=111, model="one", **more)


def continued(
    delivered: Delivered, continues: Continues, spent: Spent = NOTHING, name: str = "second", **request: Any
) -> ContinuedReader:
    return ContinuedReader(DIALECT.stream_reader(asked(**request)), delivered, target(continues, name), 1, spent)


def read(subject: ContinuedReader, stream: bytes, cuts: tuple[int, ...] = ()) -> bytes:
    """Feed a stream in pieces, as a leg does: up to its end, or what is wrong."""
    relayed = b""
    for start, end in pairwise([0, *cuts, len(stream)]):
        if not subject.whole and subject.wrong is None:
            piece = subject.feed(stream[start:end])
            assert not piece or subject.content, "something was relayed before there was content"
            relayed += piece
    return relayed


def join(before: bytes, continues: Continues, stream: bytes) -> tuple[bytes, Kind | None]:
    """All that the client gets, and what was wrong with the continuation."""
    subject = continued(delivered_of([before]), continues)
    return before + read(subject, stream), subject.wrong


def chunks(stream: bytes) -> list[dict[str, Any]]:
    """The chunks that a client decodes."""
    datas = [payload(one) for one in events(stream)]
    return [json.loads(data) for data in datas if data is not None and data != b"[DONE]"]


def text(stream: bytes) -> str:
    """The text that a client puts together, with nothing of ours."""
    deltas = [choice["delta"] for chunk in chunks(stream) for choice in chunk["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def pieces_of(whole: str, bounds: list[int]) -> list[str]:
    """A text in the pieces between these places."""
    inside = sorted({bound % (len(whole) + 1) for bound in bounds})
    return [whole[start:end] for start, end in pairwise([0, *inside, len(whole)])]
