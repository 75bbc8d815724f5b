"""The scene of `forbidden.py`: gateways whose only healthy target is outside, and calls that would like to go there.

`far` and `mute` are one healthy provider: one is declared to be in the US, the other declares nothing. Both stand
before those that are allowed, and are the cheapest. `behind` is another Surefoot that knows of no jurisdiction; its
first target, `beyond`, is healthy and in the US too, so that only what is handed on keeps calls away from it.

Knows: configurations and requests. Must never: start a process, or send anything.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from surefoot.drill.catalogue import MODES, Mode
from surefoot.load import LoadPlan

OUTSIDE = frozenset({"far", "mute"})
"""Targets that nobody here may be sent to."""

TLS_TWIN, PLAIN_TWIN = "other", "near"
"""The allowed providers, as both gateways name them."""

TOKENS = 8

FEW = 5
"""Phases between two reloads."""

WARY = -1
"""The version whose breakers open soon, so that there are probes. Those of others as good as stay closed."""
_SECRET = "key-of-{}-0123456789"  # noqa: S105 - of keys that live as long as a run
_ROUTES = ("open", "cheap", "strict", "outer", "relay")

KEYS = {"bound": _ROUTES, "clinic": _ROUTES, "patient": _ROUTES, "free": ("strict", "outer")}
"""Client keys and the routes that they ask for. `free` is bound by nothing but its routes."""

HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"surefoot-place": "WORLD"},
    {"surefoot-place": "US, EU"},
    {"surefoot-place": "US"},
    {"surefoot-jurisdiction": "anywhere"},
    {"surefoot-jurisdiction": "anywhere", "surefoot-place": "US, WORLD"},
    {"surefoot-jurisdiction": "clinic, patients"},
    {"surefoot-data-class": "harmless", "surefoot-data-region": "US"},
    {"surefoot-data-class": "health"},
    {"surefoot-deadline": "300", "surefoot-place": "world"},
    {"surefoot-resume": "text", "surefoot-data-region": "WORLD"},
)
"""What clients say besides, by turns: most of it would widen if it could."""

_COMMON = """
[policy.first_token]
hedge = "60ms"
hedge_floor = "60ms"
limit = "200ms"
limit_floor = "200ms"
plain_hedge = "60ms"
plain_hedge_floor = "60ms"
plain_limit = "200ms"
plain_limit_floor = "200ms"
cap = "200ms"
[policy.breaker]
streak = {streak}
certain = {certain}
open_for = "20ms"
longest = "40ms"
[policy.budget]
share = "100%"
burst = 1_000
[policy.exercise]
deadline = "100ms"
"""
_TARGET = """
[targets.{name}]
provider = "{provider}"
model = "{model}"
base_url = "{url}/v1"
price = {{ input = "{price}/MTok", output = "{price}/MTok" }}
"""
_ROUTE = """
[routes.{name}]
targets = {targets}
order = "{order}"
resume = "text"
hedge = "100%"
filtered = "fall back"
exercise = "10%"
limits = {{ deadline = "600ms", connect = "300ms", idle = "200ms", wait = "300ms", attempts = 6 }}
"""
_KEYS = """
[[keys]]
name = "bound"
env = "KEY_OF_BOUND"
jurisdictions = ["eu"]
[[keys]]
name = "clinic"
env = "KEY_OF_CLINIC"
tenant = "clinic"
[[keys]]
name = "patient"
env = "KEY_OF_PATIENT"
classes = ["health", "harmless"]
[[keys]]
name = "free"
env = "KEY_OF_FREE"
classes = ["harmless"]
routes = ["strict", "outer"]
"""
_JURISDICTIONS = """
[jurisdiction.eu]
{eu}
[jurisdiction.clinic]
{eu}
subjects = {{ tenants = ["clinic"] }}
[jurisdiction.patients]
{eea}
subjects = {{ classes = ["health"], regions = ["FR"] }}
obligations = {{ hedge = false, keep = false }}
[jurisdiction.other-people]
subjects = {{ classes = ["harmless"] }}
"""


class Addresses(NamedTuple):
    """Where the providers are, by name, and the certificate authority of the one that speaks TLS."""

    urls: Mapping[str, str]
    ca: Path


def environment() -> dict[str, str]:
    """The variables that the configuration names."""
    return {f"KEY_OF_{name.upper()}": _SECRET.format(name) for name in KEYS}


def front(at: Addresses, behind: str, *, binding: bool = True, turn: int = 0) -> str:
    """The gateway that is asked, in one of its versions. Without `binding` jurisdictions say nothing of a target."""
    places = {"far": "US", "mute": None, PLAIN_TWIN: "DE", TLS_TWIN: "FR", "behind": "EU"}
    twins = {"far": "far", "mute": "far", PLAIN_TWIN: PLAIN_TWIN, TLS_TWIN: TLS_TWIN}
    text = "".join(_target(name, at, place, twins.get(name), behind) for name, place in places.items())
    text += _route("open", '["far", "mute", "near", "other", "behind"]')
    text += _route("cheap", '[{ route = "open" }]', "price")
    text += _route("strict", '["far", "mute", "other", "near", "behind"]') + 'jurisdiction = "eu"\n'
    text += _route("outer", '[{ route = "strict" }]', "latency")
    text += _route("relay", '["behind", "near"]')
    asked = {"eu": 'processes = ["EU"]', "eea": 'processes = ["EEA"]'} if binding else {"eu": "", "eea": ""}
    return (
        _KEYS
        + _JURISDICTIONS.format(**asked)
        + text
        + _COMMON.format(streak=5 if turn == WARY else 1_000, certain=1_000 + turn)
    )


def back(at: Addresses) -> str:
    """The gateway behind it, which binds nobody."""
    places = {"beyond": "US", PLAIN_TWIN: "DE", TLS_TWIN: "FR"}
    text = "".join(_target(name, at, place, name, "") for name, place in places.items())
    return text + _route("open", '["beyond", "near", "other"]') + _COMMON.format(streak=1_000, certain=1_000)


def _target(name: str, at: Addresses, place: str | None, twin: str | None, behind: str) -> str:
    provider, model = ("surefoot", "open") if twin is None else ("openai-compatible", f"twin-{name}")
    url = behind if twin is None else at.urls[twin]
    price = "$0.01" if name in OUTSIDE else "$1"
    text = _TARGET.format(name=name, provider=provider, model=model, url=url, price=price)
    text += "" if place is None else f'place = "{place}"\n'
    return text + (f'ca = "{at.ca}"\n' if twin == TLS_TWIN else "")


def _route(name: str, targets: str, order: str = "listed") -> str:
    return _ROUTE.format(name=name, targets=targets, order=order)


class Phase(NamedTuple):
    """One stretch of a run: what each allowed provider has."""

    modes: Mapping[str, Mode]
    """By provider."""
    turn: int
    """Which version of the configuration is in force; the gateway reloads whenever that changes."""


def phases() -> list[Phase]:
    """Every mode at either provider, and in the middle some of them again with wary breakers.

    Every few phases the gateway reloads, which closes what breakers `Retry-After` has opened.
    """
    count = len(MODES)
    found = [_phase(MODES[at], MODES[(at + count // 2) % count], at // FEW) for at in range(count)]
    middle = [one._replace(turn=WARY) for one in found[-FEW:]]
    return [*found[: count // 2], *middle, *found[count // 2 :]]


def _phase(secure: Mode, plain: Mode, turn: int) -> Phase:
    """Where there is no TLS, no handshake can fail: the connection is refused instead."""
    without = next(mode for mode in MODES if mode.name == "refuse")
    return Phase({TLS_TWIN: secure, PLAIN_TWIN: without if plain.fault.kind == "tls" else plain}, turn)


def plans(url: str, phase: Phase, calls: int, seconds: float, rng: Random) -> list[LoadPlan]:
    """The calls of one phase, spread over so many seconds: every key, route and form by turns, with random headers."""
    lanes = [(key, route, stream) for key, routes in KEYS.items() for route in routes for stream in (False, True)]
    rng.shuffle(lanes)
    asks = [mode.ask for mode in phase.modes.values()]
    counts = [calls // len(lanes) + (n < calls % len(lanes)) for n in range(len(lanes))]
    used = [(lane, count) for lane, count in zip(lanes, counts, strict=True) if count]
    return [_plan(url, lane, count, seconds, rng.choice(asks), rng) for lane, count in used]


def starts(plans: Sequence[LoadPlan]) -> list[float]:
    """When each of them begins, in seconds, so that they do not all call at once."""
    rate = sum(plan.rate for plan in plans)
    return [number / rate for number in range(len(plans))]


def _plan(url: str, lane: tuple[str, str, bool], count: int, seconds: float, ask: str, rng: Random) -> LoadPlan:
    key, route, stream = lane
    said = '"stream":true,' if stream else ""
    more = f",{ask}" if ask else ""
    body = (
        f'{{"model":"{route}",{said}"messages":[{{"role":"user","content":"And now?"}}],"max_tokens":{TOKENS}{more}}}'
    )
    return LoadPlan(
        url=url,
        rate=count / seconds,
        count=count,
        stream=stream,
        body=body.encode(),
        headers={"authorization": f"Bearer {_SECRET.format(key)}"} | rng.choice(HEADERS),
        timeout=5.0,
    )
