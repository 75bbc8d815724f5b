"""The front of a worker: takes whole requests from connections and makes exchanges of them."""

from math import ceil

from surefoot.dialects.dialect import Complaint
from surefoot.dialects.openai_chat import DIALECT as OPENAI_CHAT
from surefoot.domain.front import ANYONE, ClientKey, Door
from surefoot.errors import DialectError
from surefoot.gateway import surface
from surefoot.gateway.channel import Keys
from surefoot.gateway.complaints import refusal
from surefoot.gateway.doorkeeper import NONE, Doorkeeper
from surefoot.gateway.drills import Drills
from surefoot.gateway.exchange import Exchange
from surefoot.gateway.handover import Meeting, Relay
from surefoot.gateway.owing import RETRY_AFTER, Owing
from surefoot.gateway.own_headers import wrong_header
from surefoot.gateway.recipient import Client, Recipient
from surefoot.gateway.resends import HEADER, Resends
from surefoot.gateway.world import World
from surefoot.policy.allowance import SOON, Allowance
from surefoot.wire.clock import now, wall
from surefoot.wire.server import Incoming, Served, ServerConnection

CHAT = b"/v1/chat/completions"
MODELS = b"/v1/models"

_NOTHING: dict[bytes, bytes] = {}


class Front:
    """See the module. `world` is replaced on reload; everything else lives as long as the worker."""

    def __init__(self, world: World, prefix: str, keys: Keys = NONE) -> None:
        self.world = world
        self.door: Door = world.settings.door
        self.doorkeeper = Doorkeeper(world.settings, keys, now())
        self.meeting = Meeting(world.settings.meeting, self._handed)
        """Where other workers hand over what belongs to this one."""
        self.drills = Drills()
        self.draining = False
        self.connections: set[ServerConnection] = set()
        self.accepted = 0
        self.refused = 0
        self._prefix = prefix
        self._number = 0
        self.owing = Owing()
        self.owing.enter(world.settings.receipts, world.settings.workers)
        self.resends = Resends(self._call, self._complain, world.settings)

    def enter(self, world: World) -> None:
        """Serve new requests under another configuration."""
        self.world = world
        self.door = world.settings.door
        self.doorkeeper.enter(self.door, now())
        self.owing.enter(world.settings.receipts, world.settings.workers)
        self.resends.enter(world.settings)

    async def listen(self) -> None:
        """Let other workers in, if there are any."""
        settings = self.world.settings
        if settings.meeting and settings.workers > 1:
            await self.meeting.open(settings.worker)

    # ── what connections say ───────────────────────────────────────────────────────────────────────────────────

    def request(self, connection: ServerConnection, incoming: Incoming) -> Served | None:
        """One whole request: answered at once, or under way from here on."""
        doorkeeper = self.doorkeeper
        key = doorkeeper.key_of(incoming.headers)
        if key is None:
            return self._complain(connection, surface.wrong_key(incoming.headers))
        if incoming.path != CHAT and incoming.path.partition(b"?")[0] != CHAT:
            return self._other(connection, incoming, key)
        wrong: Complaint | None = None
        if incoming.method != b"POST":
            wrong = surface.wrong_method("POST")
        elif incoming.own:
            wrong = wrong_header(incoming.headers, canary=key.drill)
        if wrong is not None:
            return self._complain(connection, wrong)
        limited = doorkeeper.allowances
        allowance = limited.get(key.name) if limited else None
        if allowance is not None and allowance.home is not None:
            return self._at_home(connection, incoming, key, allowance.home)
        if HEADER in incoming.headers:
            return self.resends.request(connection, incoming, key)
        return self._call(connection, incoming, key)

    def _call(self, connection: Recipient, incoming: Incoming, key: ClientKey) -> Exchange | None:
        """A request to a path that makes calls, of the client with this key."""
        world = self._world_of(key, incoming)
        if world is None:
            return self._complain(connection, surface.no_drill())
        try:
            ask = OPENAI_CHAT.read(incoming.body)
        except DialectError as error:
            return self._complain(connection, surface.bad_body(error))
        route = ask.model
        stack = world.fleet.stacks.get(route)
        if stack is None or (key.routes is not None and route not in key.routes):
            return self._complain(connection, self._no_route(key, route, known=stack is not None))
        applied = world.binder.applied(key, stack.route, incoming.headers if incoming.own else _NOTHING)
        request = applied if isinstance(applied, Complaint) else surface.request_of(ask, stack, applied, incoming)
        if isinstance(request, Complaint):
            return self._complain(connection, request)
        limited = self.doorkeeper.allowances
        allowance = limited.get(key.name) if limited else None
        owes = world.receipts or request.jurisdiction.obligations.receipts
        if allowance is not None or owes:
            no = self._no_room(key, allowance, incoming.arrived, owes=owes)
            if no is not None:
                return self._complain(connection, *no)
        call = world.make_call(world.fleet, request, incoming.arrived)
        exchange = Exchange(world, connection, OPENAI_CHAT, ask, call)
        exchange.allowance = allowance
        exchange.owes = owes
        world.live.add(exchange)
        world.latest[route] = call
        world.calls[route] += 1
        self._number += 1
        connection.served = exchange
        exchange.begin(f"{self._prefix}{self._number:x}", key.name, wall())
        return exchange

    def admits(self, incoming: Incoming) -> bool:
        """Whether the head shows a key that is ours."""
        return self.doorkeeper.key_of(incoming.headers) is not None

    def refuse(self, connection: ServerConnection, status: int, code: str, message: str) -> None:
        """Bytes that never became a request."""
        self._complain(connection, refusal(status, code, message))

    def opened(self, connection: ServerConnection) -> None:
        """A client has connected."""
        self.connections.add(connection)
        self.accepted += 1

    def closed(self, connection: ServerConnection) -> None:
        """A client's connection is gone."""
        self.connections.discard(connection)

    # ── time ───────────────────────────────────────────────────────────────────────────────────────────────────

    def sweep(self, at: float) -> None:
        """Close connections that wait too long, for a request to be whole or for another to begin."""
        door = self.door
        for connection in list(self.connections):
            if connection.stuck(at, door.read_timeout):
                connection.transport.abort()
            if connection.busy:
                continue
            waited = at - connection.reading_since
            if connection.reading and waited > door.read_timeout:
                connection.time_out()
            elif waited > door.idle_timeout or (self.draining and not connection.reading):
                connection.transport.close()

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _at_home(self, client: Client, incoming: Incoming, key: ClientKey, home: int) -> Served | None:
        """A request under a key whose calls one worker counts: it goes there, if it is not here already."""
        settings = self.world.settings
        if home == settings.worker or not settings.meeting:
            return self._settle(client, incoming, key)
        relay = Relay(client, lambda: self._complain(client, surface.home_away(), SOON))
        return relay.hand_over(settings.meeting, home, incoming, key.name)

    def _settle(self, client: Client, incoming: Incoming, key: ClientKey) -> Served | None:
        """A request that has come to where it belongs."""
        if HEADER in incoming.headers:
            return self.resends.here(client, incoming, key)
        return self._call(client, incoming, key)

    def _handed(self, client: Client, incoming: Incoming, name: str) -> None:
        """Another worker has handed a request over, of the client of this name."""
        key = self.doorkeeper.named.get(name, ANYONE if not name else None)
        if key is None:  # it has been revoked on the way
            self._complain(client, surface.wrong_key({b"authorization": b""}))
        else:
            self._settle(client, incoming, key)

    def _no_route(self, key: ClientKey, route: str, *, known: bool) -> Complaint:
        routes = surface.routes_of(key, self.world.routes)
        return surface.route_not_allowed(route, routes) if known else surface.unknown_route(route, routes)

    def _world_of(self, key: ClientKey, incoming: Incoming) -> World | None:
        """Production's, or for a canary call the drill's; None while there is no such drill."""
        return self.drills.world_of(incoming.headers) if key.drill else self.world

    def _no_room(
        self, key: ClientKey, allowance: Allowance | None, at: float, *, owes: bool
    ) -> tuple[Complaint, float] | None:
        """Take the room that a call needs; or what to tell its client, and the seconds until it may ask again."""
        refused = None if allowance is None else allowance.enter(at)
        if refused is not None:
            return surface.over_limit(key, refused), refused.seconds
        full = self.owing.reserve() if owes else None
        if full is None:
            return None
        if allowance is not None:
            allowance.leave()
        return full, RETRY_AFTER

    def _other(self, connection: ServerConnection, incoming: Incoming, key: ClientKey) -> Exchange | None:
        path = incoming.path.partition(b"?")[0]
        if path != MODELS:
            paths = (f"POST {CHAT.decode()}", f"GET {MODELS.decode()}")
            return self._complain(connection, surface.unknown_path(incoming, paths))
        if incoming.method != b"GET":
            return self._complain(connection, surface.wrong_method("GET"))
        connection.answer(200, OPENAI_CHAT.models(surface.routes_of(key, self.world.routes)))
        return None

    def _complain(self, connection: Recipient, complaint: Complaint, seconds: float = 0.0) -> Exchange | None:
        """Say no; worth another try after so many `seconds`, if any."""
        self.refused += 1
        headers = b"retry-after: %d\r\n" % max(1, ceil(seconds)) if seconds else b""
        body = b"" if connection.incoming.method == b"HEAD" else OPENAI_CHAT.error(complaint)  # HEAD never has one
        connection.answer(complaint.status, body, headers)
        return None
