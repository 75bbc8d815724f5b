"""The three sites of the demo and the configuration that puts a gateway before them.

Knows: their names, places and speeds. Must never: start the gateway.
"""

from collections.abc import Mapping

from msgspec import Struct

from surefoot.twin import Behaviour, Fixed, Lognormal, TwinOptions

TOKENS = 20
"""Tokens of every answer of a twin: a stream then lasts about 0.1 s."""

RATE = 400.0
"""Tokens per second of every twin."""

ROUTE = "chat"


class Site(Struct, frozen=True):
    """One place that can answer. Times to first token (TTFT) in seconds."""

    name: str
    place: str
    """Zone in which it processes."""
    ttft: float
    ttft_p99: float


PRIMARY = Site("eu-cloud", "EU", 0.060, 0.080)
ON_PREM = Site("on-prem", "cellar", 0.040, 0.055)
SITES = (PRIMARY, ON_PREM, Site("us-cloud", "US", 0.090, 0.120))
"""In the order in which the route asks them."""

LIMITS = {"deadline": "10s", "connect": "500ms", "idle": "500ms"}
BREAKER_OPEN_FOR = "1s"


def options(site: Site, seed: int) -> TwinOptions:
    """The twin that stands for a site."""
    ttft = Lognormal(site.ttft, p99=site.ttft_p99)
    return TwinOptions(Behaviour(ttft=ttft, rate=Fixed(RATE), tokens=Fixed(TOKENS), seed=seed))


def configuration(
    urls: Mapping[str, str], models: Mapping[str, str], ports: tuple[int, int], slots: Mapping[str, int]
) -> str:
    """The TOML file: `urls`, `models` and, where there is a bound, `slots` by site; listener's and admin's `ports`."""
    names = ", ".join(f'"{site.name}"' for site in SITES)
    limits = ", ".join(f'{name} = "{value}"' for name, value in LIMITS.items())
    return "\n".join(
        [
            f'[[listeners]]\naddress = "127.0.0.1:{ports[0]}"\n',
            f'[admin]\naddress = "127.0.0.1:{ports[1]}"\n',
            '[journal]\npath = "journal.db"\n',
            '[zones.cellar]\nwithin = ["DE"]\n',
            *(_target(site, urls[site.name], models[site.name], slots.get(site.name)) for site in SITES),
            f'[routes.{ROUTE}]\ntargets = [{names}]\nlimits = {{ {limits} }}\nresume = "text"\n',
            f'[policy.breaker]\nopen_for = "{BREAKER_OPEN_FOR}"\n',
        ]
    )


def _target(site: Site, url: str, model: str, slots: int | None) -> str:
    bound = "" if slots is None else f"max_in_flight = {slots}\n"
    return (
        f'[targets.{site.name}]\nprovider = "openai-compatible"\nmodel = "{model}"\n'
        f'base_url = "{url}/v1"\nplace = "{site.place}"\n{bound}'
    )
