"""A route: what a client asks for as `model`, and the targets that may answer it.

A route is data. The rules that read it are in `policy.rules`, their order in `policy.stack`.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from surefoot.domain.units import Patience, Seconds, Share, SmallShare


class Order(StrEnum):
    """How the eligible targets of a route are ordered."""

    LISTED = "listed"
    LATENCY = "latency"
    PRICE = "price"


class Resume(StrEnum):
    """Whether a broken answer is continued on another target."""

    OFF = "off"
    TEXT = "text"


class Watch(StrEnum):
    """Whether plain calls are streamed upstream, so that silence and stalls are seen in seconds."""

    AUTO = "auto"
    OFF = "off"


class Filtered(StrEnum):
    """What follows when a provider's content filter refuses."""

    FAIL = "fail"
    FALL_BACK = "fall back"


class When(Struct, frozen=True):
    """The prompt lengths for which a rung is used, in tokens, both ends included."""

    least: int = 0
    most: int | None = None

    def holds(self, prompt_tokens: int) -> bool:
        """Whether a prompt of this estimated length is inside."""
        return self.least <= prompt_tokens and (self.most is None or prompt_tokens <= self.most)

    def covers(self, other: "When") -> bool:
        """Whether every length of the other is inside."""
        return self.least <= other.least and (self.most is None or (other.most is not None and other.most <= self.most))


class Rung(Struct, frozen=True):
    """One target in a route, and when it is used."""

    target: str
    when: When = When()
    jurisdictions: tuple[str, ...] = ()
    """Those of the routes inside this one that it came from: they bind this rung, whoever asks."""


class Limits(Struct, frozen=True):
    """The slices of a call's deadline and the bound on its attempts."""

    deadline: Seconds = 300.0
    """From the request's arrival to the end of the answer."""
    connect: Seconds = 1.0
    """To open a connection, TLS included."""
    idle: Seconds = 15.0
    """Longest gap inside an answer that has begun."""
    wait: Patience = 15.0
    """Longest wait for an open breaker's probe, when no other target may be asked; `"0s"` fails at once."""
    attempts: Annotated[int, Meta(ge=1, le=16, extra={"unit": "count"})] = 4
    """Most attempts of one call, of every kind together."""


CONTINUE = "Your previous message was cut off. Continue it from exactly where it stops: no introduction, no repetition."
"""The wording of a continuation request, unless the route has its own."""


class Route(Struct, frozen=True):
    """One name that clients may ask for."""

    name: str
    rungs: tuple[Rung, ...]
    order: Order = Order.LISTED
    jurisdiction: str | None = None
    """The jurisdiction that binds all its calls; None is anywhere."""
    limits: Limits = Limits()
    hedge: Share = 0.1
    """Attempts launched beside a live one, and repeats on one target, as a share of the route's calls; 0 is none."""
    resume: Resume = Resume.OFF
    """Whether a text that broke off is continued on another target."""
    resume_prompt: str = CONTINUE
    """What a target is asked that cannot be given the beginning of its own answer."""
    watch: Watch = Watch.AUTO
    """Whether plain calls are streamed upstream and the answer is put together here."""
    filtered: Filtered = Filtered.FAIL
    """Whether another model may be asked after a content filter has refused."""
    exercise: SmallShare = 0.0
    """Calls that begin at a fallback, so that it is known to work; 0 is none."""
    static: str | None = None
    """The target whose configured text is given rather than an error."""
