"""The file that `surefoot init` writes: a commented beginning, made of what is found in the environment.

Knows the names of variables. Must never write the value of one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from surefoot.config.credentials import read_secret
from surefoot.config.door import SHORTEST_KEY
from surefoot.config.faults import Faults
from surefoot.config.profiles import Profile, profiles
from surefoot.config.shape import SecretTable

CLIENT_KEY = "SUREFOOT_KEY"
LOCAL = "ollama"

_TOP = """# Surefoot: where clients connect, who may answer them, and what they ask for.
# Check it with `surefoot check`, start it with `surefoot serve`.
# Every key is described in docs/reference/configuration.md.

[[listeners]]
address = "127.0.0.1:8080"    # any other address needs [[keys]]
"""

_KEY = """
[[keys]]                      # what clients show as `Authorization: Bearer`
name = "app"
env = "SUREFOOT_KEY"
"""

_NO_KEY = """
# [[keys]]                    # without keys every caller on this machine is admitted
# name = "app"
# env = "SUREFOOT_KEY"        # at least 16 characters, drawn at random
"""

_TARGET_END = """# place = "EU"                                       # where it processes: a country or a zone
# window = 128_000                                   # context window in tokens
# features = ["tools", "image", "json"]              # what it can do beside text; unknown unless said
# price = { input = "$0.25/MTok", output = "$2/MTok" }
"""

_ROUTE = """
[routes.chat]                 # clients ask for model = "chat"
targets = [%s]    # best first
# order = "latency"           # or "price"; otherwise as listed
# limits = { deadline = "60s" }
# hedge = "5%%"                # attempts beside a slow one, as a share of calls; "0%%" is none
"""


def found_providers(environ: Mapping[str, str]) -> list[str]:
    """Providers whose usual variable holds something that can be a key, and that need no more than a key."""
    return [
        name
        for name, profile in profiles().items()
        if profile.env and profile.base_url and profile.example and _usable(profile.env, environ)
    ]


def looked_for() -> list[str]:
    """The variables that `found_providers` looks at."""
    return [profile.env for profile in profiles().values() if profile.env and profile.base_url and profile.example]


def starter_file(environ: Mapping[str, str]) -> str:
    """The text of the file. With no provider found it names a model server on this machine."""
    providers = found_providers(environ)
    secret = environ.get(CLIENT_KEY, "") if _usable(CLIENT_KEY, environ) else ""
    parts = [_TOP, _KEY if len(secret.strip()) >= SHORTEST_KEY else _NO_KEY]
    if not providers:
        parts += ["\n# No provider's key was found in the environment; looked for:\n", _wrapped(looked_for())]
        parts += ["# This target is a model server on this machine.\n"]
    for name in providers or [LOCAL]:
        parts.append(_target(name, profiles()[name]))
    parts += _needing_more(environ)
    parts.append(_ROUTE % ", ".join(f'"{name}"' for name in providers or [LOCAL]))
    return "".join(parts)


def _usable(variable: str, environ: Mapping[str, str]) -> bool:
    return read_secret(SecretTable(env=variable), "", Path(), environ, Faults()) is not None


def _target(name: str, profile: Profile) -> str:
    lines = [f"\n[targets.{name}]", f'provider = "{name}"', f'model = "{profile.example}"    # put your model here']
    if profile.env:
        lines.append(f'key = {{ env = "{profile.env}" }}')
    if profile.note:
        lines.append(f"# {profile.note}")
    return "\n".join(lines) + "\n" + _TARGET_END


def _needing_more(environ: Mapping[str, str]) -> list[str]:
    """Providers whose key is there, but whose address only the reader knows: written as comments."""
    parts = []
    for name, profile in profiles().items():
        if profile.env and not profile.base_url and _usable(profile.env, environ):
            parts.append(
                f"\n# {profile.env} is set. {profile.note}\n"
                f'# [targets.{name}]\n# provider = "{name}"\n# base_url = "https://…"\n# model = "…"\n'
                f'# key = {{ env = "{profile.env}" }}\n'
            )
    return parts


def _wrapped(variables: Sequence[str]) -> str:
    rows = [variables[i : i + 3] for i in range(0, len(variables), 3)]
    return "".join(f"#   {', '.join(row)}\n" for row in rows)
