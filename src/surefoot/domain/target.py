"""A target: one model, at one endpoint, in one place, under one account.

Knows what the configuration says of it. Holds no credential, so that it can be printed anywhere.
"""

from enum import StrEnum

from msgspec import Struct, field

from surefoot.domain.features import Features
from surefoot.domain.place import NOWHERE_SAID, Place
from surefoot.domain.units import Count, Price


class Endpoint(Struct, frozen=True):
    """Where a target listens and what every request to it carries."""

    host: str
    port: int
    tls: bool
    path: str
    """Path prefix of the API, without a trailing slash: `/v1`."""
    headers: tuple[tuple[str, str], ...] = ()
    """Constant headers of the provider's profile; never a credential."""
    credential_header: str = "authorization"
    credential_prefix: str = "Bearer "
    ca_file: str | None = None
    """PEM file of certificate authorities to trust instead of the system's."""


class Continues(StrEnum):
    """How a target is made to continue an answer that broke off elsewhere."""

    PROMPT = "prompt"
    """The broken answer is shown to it as its own message, and a further message asks it to go on."""
    PREFILL = "prefill"
    """The broken answer stands last in the conversation, and the target writes on."""
    REPLAY = "replay"
    """It is asked the same again; what was delivered is compared and left out."""
    NEVER = "never"


class Target(Struct, frozen=True):
    """One model at one endpoint; `name` is how routes, records and headers call it."""

    name: str
    provider: str
    model: str
    dialect: str
    endpoint: Endpoint
    place: Place = NOWHERE_SAID
    """Where and by whom it processes. What is not declared is unknown: not allowed where a jurisdiction asks for it."""
    domains: dict[str, str] = field(default_factory=dict)
    """Failure domains: what it shares with others (`cloud`, `region`, `cdn`, ...)."""
    window: int | None = None
    """Context window in tokens, prompt and answer together; None is unknown."""
    features: Features | None = None
    """What it can do beside text; None is unknown, and may be asked for anything."""
    price: Price | None = None
    """None is unknown, which is not zero."""
    max_in_flight: Count | None = None
    """Most attempts under way at once, over the whole gateway."""
    usage_in_stream: bool = True
    """Whether it understands `stream_options.include_usage`."""
    continues: Continues = Continues.PROMPT
    """How it continues a broken answer."""
    prefill: dict[str, object] = field(default_factory=dict)
    """What a request with prefill carries besides: `{"continue_final_message": true}`."""
    deadline_header: str | None = None
    """Header that takes the rest of the deadline in milliseconds: another Surefoot's `surefoot-deadline`."""
    place_header: str | None = None
    """Header that takes the zones which a call is bound to: another Surefoot's `surefoot-place`."""
    text: str | None = None
    """A static target's answer; it has no endpoint that is ever asked."""
