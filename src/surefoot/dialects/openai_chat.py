"""OpenAI chat completions: the API that most providers and model servers speak.

The body is relayed as the bytes it came in; only the value of `model` is replaced in place, and where a stream would
not report its tokens, `stream_options` is put in front. Whatever does not have that simple shape is decoded and
written anew.
"""

import re

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from surefoot.dialects.continuation import with_the_answer
from surefoot.dialects.dialect import NO_HEADERS, NO_USAGE, Ask, Complaint, Delivered, Headers, Usage
from surefoot.dialects.openai_assembly import OpenAIAssembler
from surefoot.dialects.openai_content import CUT_SHORT, EMPTY_VALUES, ENDS_WITHOUT_TEXT, Content, is_error
from surefoot.dialects.openai_errors import (
    asks_to_wait,
    declines_stream,
    is_bare_error,
    kind_of_choice,
    kind_of_error,
    kind_of_status,
)
from surefoot.dialects.openai_stream import OpenAIStreamReader
from surefoot.dialects.signals import kind_of_ending
from surefoot.domain.features import Feature, Features
from surefoot.domain.outcome import Kind
from surefoot.domain.request import BYTES_PER_TOKEN
from surefoot.domain.target import Continues, Target
from surefoot.errors import DialectError

_NOT_STREAMED = re.compile(rb'"stream"\s*:\s*(false|null)')
_MODEL = re.compile(rb'"model"\s*:\s*("(?:[^"\\]|\\.)*")')
_MODEL_KEY = b'"model"'
_ESCAPED_LETTER = b"\\u006"
"""One of a key's letters may be escaped: then the key hides elsewhere. Both are searched for from behind, which costs
half of what searching from the front does."""
_NAMES: dict[str, bytes] = {}
"""Targets' model names as JSON: as many as the configuration has."""

_PART = re.compile(rb'"type"\s*:\s*"(image_url|input_audio|audio_url|file)"')
"""Inside a text every quote is escaped, so that this is never found there. `audio_url` is vLLM's."""
_PARTS = {
    b"image_url": Feature.IMAGE,
    b"input_audio": Feature.AUDIO,
    b"audio_url": Feature.AUDIO,
    b"file": Feature.FILE,
}

_ASK_FOR_USAGE = b'{"stream_options":{"include_usage":true},'
_ASK_FOR_STREAM = b'{"stream":true,"stream_options":{"include_usage":true},'

_OK, _MALFORMED = Kind.OK, Kind.MALFORMED  # looked up through its class, a member costs 40 ns each time
_SAVED = frozenset({_OK, Kind.EMPTY, Kind.CONTENT_FILTER, Kind.CONTEXT_OVERFLOW})
"""Kinds of one choice that do not spoil the others."""


class _StreamOptions(Struct):
    include_usage: bool | None = None


class _Body(Struct):
    model: str
    messages: Raw
    stream: bool | UnsetType | None = UNSET
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    response_format: Raw = Raw()
    modalities: Raw = Raw()
    audio: Raw = Raw()
    prompt_logprobs: Raw = Raw()
    tools: Raw = Raw()
    functions: Raw = Raw()

    def allows_watching(self) -> bool:
        """Whether the same may be asked as a stream, with the same answer.

        Not with `stream_options` (without `stream` an error, which the client is to see), not for audio (streamed it
        is raw PCM only), not with vLLM's `prompt_logprobs` (streams do not have them).
        """
        return (
            self.stream is not True
            and self.stream_options is None
            and (not self.modalities or b"audio" not in bytes(self.modalities))
            and (not self.prompt_logprobs or bytes(self.prompt_logprobs) == b"null")
        )

    def wants_sound(self) -> bool:
        """Whether the answer may be spoken."""
        return (bool(self.audio) and bytes(self.audio) not in EMPTY_VALUES) or (
            bool(self.modalities) and b'"audio"' in bytes(self.modalities)
        )

    def needs(self) -> Features:
        """What it takes to answer beside text. The messages are searched where they stand, and not parsed."""
        found = {_PARTS[kind] for kind in _PART.findall(self.messages)}
        if bytes(self.tools) not in EMPTY_VALUES or bytes(self.functions) not in EMPTY_VALUES:
            found.add(Feature.TOOLS)
        if _format_of(self.response_format) in _JSON_FORMATS:
            found.add(Feature.JSON)
        if self.wants_sound():
            found.add(Feature.AUDIO)
        return frozenset(found)


class _Format(Struct):
    type: object = None


_FORMATS = msgspec.json.Decoder(_Format | None)
_JSON_FORMATS = ("json_object", "json_schema")


class _Choice(Struct):
    message: Content | None = None
    finish_reason: str | None = None
    error: Raw = Raw()


class _Answer(Struct):
    choices: list[_Choice] | None = None
    usage: Usage | None = None
    error: Raw = Raw()


class OpenAIPlainReader:
    """Judges one whole chat completion."""

    __slots__ = ("_decoder", "_structured", "usage")

    def __init__(self, decoder: "msgspec.json.Decoder[_Answer]", *, structured: bool) -> None:
        self._decoder = decoder
        self._structured = structured
        self.usage = NO_USAGE

    def judge(self, body: bytes) -> Kind:
        """`Kind.OK` only for an answer with text, reasoning, a tool call or a reason to have none.

        Each choice that says something has to tell why it ends. What has to be JSON has to parse: the arguments of
        calls, and the text where the client asked for that.
        """
        if not body.strip():
            return Kind.EMPTY
        try:
            answer = self._decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _MALFORMED
        if is_error(answer.error):
            return kind_of_error(bytes(answer.error))
        if answer.usage is not None:
            self.usage = answer.usage
        if not answer.choices:
            return kind_of_error(body) if b'"error"' in body and is_bare_error(body) else Kind.EMPTY
        kinds = [self._judge_choice(choice) for choice in answer.choices]
        if _MALFORMED in kinds:
            return _MALFORMED
        return next((kind for kind in kinds if kind not in _SAVED), _OK if _OK in kinds else kinds[0])

    def _judge_choice(self, choice: _Choice) -> Kind:
        message, reason = choice.message, choice.finish_reason
        broken = kind_of_choice(choice.error, reason)
        if broken is not None:
            return broken
        if message is None or not message.says_something():
            if reason in ENDS_WITHOUT_TEXT:
                return _OK
            return (kind_of_ending(reason) if reason else None) or Kind.EMPTY
        if not reason:
            return _MALFORMED if reason is None else Kind.CUT
        if not (self._structured or message.tool_calls or message.function_call) or reason in CUT_SHORT:
            return _OK
        return _OK if message.parses(structured=self._structured) else _MALFORMED


class OpenAIChat:
    """The dialect `openai-chat`."""

    name = "openai-chat"
    path = "/chat/completions"

    def __init__(self) -> None:
        self._bodies = msgspec.json.Decoder(_Body)
        self._answers = msgspec.json.Decoder(_Answer)

    def read(self, body: bytes) -> Ask:
        """Read what the gateway needs; everything else in the body is the target's to judge."""
        try:
            asked = self._bodies.decode(body)
        except msgspec.ValidationError as error:
            raise DialectError(f"The request body does not fit the API: {error}.") from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DialectError(f"The request body is not valid JSON: {error}.") from error
        options = asked.stream_options
        return Ask(
            body,
            asked.model,
            asked.stream is True,
            len(asked.messages) // BYTES_PER_TOKEN + 1,
            asked.max_completion_tokens or asked.max_tokens or 0,
            asked.n or 1,
            options is not None and options.include_usage is True,
            watchable=asked.allows_watching(),
            says_stream=asked.stream is not UNSET,
            resumable=asked.stream is True and (asked.n is None or asked.n == 1) and _is_for_text(asked),
            structured=_format_of(asked.response_format) in _JSON_FORMATS,
            needs=asked.needs,
        )

    def encode(self, ask: Ask, model: str, *, usage: bool, watched: bool = False) -> bytes:
        """The same body with the target's model name."""
        body = ask.body
        usage = watched or (usage and ask.stream and not ask.wants_usage)
        span = ask.model_span or _model_span(ask)
        if span is None or (usage and (b'"stream_options"' in body or not body.startswith(b"{"))):
            return _written_anew(body, model, usage=usage, watched=watched)
        start, end = span
        name = _NAMES.get(model) or _NAMES.setdefault(model, msgspec.json.encode(model))
        if watched and ask.says_stream:
            return _streamed(body, span, name) or _written_anew(body, model, usage=True, watched=True)
        if usage:
            return b"".join((_ASK_FOR_STREAM if watched else _ASK_FOR_USAGE, body[1:start], name, body[end:]))
        return b"".join((body[:start], name, body[end:]))

    def continuation(self, ask: Ask, target: Target, delivered: Delivered, wording: str) -> bytes:
        """The request with the broken answer in it, or as it was: where there is no text yet, and for a replay."""
        if delivered.text and target.continues in {Continues.PROMPT, Continues.PREFILL}:
            return with_the_answer(ask, target, delivered, wording)
        return self.encode(ask, target.model, usage=target.usage_in_stream)

    def plain_reader(self, ask: Ask | None = None) -> OpenAIPlainReader:
        """A reader for one plain answer. Without the ask it does not ask for JSON in the text."""
        return OpenAIPlainReader(self._answers, structured=ask is not None and ask.structured)

    def stream_reader(self, ask: Ask) -> OpenAIStreamReader:
        """A reader for one stream, which strips the usage event that the client did not ask for."""
        return OpenAIStreamReader(ask.answers, strip_usage=not ask.wants_usage)

    def assembler(self, ask: Ask) -> OpenAIAssembler:
        """A reader for the stream of a watched call."""
        return OpenAIAssembler(ask.answers)

    def declines_stream(self, status: int, body: bytes) -> bool:
        """OpenAI names the parameter: to stream some models an organisation has to be verified, and some cannot."""
        return declines_stream(status, body)

    def classify(self, status: int, body: bytes, headers: Headers = NO_HEADERS) -> Kind:
        """What an error answer means."""
        return kind_of_status(status, body, headers)

    def asks_to_wait(self, body: bytes) -> bytes | None:
        """Google tells it in the error's details, and not in a header."""
        return asks_to_wait(body)

    def error(self, complaint: Complaint) -> bytes:
        """An error in OpenAI's shape, with each attempt's story."""
        return msgspec.json.encode({"error": _error_object(complaint)})

    def error_event(self, complaint: Complaint) -> bytes:
        """The same as an event. No `[DONE]` follows it: nobody may take what came before for a whole answer."""
        return b"data: " + self.error(complaint) + b"\n\n"

    def models(self, names: tuple[str, ...]) -> bytes:
        """Each route as a model."""
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "surefoot"} for name in names]
        return msgspec.json.encode({"object": "list", "data": data})


def _format_of(response_format: Raw) -> object:
    """The form that the answer is to have: `text` unless the client says otherwise; None where that cannot be read."""
    if not response_format:
        return "text"
    try:
        form = _FORMATS.decode(response_format)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return "text" if form is None else form.type


def _error_object(complaint: Complaint) -> dict[str, object]:
    error: dict[str, object] = {
        "message": complaint.message,
        "type": complaint.type,
        "param": complaint.param,
        "code": complaint.code,
    }
    if complaint.attempts:
        error["attempts"] = [
            {"target": story.target, "kind": story.kind, "duration_ms": round(story.seconds * 1000, 1)}
            for story in complaint.attempts
        ]
    if complaint.delivered_bytes is not None:
        delivered = complaint.delivered
        told = {"bytes": complaint.delivered_bytes}
        error["delivered"] = told if delivered is None else {**told, **_told_of(delivered)}
    return error


def _told_of(delivered: Delivered) -> dict[str, object]:
    return {
        "characters": len(delivered.text),
        "events": delivered.events,
        "finish_reason": delivered.finish_reason,
    }


def _is_for_text(asked: _Body) -> bool:
    """Whether the answer is to be free text. Tools may be offered: whether one was called shows in the answer."""
    return not asked.wants_sound() and _format_of(asked.response_format) == "text"


def _model_span(ask: Ask) -> tuple[int, int] | None:
    """Find the value of the one `"model"` in the body; None where several keys have that name, or none is plain."""
    body = ask.body
    at = body.find(_MODEL_KEY)
    if at < 0 or body.rfind(_MODEL_KEY) != at or body.rfind(_ESCAPED_LETTER) >= 0:
        return None
    plain = b'"model":"%b"' % ask.model.encode()
    if body.startswith(plain, at) and b"\\" not in plain:  # as most clients write it
        span = at + 8, at + len(plain)
    else:
        match = _MODEL.match(body, at)
        if match is None or msgspec.json.decode(match.group(1)) != ask.model:
            return None
        span = match.span(1)
    ask.model_span = span
    return span


def _streamed(body: bytes, model_span: tuple[int, int], name: bytes) -> bytes | None:
    """The body with the model's name and its own `stream` turned to true; None where that is not plain to see."""
    found = _NOT_STREAMED.match(body, body.find(b'"stream"'))
    if found is None or body.count(b'"stream"') != 1 or b"\\u007" in body:  # as with the model's letters
        return None
    start, end = model_span
    at, behind = found.span(1)
    if at < start:
        return b"".join((_ASK_FOR_USAGE, body[1:at], b"true", body[behind:start], name, body[end:]))
    return b"".join((_ASK_FOR_USAGE, body[1:start], name, body[end:at], b"true", body[behind:]))


def _written_anew(body: bytes, model: str, *, usage: bool, watched: bool) -> bytes:
    asked: dict[str, object] = msgspec.json.decode(body)
    asked["model"] = model
    if watched:
        asked["stream"] = True
    if usage:
        options = asked.get("stream_options")
        asked["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    return msgspec.json.encode(asked)


DIALECT = OpenAIChat()
