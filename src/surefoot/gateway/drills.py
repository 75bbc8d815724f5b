"""Drills in one worker: worlds of their own for calls under a canary key, so that production never sees a drill.

A drill's world has the routes, limits and options of the configuration in force, and its own Fleet, pools and budgets.
Only where targets are reached differs. Nothing that it learns is told to anyone; its records are marked.

Knows: which worlds there are, and when they end.
Must never: touch production's world, or outlive its time.
"""

from typing import Protocol

from msgspec.structs import replace

from surefoot.domain.record import CALL_FIELDS, CallRecord
from surefoot.domain.target import Endpoint, Target
from surefoot.gateway.channel import Drill, Settings
from surefoot.gateway.exchange import Exchange
from surefoot.gateway.world import World
from surefoot.wire.clock import now

HEADER = b"surefoot-drill"
"""Names the world of a canary call by its number; without it the first one is taken."""

PLACEHOLDER = "a-drill-shows-no-credential"
"""Stands where a target's credential would, so that a request has its usual shape."""

_DRILL = CALL_FIELDS.index("drill")


class House(Protocol):
    """What drills need of the front that they stand in."""

    world: World


class DrillWorld(World):
    """One world of a drill."""

    def __init__(self, settings: Settings, number: int, order: Drill, house: House) -> None:
        self.endpoints = order.worlds[number]
        targets = tuple(_at(target, self.endpoints.get(target.name)) for target in settings.targets)
        told = settings.credentials if order.credentials else dict.fromkeys(settings.credentials, PLACEHOLDER)
        # One worker: what this world knows is shared with no other, so that it grants its own probes and slots.
        super().__init__(replace(settings, targets=targets, credentials=told, workers=1))
        self.drill = number
        self._house = house
        self._suspend_as_production(now())

    def tick(self, at: float) -> None:
        """Fold what was learned. Who was suspended since the drill began is asked by it no more either."""
        self._suspend_as_production(at)
        super().tick(at)

    def _suspend_as_production(self, at: float) -> None:
        self.fleet.suspend_as(self._house.world.fleet, at)

    def learn_from(self, other: World) -> None:
        """Begin with the first-token times that another world has learned."""
        for name, state in self.fleet.targets.items():
            state.first_token.learn_from(other.fleet.targets[name].first_token)

    def ended(self, exchange: Exchange) -> None:
        """A drilled call is over: its record is marked, and goes the way of all records."""
        self.parted(exchange)
        record: CallRecord = exchange.record()
        self._house.world.keep(exchange, (*record[:_DRILL], self.drill, *record[_DRILL + 1 :]))


class Drills:
    """The worlds of the drill that is on, and those that still have calls in flight."""

    def __init__(self) -> None:
        self.worlds: list[DrillWorld] = []
        self._open: dict[bytes, DrillWorld] = {}
        self._first: DrillWorld | None = None
        self._until = 0.0

    def obey(self, order: Drill, house: House, at: float) -> None:
        """From now on these worlds, and no others."""
        self._until = at + order.seconds
        known = {world.drill: world for world in self._open.values()}
        now_open = [self._open_one(number, order, house, known) for number in sorted(order.worlds)]
        self._open = {b"%d" % world.drill: world for world in now_open}
        self._first = now_open[0] if now_open else None
        self._retire()

    def _open_one(self, number: int, order: Drill, house: House, known: dict[int, DrillWorld]) -> DrillWorld:
        before = known.get(number)
        if before is not None and before.endpoints == order.worlds[number]:
            return before
        made = DrillWorld(house.world.settings, number, order, house)
        model: World | None = house.world if order.like == 0 else known.get(-1 if order.like is None else order.like)
        if model is not None:
            made.learn_from(model)
        self.worlds.append(made)
        return made

    def end(self) -> None:
        """No drill from now on; calls in flight end in their worlds."""
        self._open, self._first = {}, None
        self._retire()

    def world_of(self, headers: dict[bytes, bytes]) -> DrillWorld | None:
        """The world of a canary call, or None while there is no such drill."""
        named = headers.get(HEADER)
        return self._first if named is None else self._open.get(named)

    def tick(self, at: float) -> None:
        """Fold what was learned."""
        for world in self.worlds:
            world.tick(at)

    def sweep(self, at: float) -> None:
        """Once a second: end in time, warm what is in use, let go of what is over."""
        if self._first is not None and at >= self._until:
            self.end()
        for world in self.worlds:
            world.warm(at)
        self._retire()

    def _retire(self) -> None:
        kept: list[DrillWorld] = []
        for world in self.worlds:
            if world.live or self._open.get(b"%d" % world.drill) is world:
                kept.append(world)
            else:
                world.close()
        self.worlds = kept


def _at(target: Target, endpoint: Endpoint | None) -> Target:
    return target if endpoint is None else replace(target, endpoint=endpoint)
