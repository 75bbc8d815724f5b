"""Cuts a plain answer into a stream, as a provider would have written it."""

import json
from collections.abc import Callable
from typing import Any

Pieces = Callable[[str], list[str]]
Chunk = dict[str, Any]

DONE = b"data: [DONE]\n\n"
WHOLE = {"role", "type", "id"}


def chunks_of(answer: dict[str, Any], pieces: Pieces) -> list[list[Chunk]]:
    """The chunks of each choice, in their order, and as the last list those that end the answer."""
    told = {name: value for name, value in answer.items() if name not in {"choices", "usage", "object"}}
    told["object"] = "chat.completion.chunk"
    spoken = [
        [told | {"choices": [said], "usage": None} for said in _choice(choice, pieces)] for choice in answer["choices"]
    ]
    return [*spoken, [told | {"choices": [], "usage": answer["usage"]}]]


def event(chunk: Chunk, *, ascii_only: bool = False, spaced: bool = False) -> bytes:
    separators = (", ", ": ") if spaced else (",", ":")
    return b"data: " + json.dumps(chunk, ensure_ascii=ascii_only, separators=separators).encode() + b"\n\n"


def _choice(choice: dict[str, Any], pieces: Pieces) -> list[Chunk]:
    steady = {name: None for name, value in choice.items() if name not in {"message", "index", "finish_reason"}}
    frame = {"index": choice["index"], "finish_reason": None} | steady
    said = [frame | {"delta": delta} for delta in _deltas(choice["message"], pieces)]
    for name in steady:
        parts = _parts(name, choice[name], pieces)
        for place, part in enumerate(parts):
            if place >= len(said):
                said.append(frame | {"delta": {}})
            said[place] |= part
    said.append(frame | {"delta": {}, "finish_reason": choice["finish_reason"]})
    return said


def _deltas(message: dict[str, Any], pieces: Pieces) -> list[Chunk]:
    """Each field in its turn; a first delta says the role, and null for all that is null."""
    first = {name: value for name, value in message.items() if value is None or value == "" or name == "role"}
    later = [part for name, value in message.items() if name not in first for part in _parts(name, value, pieces)]
    return [first, *later]


def _parts(name: str, value: Any, pieces: Pieces) -> list[Chunk]:
    if isinstance(value, str) and value and name not in WHOLE:
        return [{name: piece} for piece in pieces(value)]
    if isinstance(value, dict):
        inner = [part for key, item in value.items() for part in _parts(key, item, pieces)]
        return [{name: part} for part in inner] or [{name: {}}]
    if name == "tool_calls":
        named = [
            {"index": index} | part
            for index, call in enumerate(value)
            for key, item in call.items()
            for part in _parts(key, item, pieces)
        ]
        return [{name: [part]} for part in named]
    if isinstance(value, list):
        return [{name: [item]} for item in value] or [{name: []}]
    return [{name: value}]
