"""The chat requests that the load generator sends: a conversation at two sizes.

Knows: the OpenAI chat request. Must never: differ from one run to the next.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

_PROSE = (
    "the parcel left our depot on Tuesday evening and the customer asks whether a second address may be used "
    "because nobody is at home before noon please check the scan history compare it with the label explain "
    "what went wrong in two sentences and propose a new day of delivery that the driver can still reach"
)
_SEED = 7
_LINE_WORDS = 24


@dataclass(frozen=True, slots=True)
class Bodies:
    """Files that hold one request body each."""

    plain1k: Path
    plain30k: Path
    stream: Path


def write_bodies(folder: Path) -> Bodies:
    """Write the three request bodies into `folder`: about 1 KB, about 30 KB, and a stream of about 1 KB."""
    bodies = Bodies(folder / "plain1k.json", folder / "plain30k.json", folder / "stream.json")
    bodies.plain1k.write_bytes(_body(1_000, stream=False))
    bodies.plain30k.write_bytes(_body(30_000, stream=False))
    bodies.stream.write_bytes(_body(1_000, stream=True))
    return bodies


def _body(size: int, *, stream: bool) -> bytes:
    rng = random.Random(_SEED)  # noqa: S311 - prose, not a secret
    request: dict[str, object] = {"model": "chat", "messages": [], "temperature": 0.2, "max_tokens": 256}
    if stream:
        request["stream"] = True
    messages = [{"role": "system", "content": 'You answer for a parcel service. Be brief and "exact".'}]
    request["messages"] = messages
    while (missing := size - len(_encoded(request))) > 0:
        role = "assistant" if messages[-1]["role"] == "user" else "user"
        messages.append({"role": role, "content": _prose(rng, min(missing, 1_500))})
    return _encoded(request)


def _prose(rng: random.Random, length: int) -> str:
    known = _PROSE.split()
    words = [rng.choice(known) + ("\n" if i % _LINE_WORDS == 0 else "") for i in range(1, length // 4)]
    return " ".join(words)[: max(length - 40, 8)]


def _encoded(request: dict[str, object]) -> bytes:
    return json.dumps(request, separators=(",", ":"), ensure_ascii=False).encode()
