"""What jurisdiction and receipt cost in the worker together: microseconds of one call with both, less one without.

    python -m benchmarks.binding [--rounds 80]

What is timed is one plain success from its read request to its record, in the order of `gateway.front` and with the
worker's own parts: what binds it, the request, room for its receipts, the Call with its records, and the credit that
comes back in batches. The sides take turns in short rounds; what is told is the median of the paired differences. The
aim is 3.5 us. `bare` is a worker that knows of neither: nothing is bound, and no room is asked for. `unbound` is one
that knows of them and is told of none; `narrowed` has headers that narrow besides, `bound` none.

Knows: the path of a call without its sockets. Must never: time the parsing, which is the same for all.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import cast

import msgspec

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks.core import repeat
from benchmarks.ratios import paired_differences

from surefoot.dialects.dialect import Complaint
from surefoot.dialects.openai_chat import DIALECT
from surefoot.domain.front import ClientKey, Door
from surefoot.domain.jurisdiction import ANYWHERE, Constraints, Jurisdiction, Obligations, Subjects
from surefoot.domain.place import Place, Zone
from surefoot.domain.receipt import ReceiptOptions
from surefoot.domain.request import Request
from surefoot.domain.route import Route, Rung
from surefoot.domain.target import Endpoint, Target
from surefoot.gateway import surface
from surefoot.gateway.channel import Records, Settings, Settled
from surefoot.gateway.exchange import Exchange
from surefoot.gateway.owing import Owing
from surefoot.gateway.own_headers import CLASS, PLACE, wrong_header
from surefoot.gateway.recipient import Recipient
from surefoot.gateway.world import World
from surefoot.policy.options import PolicyOptions
from surefoot.wire.server import Incoming

CALLS = 1_000
"""Calls of a round."""

BATCH = 100
"""Calls after which records are sent and room comes back."""

AIM = 3.5
"""Microseconds."""

_STEP_SECONDS = 0.001
_NOTHING: dict[bytes, bytes] = {}
_DE, _US = frozenset({"DE"}), frozenset({"US"})
_ZONES = {"EU": Zone(_DE, _DE), "DE": Zone(_DE, _DE), "US": Zone(_US, _US), "WORLD": Zone(_DE | _US, _DE | _US)}
_JURISDICTIONS = (
    Jurisdiction("eu", constraints=Constraints(processes=("EU",))),
    Jurisdiction("health", Subjects(classes=("health",)), obligations=Obligations(keep=False)),
)
_BODY = b'{"model":"chat","messages":[{"role":"user","content":"%b"}]}' % (b"x" * 1_000)


def _settings(*, binding: bool) -> Settings:
    endpoint = Endpoint("127.0.0.1", 1, tls=False, path="/v1")
    places = {"far": Place(("US",)), "near": Place(("DE",)), "backup": Place(("DE",))}
    targets = tuple(
        Target(name, "openai-compatible", "m", "openai-chat", endpoint, place) for name, place in places.items()
    )
    return Settings(
        "v1", Door(()), targets, (Route("chat", tuple(Rung(target.name) for target in targets)),), PolicyOptions(), {},
        1, 0, 7, None, "call-",
        zones=_ZONES if binding else {}, jurisdictions=_JURISDICTIONS if binding else (),
        receipts=ReceiptOptions("receipts.jsonl", required=True) if binding else None,
    )  # fmt: skip


class _Path:
    """The path of calls through one worker, as far as there are no sockets on it."""

    def __init__(self, *, binding: bool, headers: dict[bytes, bytes]) -> None:
        settings = _settings(binding=binding)
        self.world = World(settings)
        self.owing = Owing()
        self.owing.enter(settings.receipts, 1)
        self.key = ClientKey("app", b"", jurisdictions=("eu",) if binding else ())
        self.stack = self.world.fleet.stacks["chat"]
        self.ask = DIALECT.read(_BODY)
        self.incoming = Incoming()
        self.incoming.headers, self.incoming.own = {b"host": b"localhost", **headers}, bool(headers)
        self.now = 0.0
        self.connection = cast("Recipient", None)  # nothing is written on this path

    def call(self) -> None:
        """One call, bound by whatever binds it."""
        self.now += _STEP_SECONDS
        world, incoming = self.world, self.incoming
        if incoming.own and wrong_header(incoming.headers, canary=False) is not None:
            raise RuntimeError("the headers are wrong")
        applied = world.binder.applied(self.key, self.stack.route, incoming.headers if incoming.own else _NOTHING)
        if isinstance(applied, Complaint):
            raise TypeError(applied.message)
        request = surface.request_of(self.ask, self.stack.route, applied, incoming)
        owes = world.receipts or applied.obligations.receipts
        if owes and self.owing.reserve() is not None:
            raise RuntimeError("there is no room left: settle sooner")
        self._live(request, owes=owes)

    def bare(self) -> None:
        """One call of which nobody asks what binds it."""
        self.now += _STEP_SECONDS
        self._live(surface.request_of(self.ask, self.stack.route, ANYWHERE, self.incoming), owes=False)

    def _live(self, request: Request | Complaint, *, owes: bool) -> None:
        if isinstance(request, Complaint):
            raise TypeError(request.message)
        world, now = self.world, self.now
        call = world.make_call(world.fleet, request, now)
        exchange = Exchange(world, self.connection, DIALECT, self.ask, call)
        exchange.owes = owes
        world.live.add(exchange)
        call.begin(now)
        call.content(0, now)
        call.finished(0, now, 181, 104)
        world.ended(exchange)
        if len(world.records) + len(world.owed) >= BATCH:
            self._send()

    def _send(self) -> None:
        """What a worker does now and then: the frame, and the credit that comes back for it."""
        world, owed = self.world, self.world.owed
        msgspec.msgpack.encode(Records(world.records, 0, owed, 0))
        world.records, world.owed = [], []
        if owed:
            self.owing.handed_over(len(owed), 0)
            self.owing.settle(Settled(len(owed), writing=True))
        world.fleet.tick(self.now)


def sides() -> dict[str, Callable[[], None]]:
    """One function for each side; each has a worker of its own."""
    narrowing = {CLASS: b"health", PLACE: b"EU"}
    return {
        "bare": _Path(binding=False, headers={}).bare,
        "unbound": _Path(binding=False, headers={}).call,
        "bound": _Path(binding=True, headers={}).call,
        "narrowed": _Path(binding=True, headers=narrowing).call,
    }


def measure(rounds: int) -> dict[str, list[float]]:
    """Microseconds of CPU a call, by side; the sides take turns at going first."""
    functions = sides()
    costs: dict[str, list[float]] = {name: [] for name in functions}
    names = list(functions)
    for name in names:
        repeat(functions[name], CALLS, time.thread_time_ns)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            costs[name].append(repeat(functions[name], CALLS, time.thread_time_ns))
    return costs


def main() -> None:
    """Print what each side costs, and the differences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=80)
    costs = measure(parser.parse_args().rounds)
    for name, found in costs.items():
        print(f"{name}: {min(found):.2f} us least, {median(found):.2f} us median")
    for name, base in (("bound", "bare"), ("bound", "unbound"), ("narrowed", "bare"), ("unbound", "bare")):
        told = paired_differences(costs[name], costs[base])
        least = min(costs[name]) - min(costs[base])
        print(
            f"{name} less {base}: {told.value:.2f} us [{told.low:.2f}, {told.high:.2f}] ({told.n} pairs of {CALLS:,} "
            f"calls); least less least {least:.2f}; aim {AIM}: {'reached' if told.high <= AIM else 'MISSED'}"
        )


if __name__ == "__main__":
    main()
