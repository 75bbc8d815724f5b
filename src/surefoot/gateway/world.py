"""A world: one version of the configuration, alive in one worker. Calls in flight keep the one they began in.

A reload makes a new world that adopts what the old Fleet knows and takes over the pools of targets that have not
changed.
"""

import logging
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from pathlib import Path
from random import Random
from traceback import extract_tb
from typing import cast

from surefoot.dialects.dialect import Dialect
from surefoot.dialects.openai_chat import DIALECT as OPENAI_CHAT
from surefoot.domain.front import ClientKey
from surefoot.domain.jurisdiction import Applied
from surefoot.domain.record import CallRecord
from surefoot.domain.request import Request
from surefoot.errors import StartError
from surefoot.gateway.binder import REMEMBERED, Binder
from surefoot.gateway.channel import Settings
from surefoot.gateway.exchange import Exchange
from surefoot.gateway.trace import Trace
from surefoot.gateway.upstream import Upstream
from surefoot.policy.call import Call
from surefoot.policy.fleet import Fleet
from surefoot.policy.jurisdictions import Jurisdictions
from surefoot.policy.target_state import News, Suspended
from surefoot.policy.zones import Zones

log = logging.getLogger("surefoot.worker")


class World:
    """See the module. `live` are the exchanges under way."""

    drill = 0
    """Number of the drill's world that this is; 0 is production."""

    def __init__(
        self, settings: Settings, before: "World | None" = None, *, tracing: Callable[[], Trace] | None = None
    ) -> None:
        self.settings = settings
        self.version = settings.version
        self.fleet = Fleet(
            settings.targets,
            settings.routes,
            settings.options,
            Random(settings.seed),  # noqa: S311 - jitter, not secrets
            settings.workers,
            Jurisdictions(Zones(settings.zones), settings.jurisdictions),
        )
        self.binder = Binder(self.fleet.jurisdictions)
        self._trace = None if tracing is None else tracing()
        self.make_call: type[Call] = Call if self._trace is None else self._trace.calls()
        self._provenance: dict[tuple[str, str, int], bytes] = {}
        self._narrowed: dict[tuple[str, ...], bytes] = {}
        self.live: set[Exchange] = set()
        self.calls = dict.fromkeys(self.fleet.stacks, 0)
        self.latest: dict[str, Call] = {}
        """The latest call of each route since the last look: what a warm connection is chosen for."""
        self.records: list[CallRecord] = []
        self.owed: list[CallRecord] = []
        """Records of calls that owe their receipts: these are never dropped."""
        self.forgotten = 0
        """Calls that owed them and left no record, by a fault of ours; whoever tells the supervisor sets it back."""
        self.receipts = settings.receipts is not None and settings.receipts.required
        """Whether every call owes them."""
        self.routes = tuple(route.name for route in settings.routes)
        self.upstreams: dict[str, Upstream] = {}
        for target in settings.targets:
            credential = settings.credentials.get(target.name)
            kept = None if before is None else before.kept(target.name, settings)
            dialect = OPENAI_CHAT if target.text is not None else dialect_named(target.dialect)
            self.upstreams[target.name] = kept or Upstream(target, credential, dialect)
        if before is not None:
            self.fleet.adopt(before.fleet)

    def kept(self, name: str, settings: Settings) -> Upstream | None:
        """The upstream of a target that is the same under other settings, credential included."""
        upstream = self.upstreams.get(name)
        same = upstream is not None and upstream.target in settings.targets
        return upstream if same and self.settings.credentials.get(name) == settings.credentials.get(name) else None

    def retire(self, after: "World") -> None:
        """Another world serves from now on: let go of the connections that it does not use."""
        used = {id(upstream) for upstream in after.upstreams.values()}
        for upstream in self.upstreams.values():
            if id(upstream) not in used:
                upstream.pool.close()

    def close(self) -> None:
        """The worker leaves."""
        for upstream in self.upstreams.values():
            upstream.pool.close()
        if self._trace is not None:
            self._trace.flush()

    def tick(self, at: float) -> None:
        """Fold what was learned."""
        if self._trace is not None:
            self._trace.tick(at)
            self._trace.flush()
        self.fleet.tick(at)

    def hear(self, news: News, at: float) -> None:
        """Another worker, or the supervisor, has found something out."""
        if self._trace is not None:
            self._trace.hear(news, at)
        self.fleet.hear(news, at)

    def believe(self, before: "World", news: Iterable[News], at: float) -> list[News]:
        """Calls that began in an older world have found something out. Of targets that are other ones now it is void.

        Whom it suspends is suspended here too: a target whose options have changed has another state in this world.
        """
        here = {target.name: target for target in self.settings.targets}
        same = [one for one in news if here.get(one.target) == before.upstreams[one.target].target]
        for one in same:
            if isinstance(one, Suspended):
                self.hear(one, at)
        return same

    def leave_alone(self, at: float) -> None:
        """The supervisor is gone."""
        if self._trace is not None:
            self._trace.alone(at)
        self.fleet.leave_alone()

    def ended(self, exchange: Exchange) -> None:
        """A call is over."""
        if exchange.allowance is None:
            self.live.discard(exchange)
        else:
            self.parted(exchange)
        self.keep(exchange, exchange.record())

    def keep(self, exchange: Exchange, record: CallRecord) -> None:
        """Put a record where it waits to be sent."""
        (self.owed if exchange.owes else self.records).append(record)

    def parted(self, exchange: Exchange) -> None:
        """A call is no more among those that live, nor among those that its key has under way."""
        self.live.discard(exchange)
        if exchange.allowance is not None:
            exchange.allowance.leave()
            exchange.allowance = None

    def provenance(self, route: str, target: str, attempts: int) -> bytes:
        """The headers that tell who answered: built once for each combination, of which there are few."""
        key = (route, target, attempts)
        lines = self._provenance.get(key)
        if lines is None:
            text = f"surefoot-route: {route}\r\nsurefoot-attempts: {attempts}\r\n"
            if target:
                text += f"surefoot-target: {target}\r\n"
                if self.upstreams[target].target.text is not None:
                    text += "surefoot-static: 1\r\n"
            lines = self._provenance[key] = text.encode("latin-1", "replace")
        return lines

    def narrowed(self, call: Call, number: int) -> bytes:
        """The zones that an attempt is bound to, for a target that is another gateway; empty if it is not bound."""
        binding = call.binding(number)
        key = tuple(part.name for part in binding)
        found = self._narrowed.get(key)
        if found is None:
            if len(self._narrowed) >= REMEMBERED:
                self._narrowed.clear()
            allowed = [part.constraints.processes for part in binding if part.constraints.processes is not None]
            denied = [zone for part in binding for zone in part.deny.processes]
            names = self.fleet.jurisdictions.zones.common(allowed, denied) if allowed or denied else ()
            found = self._narrowed[key] = ", ".join(names).encode("ascii")
        return found

    def warm_first(self, keys: Iterable[ClientKey]) -> None:
        """Open a connection to the first target of each route that one of these keys may use: to no other one."""
        for key in keys:
            for stack in [
                stack for name, stack in self.fleet.stacks.items() if key.routes is None or name in key.routes
            ]:
                applied = self.binder.applied(key, stack.route, {})
                if isinstance(applied, Applied):
                    request = Request(stack.route.name, stream=True, prompt_tokens=0, jurisdiction=applied)
                    for candidate in stack.admitted(request)[:1]:
                        self.upstreams[candidate.target.name].pool.warm()

    def wake(self, at: float) -> float:
        """Wake the calls whose time has come; returns when the next one's comes, as far as is known now."""
        due: list[Exchange] = []
        soonest = float("inf")
        for exchange in self.live:
            wake_at = exchange.call.wake_at
            if wake_at <= at:
                due.append(exchange)
            elif wake_at < soonest:
                soonest = wake_at
        for exchange in due:
            try:
                exchange.wake(at)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one call is not to stop the others
                self._give_up(exchange, error)
        return soonest

    def end_all(self) -> None:
        """The time to drain is over: whoever still waits is told, and let go."""
        for exchange in list(self.live):
            self._end(exchange)

    def _give_up(self, exchange: Exchange, error: Exception) -> None:
        """End a call that cannot go on, and nothing else.

        Logged is where the error arose and not what it says, for that may quote a prompt.
        """
        log.error("a call of route %s is ended: %s", exchange.call.request.route, _origin(error))
        self._end(exchange)

    def _end(self, exchange: Exchange) -> None:
        try:
            exchange.stop()
        except Exception as error:  # noqa: BLE001 - as above
            log.error("a call cannot be ended in order, and leaves no record: %s", _origin(error))  # noqa: TRY400
            self.parted(exchange)
            exchange.give_up()
            self.forgotten += exchange.owes

    def warm(self, at: float) -> None:
        """Keep one connection open to the next target of each route that is in use."""
        for call in self.latest.values():
            following = call.next_target(at)
            if following is not None:
                self.upstreams[following.name].pool.warm()
        self.latest.clear()
        for upstream in self.upstreams.values():
            upstream.pool.sweep(at)


def _origin(error: Exception) -> str:
    """What kind of error it is and where it arose, without its words."""
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
    return f"{type(error).__name__} at {' > '.join(places)}"


def dialect_named(name: str) -> Dialect:
    """The dialect of an entry point; the one that nearly everybody uses is found without looking."""
    if name == OPENAI_CHAT.name:
        return OPENAI_CHAT
    found = entry_points(group="surefoot.dialects", name=name)
    if not found:
        raise StartError(f"No dialect is called '{name}'. Install the package that brings it.")
    return cast("Dialect", next(iter(found)).load())
