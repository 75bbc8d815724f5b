"""Provider profiles: what is known of each provider's API, as data that ships in the package.

Knows `profiles.toml` beside it, and which dialects are installed. Must never know a credential or a model.
"""

import tomllib
from functools import cache
from importlib.metadata import entry_points
from importlib.resources import files

import msgspec
from msgspec import Struct

from surefoot.domain.place import Confirmation
from surefoot.domain.target import Continues

DIALECTS = "surefoot.dialects"
"""Entry point group; an installed package adds a dialect by naming it there."""


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """One provider's API."""

    source: str
    """Where this was read."""
    as_of: str
    """When, as year and month."""
    base_url: str | None = None
    """None: the configuration has to say."""
    dialect: str = "openai-chat"
    credential_header: str = "authorization"
    credential_prefix: str = "Bearer "
    env: str | None = None
    """Usual name of the environment variable with the credential; None: it usually needs none."""
    example: str | None = None
    """A model to begin with."""
    usage_in_stream: bool = True
    continues: Continues = Continues.PROMPT
    """How its targets continue an answer that broke off elsewhere."""
    prefill: dict[str, bool] = {}
    """What a request with prefill carries besides."""
    deadline_header: str | None = None
    """Header that takes the rest of the deadline in milliseconds."""
    place_header: str | None = None
    """Header that takes the zones which a call is bound to."""
    confirms: tuple[Confirmation, ...] = ()
    """Where its answers tell by themselves what may be declared of a target."""
    headers: dict[str, str] = {}
    """Constant headers that the provider asks for."""
    note: str = ""


@cache
def profiles() -> dict[str, Profile]:
    """Every profile by the name that `provider` takes."""
    text = (files("surefoot.config") / "profiles.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Profile])


def dialects() -> tuple[str, ...]:
    """Names of the installed dialects."""
    return tuple(sorted({point.name for point in entry_points(group=DIALECTS)}))
