"""A plain chat completion put together from a stream, for a plain call that is watched while it is answered.

Fields that are not known here are merged as well, by where they stand (`_restate`, `_merge`). Nothing is invented but
what a stream's form leaves out: the object's name and the role. Whether the result is an answer is for the judge of
plain answers to say, not for this reader.

Must never: make an answer of a stream that is not whole, or of one that it could not read every event of.
"""

import re
from typing import Any

import msgspec

from surefoot.dialects.dialect import LARGEST_ANSWER, NO_USAGE, Usage
from surefoot.dialects.openai_content import ENDS_WITHOUT_TEXT, Content
from surefoot.dialects.openai_errors import kind_of_choice, kind_of_event
from surefoot.dialects.reading import Reading
from surefoot.dialects.signals import kind_of_ending
from surefoot.dialects.sse import Splitter, events, payload
from surefoot.domain.outcome import Kind

_Object = dict[str, Any]

_SPEAKING = Content.__struct_fields__
_TEXTS = {name: re.compile(rb'"%b": ?"' % name.encode()) for name in ("content", "reasoning_content", "reasoning")}
"""How a delta begins that is nothing but text."""

_BESIDE_NO_TEXT = ("tool_calls", "function_call", "refusal", "audio")
"""Beside one of these an empty text is null in a plain answer: https://platform.openai.com/docs/api-reference/chat."""

_WHOLE_STRINGS = frozenset({"role", "type", "id", "format"})
"""Strings of a delta that come whole, from some providers with every delta: OpenAI's own, and the `format` of
OpenRouter's `reasoning_details` (https://openrouter.ai/docs/use-cases/reasoning-tokens)."""

_OF_STREAMS_ONLY = frozenset({"choices", "obfuscation"})
"""Read apart; and what pads a chunk to hide its length
(https://platform.openai.com/docs/api-reference/chat-streaming)."""

_PADDING = re.compile(rb',"obfuscation":"\w*"(?=\}\n\n\Z)')
"""The same as OpenAI writes it: last. Cut off, it does not make every event another one."""

_STRINGS = msgspec.json.Decoder(str)


class _Growing:
    """A string that is still growing; joined once, so that its cost stays linear."""

    __slots__ = ("pieces",)

    def __init__(self, *pieces: str) -> None:
        self.pieces = list(pieces)


class _Likeness:
    """What one event has in common with the next where they differ in a single string: most of most streams.

    Such an event says nothing new but that string, and is not decoded.
    """

    __slots__ = ("_before", "_behind", "_least", "grown")

    def __init__(self, before: bytes, behind: bytes, grown: _Growing) -> None:
        self._before = before
        self._behind = behind
        self._least = len(before) + len(behind)
        self.grown = grown

    def string_of(self, event: bytes) -> str:
        """The string that a like event adds; empty if it is another."""
        if len(event) <= self._least or not event.startswith(self._before) or not event.endswith(self._behind):
            return ""
        try:
            return _STRINGS.decode(event[len(self._before) : len(event) - len(self._behind)])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ""


class _Items(list[Any]):
    """A list whose items are known by their `index`."""

    __slots__ = ("at",)

    def __init__(self, items: list[Any]) -> None:
        super().__init__(items)
        self.at = {item["index"]: item for item in items if _has_index(item)}


class OpenAIAssembler(Reading):
    """Reads one stream and relays nothing of it; see `dialects.dialect.Assembler`."""

    __slots__ = (
        "_answer", "_answers", "_choices", "_ended", "_ending", "_growing", "_likeness", "_messages", "_size",
        "_splitter",
    )  # fmt: skip

    def __init__(self, answers: int) -> None:
        super().__init__()
        self._answers = answers
        self._splitter = Splitter()
        self._size = 0
        self._answer: _Object = {}
        self._choices: dict[int, _Object] = {}
        self._messages: dict[int, _Object] = {}
        self._growing: list[tuple[_Object, str]] = []
        self._likeness: _Likeness | None = None
        self._ended: set[int] = set()
        self._ending: Kind | None = None

    def feed(self, data: bytes) -> bytes:
        """Take in what came. Always empty: nothing is for the client before the answer is whole."""
        self.progress = False
        self._size += len(data)
        if self._size > LARGEST_ANSWER:
            self.wrong = Kind.MALFORMED
            return b""
        if self._splitter.waiting or not self._is_alike(data):
            for event in events(self._splitter.feed(data)):
                self._read(event)
        return b""

    def close(self) -> bytes:
        """Always empty: a plain answer has no terminal event."""
        return b""

    def answer(self) -> bytes:
        """The body of the plain answer, once the stream is `whole`, or has ended and was `finished`."""
        for holder, name in self._growing:
            grown = holder[name]
            if isinstance(grown, _Growing):
                holder[name] = "".join(grown.pieces)
        self._growing = []
        choices = [
            {**choice, "message": _message(self._messages[index])} for index, choice in sorted(self._choices.items())
        ]
        return msgspec.json.encode({**self._answer, "object": "chat.completion", "choices": choices})

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────────────

    def _read(self, event: bytes) -> None:
        if b'"obfuscation"' in event:
            event = _PADDING.sub(b"", event)
        if self._is_alike(event):
            return
        self._likeness = None
        data = payload(event)
        if data is None or self.whole or self.wrong is not None:
            return
        self.progress = self.seen = True
        if data.strip() == b"[DONE]":
            # Of `n` choices a target may give fewer, but each that began has to end.
            self.wrong = Kind.CUT if self.content and self._choices.keys() - self._ended else None
            self.whole = self.wrong is None
        elif not self._understands(event, data):
            # A stream goes on without an event that is broken, for its client sees that; here text would be missing.
            self.wrong = self.wrong or Kind.MALFORMED

    def _is_alike(self, event: bytes) -> bool:
        """Take an event that only adds a string to what the one before said; False if it is another."""
        likeness = self._likeness
        if likeness is None:
            return False
        string = likeness.string_of(event)
        if not string:
            return False
        likeness.grown.pieces.append(string)
        self.content = self.progress = True
        self.events += 1
        return True

    def _understands(self, event: bytes, data: bytes) -> bool:
        """Merge one chunk; False if it is none."""
        self.wrong = kind_of_event(event, data)
        if self.wrong is not None:
            return False
        try:
            chunk = msgspec.json.decode(data)
            if not isinstance(chunk, dict):
                return False
            if chunk.get("choices") is None and "type" in chunk:
                return True  # `response.created`, a ping: no event of this API
            choices = chunk.get("choices") or []
            if not isinstance(choices, list) or not all(map(_is_choice, choices)):
                return False
            grows = _only_string(choices)
            for choice in choices:
                self._take(choice, choice.pop("delta", None) or {})
            _restate(self._answer, chunk)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        if self.finished and not self.content:
            self.wrong = self.wrong or self._ending or Kind.EMPTY
        if chunk.get("usage"):
            self._read_usage(chunk["usage"])
            self.whole = self.finished and not choices  # the last of what was asked for: nobody waits for [DONE]
        if grows:
            self._liken(event, self._messages[choices[0].get("index", 0)], grows)
        return True

    def _take(self, said: _Object, delta: _Object) -> None:
        """Merge what one choice says."""
        index = said.get("index", 0)
        if any(map(delta.get, _SPEAKING)):
            self.content = True
            self.events += 1
        if index in self._choices:
            self._merge(self._choices[index], said, grow=False)
            self._merge(self._messages[index], delta, grow=True)
        else:
            self._choices[index] = said
            self._messages[index] = delta
        reason = said.get("finish_reason")
        error = said.get("error")
        if error or reason:
            self.wrong = self.wrong or kind_of_choice(msgspec.Raw(msgspec.json.encode(error)), reason)
        if reason:
            self._ended.add(index)
            self.finished = len(self._ended) >= self._answers
            self.content = self.content or reason in ENDS_WITHOUT_TEXT
            self._ending = self._ending or kind_of_ending(reason)

    def _liken(self, event: bytes, message: _Object, name: str) -> None:
        """Learn what the next event will look like, if it is like this one.

        There may be no list but `choices`, for what a list says again is not the same as what it said, and no second
        place where the string could stand.
        """
        found = _TEXTS[name].search(event)
        if found is None or b"\\" in event:
            return
        before, behind = event[: found.end() - 1], event[event.index(b'"', found.end()) + 1 :]
        if (before + behind).count(b"[") != 1 or event.count(b'"%b"' % name.encode()) != 1:
            return
        grown = message[name]
        if isinstance(grown, str):
            grown = message[name] = _Growing(grown)
            self._growing.append((message, name))
        if isinstance(grown, _Growing):
            self._likeness = _Likeness(before, behind, grown)

    def _read_usage(self, usage: Any) -> None:
        try:
            self.usage = msgspec.convert(usage, Usage)
        except msgspec.ValidationError:
            self.usage = NO_USAGE  # the judge of the whole answer will say so

    # ── merging ────────────────────────────────────────────────────────────────────────────────────────────────

    def _merge(self, into: _Object, new: _Object, *, grow: bool) -> None:
        """What a choice or a delta says goes to what was said: lists and, in a delta, strings grow.

        A null never erases. Of what does not grow the last that is not empty counts.
        """
        for name, value in new.items():
            old = into.get(name)
            if old is None:
                into[name] = value
            elif isinstance(value, str):
                self._merge_string(into, name, value, grow=grow)
            elif isinstance(value, dict) and isinstance(old, dict):
                self._merge(old, value, grow=grow)
            elif isinstance(value, list) and isinstance(old, list):
                into[name] = self._merge_lists(old, value, grow=grow)
            elif value is not None:
                into[name] = value

    def _merge_string(self, into: _Object, name: str, value: str, *, grow: bool) -> None:
        old = into[name]
        if not grow or name in _WHOLE_STRINGS or not isinstance(old, str | _Growing):
            into[name] = value or old
        elif isinstance(old, _Growing):
            old.pieces.append(value)
        else:
            into[name] = _Growing(old, value)
            self._growing.append((into, name))

    def _merge_lists(self, old: list[Any], new: list[Any], *, grow: bool) -> list[Any]:
        """Items with an index go to the one that has it, all others to the end."""
        if not isinstance(old, _Items):
            if not any(map(_has_index, new)):
                old.extend(new)
                return old
            old = _Items(old)
        for item in new:
            known = old.at.get(item["index"]) if _has_index(item) else None
            if known is not None and not _is_another(known, item):
                self._merge(known, item, grow=grow)
                continue
            old.append(item)
            if _has_index(item):
                old.at[item["index"]] = item
        return old


def _is_choice(said: Any) -> bool:
    """Whether it has the form of a choice; an index may be missing where there is only one."""
    return (
        isinstance(said, dict)
        and isinstance(said.get("index", 0), int)
        and isinstance(said.get("delta") or {}, dict)
        and isinstance(said.get("finish_reason") or "", str)
    )


def _only_string(choices: list[_Object]) -> str:
    """The name of the string that a delta adds to, where it does nothing else; else empty."""
    if len(choices) != 1 or choices[0].get("finish_reason"):
        return ""
    delta = choices[0].get("delta") or {}
    said = [name for name, value in delta.items() if value is not None and name not in _WHOLE_STRINGS]
    return said[0] if len(said) == 1 and said[0] in _TEXTS and isinstance(delta[said[0]], str) else ""


def _restate(into: _Object, new: _Object) -> None:
    """What is said of the whole answer is said anew: the last counts, unless it is empty and there was something."""
    for name, value in new.items():
        old = into.get(name)
        if isinstance(value, dict) and isinstance(old, dict):
            _restate(old, value)
        elif (value or value is False or not old) and name not in _OF_STREAMS_ONLY:
            into[name] = value


def _has_index(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("index"), int)


def _is_another(known: _Object, item: _Object) -> bool:
    """Whether it is a new item after all: some servers give all tool calls of an answer the index 0."""
    return bool(known.get("id") and item.get("id")) and known["id"] != item["id"]


def _message(said: _Object) -> _Object:
    """A delta that has grown up."""
    message: _Object = {"role": "assistant", "content": None} | said
    if not message["content"] and any(map(message.get, _BESIDE_NO_TEXT)):
        message["content"] = None
    message["role"] = message["role"] or "assistant"
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        message["tool_calls"] = [_without_index(call) for call in sorted(calls, key=_place)]
    return message


def _place(call: Any) -> int:
    return int(call["index"]) if _has_index(call) else 0


def _without_index(call: Any) -> Any:
    """A tool call's index is the stream's: a plain answer counts by the place in the list."""
    return {name: value for name, value in call.items() if name != "index"} if isinstance(call, dict) else call
