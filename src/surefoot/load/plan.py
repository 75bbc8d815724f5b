"""What load to send: where, when, what, and how long to wait.

Knows: schedules of intended send times, from a rate and a seed, and request bodies.
Must never: send anything, or read the clock.
"""

import math
import random
from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from surefoot.errors import SurefootError

_MAX_CALLS = 10_000_000
_MAX_SECONDS = 86_400.0
_WORDS = "the quick brown fox jumps over the lazy dog and tries the ground before it leans on it "


class LoadError(SurefootError):
    """A load plan that cannot be carried out."""


class LoadPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An open-loop load: calls leave when intended, however the ones before are faring.

    `rate` is in calls per second; `duration` (seconds), `count` or both bound it. `arrivals` are evenly
    spaced or Poisson (exponential gaps from `seed`). `url` is a base address or the full endpoint.
    `body` is sent as it is; without one, prompts of `prompt_bytes` (one size drawn per call) are built
    for `model`. `timeout` is seconds from the intended send time. `max_connections` bounds sockets;
    calls beyond wait, and their wait counts. With a `label` each call names itself in the request's `user` field:
    `LABEL-INDEX`. `ca_file` is trusted for https in place of the system's.
    """

    url: str
    rate: float
    duration: float | None = None
    count: int | None = None
    arrivals: Literal["constant", "poisson"] = "constant"
    stream: bool = False
    body: bytes | None = None
    prompt_bytes: tuple[int, ...] = (400,)
    model: str = "twin-1"
    max_tokens: int | None = None
    headers: dict[str, str] = {}
    seed: int = 0
    timeout: float = 30.0
    max_connections: int = 4096
    label: str | None = None
    ca_file: str | None = None

    def __post_init__(self) -> None:
        """Refuse what has no end or cannot be sent."""
        if not (math.isfinite(self.rate) and self.rate > 0):
            raise ValueError("rate must be finite and above zero")
        if self.duration is None and self.count is None:
            raise ValueError("give a duration or a count: a load must end")
        if self.duration is not None and not 0 < self.duration <= _MAX_SECONDS:
            raise ValueError("duration must lie between 0 and a day")
        if self.count is not None and not 0 < self.count <= _MAX_CALLS:
            raise ValueError(f"count must lie between 1 and {_MAX_CALLS}")
        if not (math.isfinite(self.timeout) and self.timeout > 0) or self.max_connections < 1:
            raise ValueError("timeout and max_connections must be above zero")
        if not self.prompt_bytes or min(self.prompt_bytes) < 0:
            raise ValueError("prompt_bytes needs at least one size, none negative")
        if urlsplit(self.url).scheme not in {"http", "https"} or not urlsplit(self.url).hostname:
            raise ValueError(f"{self.url!r} is not an http or https address")
        if any(char in text for pair in self.headers.items() for text in pair for char in "\r\n"):
            raise ValueError("a header must not hold a line break")

    def offsets(self) -> Iterator[float]:
        """The intended send times, in seconds from the start of the load, ascending."""
        end = math.inf if self.duration is None else self.duration
        count = _MAX_CALLS if self.count is None else self.count
        rng = random.Random(self.seed)  # noqa: S311 - a schedule, not a secret
        at = 0.0
        for number in range(count):
            if self.arrivals == "constant":
                at = number / self.rate  # not a running sum: rounding would drift
            elif number:
                at += rng.expovariate(self.rate)
            if at >= end:
                return
            yield at


class RequestWriter:
    """Builds the bytes of each call of a plan; equal plans build equal requests in equal order."""

    def __init__(self, plan: LoadPlan) -> None:
        url = urlsplit(plan.url)
        self.host = url.hostname or ""
        self.secure = url.scheme == "https"
        self.port = url.port or (443 if self.secure else 80)
        path = url.path.rstrip("/")
        if path in {"", "/v1"}:
            path = "/v1/chat/completions"
        if url.query:
            path += "?" + url.query
        lines = [f"POST {path} HTTP/1.1", f"host: {url.netloc.rpartition('@')[2]}"]
        headers = {"content-type": "application/json"} | {k.lower(): v for k, v in plan.headers.items()}
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._head = ("\r\n".join(lines) + "\r\ncontent-length: ").encode("latin-1")
        self._rng = random.Random(plan.seed ^ 0x5EED)  # noqa: S311 - sizes of prompts, not a secret
        bodies = [plan.body] if plan.body is not None else [_body(plan, size) for size in plan.prompt_bytes]
        self._bodies = bodies
        self._requests = [self._whole(body) for body in bodies]
        self._label = plan.label

    def next(self, index: int) -> bytes:
        """The bytes of the next call, which is number `index`."""
        which = 0 if len(self._requests) == 1 else int(self._rng.random() * len(self._requests))
        if self._label is None:
            return self._requests[which]
        return self._whole(b'{"user":%b,' % msgspec.json.encode(f"{self._label}-{index}") + self._bodies[which][1:])

    def _whole(self, body: bytes) -> bytes:
        return self._head + b"%d\r\n\r\n" % len(body) + body


def _body(plan: LoadPlan, size: int) -> bytes:
    prompt = (_WORDS * (size // len(_WORDS) + 1))[:size]
    body: dict[str, object] = {"model": plan.model, "messages": [{"role": "user", "content": prompt}]}
    if plan.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if plan.max_tokens is not None:
        body["max_tokens"] = plan.max_tokens
    return msgspec.json.encode(body)
