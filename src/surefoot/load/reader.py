"""Reads an answer to the end and says what it was worth: content, tokens, errors, a proper end or not.

Knows: OpenAI chat completions, plain and streamed, as any client sees them.
Must never: do I/O, or be kinder than a client would be.
"""

from typing import Any

import msgspec

from surefoot.load.result import CallResult

_OK = 200
_ERROR_TEXT_BYTES = 500


class _Delta(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[Any] | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    completion_tokens: int | None = None


class _Answer(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


_decode = msgspec.json.Decoder(_Answer).decode


class AnswerReader:
    """One answer; feed it the body, then ask for the verdict."""

    __slots__ = ("_buffer", "_error", "_finished", "_result", "_spoken", "_streaming", "_usage")

    def __init__(self, result: CallResult, *, streaming: bool) -> None:
        self._result = result
        self._streaming = streaming
        self._buffer = b""
        self._spoken = 0
        self._finished = False
        self._error = False
        self._usage: int | None = None

    def feed(self, data: bytes, now: float) -> None:
        """Take bytes of the body that arrived at `now`."""
        self._buffer = self._buffer + data if self._buffer else data
        if not self._streaming:
            return
        if b"\r" in self._buffer:
            self._buffer = self._buffer.replace(b"\r\n", b"\n")
        events = self._buffer.split(b"\n\n")
        self._buffer = events.pop()
        for event in events:
            self._event(event, now)

    def verdict(self, status: int, now: float) -> str | None:
        """The failure kind of an answer that ended cleanly at `now`, or None."""
        if status != _OK:
            self._result.error_text = _text(self._buffer)
            return f"http_{status}"
        failure = self._end_of_stream() if self._streaming else self._end_of_plain(now)
        self._result.tokens = self._spoken if self._usage is None else self._usage
        return failure

    def broken_off(self, failure: str) -> str | None:
        """The failure kind of an answer whose connection ended with `failure` before the answer did.

        An error event already told what was wrong; a stream past its finish had said everything.
        """
        self._result.tokens = self._spoken if self._usage is None else self._usage
        if self._error:
            return "error_event"
        return None if self._finished and self._spoken and failure == "disconnected" else failure

    def _event(self, event: bytes, now: float) -> None:
        data = b""
        named_error = False
        for line in event.split(b"\n"):
            if line.startswith(b"data:"):
                data += line[5:].strip()
            elif line.startswith(b"event:"):
                named_error = line[6:].strip() == b"error"
        if data == b"[DONE]":
            self._result.done = True
            return
        if not data:
            return
        try:
            answer = _decode(data)
        except msgspec.DecodeError:
            self._result.malformed_events += 1
            return
        if named_error or answer.error is not None:
            self._error = True
            self._result.error_text = _text(data)
            return
        self._note(answer, now)

    def _note(self, answer: _Answer, now: float) -> None:
        if answer.usage is not None and answer.usage.completion_tokens is not None:
            self._usage = answer.usage.completion_tokens
        for choice in answer.choices or ():
            said = choice.delta or choice.message
            if said is not None and (said.content or said.reasoning_content or said.reasoning or said.tool_calls):
                self._spoken += 1
                if self._result.first_content is None:
                    self._result.first_content = now
            if choice.finish_reason:
                self._finished = True

    def _end_of_stream(self) -> str | None:
        if self._error:
            return "error_event"
        if not self._finished:  # be it with [DONE]: a part of an answer is none
            return "truncated" if self._spoken else "empty"
        return None if self._spoken else "empty"

    def _end_of_plain(self, now: float) -> str | None:
        if not self._buffer:
            return "empty"
        try:
            answer = _decode(self._buffer)
        except msgspec.DecodeError:
            self._result.error_text = _text(self._buffer)
            return "not_json"
        if answer.error is not None:
            self._result.error_text = _text(self._buffer)
            return "error_event"
        self._note(answer, now)
        if not self._spoken:
            return "empty"
        return None if self._finished else "truncated"


def _text(data: bytes) -> str:
    return data[:_ERROR_TEXT_BYTES].decode(errors="replace")
