"""The supervisor's side of a drill on a running gateway: what may be ordered, and what the workers are told.

An order names worlds by number and, for each of them, where every target is reached. Pure: `now` is given.

Knows: the form of an order, and which workers have obeyed.
Must never: let a drilled call reach anything but this machine's loopback, where the twins are.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from surefoot.config.configuration import Configuration
from surefoot.config.targets import is_loopback
from surefoot.domain.target import Endpoint, Target
from surefoot.errors import DrillError
from surefoot.gateway.channel import Drill

LONGEST = 3600.0
"""Seconds that one order may last; whoever drills longer orders again."""

MOST_WORLDS = 1000
"""A worker looks at each of them at every tick."""


class Stand(Struct, frozen=True, forbid_unknown_fields=True):
    """What stands for a target: a base address on the loopback, and the authorities to trust there."""

    url: str
    ca: str | None = None


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /drill`. Without worlds the drill is over."""

    worlds: dict[int, dict[str, Stand]] = {}
    seconds: float = 60.0
    """How long the drill lasts if nothing more is said."""
    like: int | None = None
    """The world whose learned first-token times new worlds begin with, 0 being production's; without, none."""
    forward: bool = False
    """The twins stand in front of the real targets and pass the credentials on."""


class Drilling:
    """The drill that is on, if one is."""

    def __init__(self) -> None:
        self._frame = Drill(0, 0.0, credentials=False, worlds={})
        self._until = 0.0
        self._obeyed: dict[int, int] = {}

    def order(self, body: bytes, configuration: Configuration, now: float) -> Drill:
        """The frame for all workers. Raises `DrillError` if this gateway must not or cannot do so."""
        try:
            order = msgspec.json.decode(body, type=Order)
        except msgspec.DecodeError as error:
            raise DrillError(f"this is not an order for a drill: {error}") from error
        if order.worlds:
            _check(order, configuration)
        worlds = {
            number: {target.name: _moved(target, stands[target.name]) for target in _reached(configuration)}
            for number, stands in order.worlds.items()
        }
        self._frame = Drill(
            self._frame.serial + 1, order.seconds, credentials=order.forward, worlds=worlds, like=order.like
        )
        self._until = now + order.seconds
        return self._frame

    def over(self) -> None:
        """A reload has ended it."""
        self._until = 0.0

    def for_newcomer(self, now: float) -> list[Drill]:
        """What a worker that starts must hear."""
        left = self._until - now
        return [replace(self._frame, seconds=left)] if self._frame.worlds and left > 0 else []

    def heard(self, worker: int, serial: int) -> None:
        """A worker drills as it was told."""
        self._obeyed[worker] = serial

    def obeyed(self, workers: Iterable[int]) -> bool:
        """Whether all these workers drill as they were last told."""
        return all(self._obeyed.get(worker, 0) >= self._frame.serial for worker in workers)

    def status(self, now: float) -> dict[str, float] | None:
        """For a person; None while no drill is on."""
        left = self._until - now
        worlds = len(self._frame.worlds)
        return {"worlds": worlds, "ends_in": round(left, 3)} if worlds and left > 0 else None


def _reached(configuration: Configuration) -> list[Target]:
    return [target for target in configuration.targets if target.text is None]


def _check(order: Order, configuration: Configuration) -> None:
    if not any(key.drill for key in configuration.door.keys):
        raise DrillError(
            "no key is marked for drills: add [[keys]] with name, env or file, and drill = true, then reload"
        )
    if not 0 < order.seconds <= LONGEST:
        raise DrillError(f"seconds must lie between 0 and {LONGEST:g}")
    if min(order.worlds) < 1 or len(order.worlds) > MOST_WORLDS:
        raise DrillError(f"worlds are numbered from 1, and are at most {MOST_WORLDS}")
    names = {target.name for target in _reached(configuration)}
    for number, stands in order.worlds.items():
        if stands.keys() != names:
            missing = ", ".join(sorted(names - stands.keys())) or "none"
            raise DrillError(f"world {number} must name every target of this gateway and no other; missing: {missing}")


def _moved(target: Target, stand: Stand) -> Endpoint:
    try:
        split = urlsplit(stand.url)
        port = split.port
    except ValueError as error:
        raise DrillError(f"the address for {target.name} is not a URL: {error}") from error
    host = split.hostname or ""
    if split.scheme not in {"http", "https"} or not port or not is_loopback(host):
        raise DrillError(f"the address for {target.name} must be http or https on the loopback, with a port")
    return replace(
        target.endpoint,
        host=host,
        port=port,
        tls=split.scheme == "https",
        path=split.path.rstrip("/"),
        ca_file=stand.ca,
    )
