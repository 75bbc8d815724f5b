"""The front of a worker: takes whole requests from connections and makes exchanges of them."""

from surefoot.dialects.dialect import Complaint
from surefoot.dialects.openai_chat import DIALECT as OPENAI_CHAT
from surefoot.domain.front import Door
from surefoot.errors import DialectError
from surefoot.gateway import surface
from surefoot.gateway.complaints import refusal
from surefoot.gateway.drills import Drills
from surefoot.gateway.exchange import Exchange
from surefoot.gateway.owing import RETRY_AFTER, Owing
from surefoot.gateway.own_headers import wrong_header
from surefoot.gateway.recipient import Recipient
from surefoot.gateway.resends import HEADER, Resends
from surefoot.gateway.world import World
from surefoot.wire.clock import wall
from surefoot.wire.server import Incoming, Served, ServerConnection

CHAT = b"/v1/chat/completions"
MODELS = b"/v1/models"

_NOTHING: dict[bytes, bytes] = {}


class Front:
    """See the module. `world` is replaced on reload; everything else lives as long as the worker."""

    def __init__(self, world: World, prefix: str) -> None:
        self.world = world
        self.door: Door = world.settings.door
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
        self.owing.enter(world.settings.receipts, world.settings.workers)
        self.resends.enter(world.settings)

    # ── what connections say ───────────────────────────────────────────────────────────────────────────────────

    def request(self, connection: ServerConnection, incoming: Incoming) -> Served | None:
        """One whole request: answered at once, or under way from here on."""
        world = self.world
        key = world.doorkeeper.name_of(incoming.headers)
        if key is None:
            return self._complain(connection, surface.wrong_key(incoming.headers))
        if incoming.path != CHAT and incoming.path.partition(b"?")[0] != CHAT:
            return self._other(connection, incoming)
        if incoming.method != b"POST":
            return self._complain(connection, surface.wrong_method("POST"))
        if incoming.own:
            wrong = wrong_header(incoming.headers, canary=key in world.doorkeeper.canaries)
            if wrong is not None:
                return self._complain(connection, wrong)
        if HEADER in incoming.headers:
            return self.resends.request(connection, incoming, key)
        return self._call(connection, incoming, key)

    def _call(self, connection: Recipient, incoming: Incoming, key: str) -> Exchange | None:
        """A request to a path that makes calls, of the client of this name."""
        world = self._world_of(key, incoming)
        if world is None:
            return self._complain(connection, surface.no_drill())
        try:
            ask = OPENAI_CHAT.read(incoming.body)
        except DialectError as error:
            return self._complain(connection, surface.bad_body(error))
        route = ask.model
        stack = world.fleet.stacks.get(route)
        if stack is None:
            return self._complain(connection, surface.unknown_route(route, world.routes))
        said = incoming.headers if incoming.own else _NOTHING
        applied = world.binder.applied(self.world.doorkeeper.key_named(key), stack.route, said)
        if isinstance(applied, Complaint):
            return self._complain(connection, applied)
        request = surface.request_of(ask, stack.route, applied, incoming)
        if isinstance(request, Complaint):
            return self._complain(connection, request)
        owes = world.receipts or request.jurisdiction.obligations.receipts
        if owes and (full := self.owing.reserve()) is not None:
            return self._complain(connection, full, RETRY_AFTER)
        call = world.make_call(world.fleet, request, incoming.arrived)
        exchange = Exchange(world, connection, OPENAI_CHAT, ask, call)
        exchange.owes = owes
        world.live.add(exchange)
        world.latest[route] = call
        world.calls[route] += 1
        self._number += 1
        connection.served = exchange
        exchange.begin(f"{self._prefix}{self._number:x}", key, wall())
        return exchange

    def admits(self, incoming: Incoming) -> bool:
        """Whether the head shows a key that is ours."""
        return self.world.doorkeeper.name_of(incoming.headers) is not None

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

    def _world_of(self, key: str, incoming: Incoming) -> World | None:
        """Production's, or for a canary call the drill's; None while there is no such drill."""
        world = self.world
        return self.drills.world_of(incoming.headers) if key in world.doorkeeper.canaries else world

    def _other(self, connection: ServerConnection, incoming: Incoming) -> Exchange | None:
        path = incoming.path.partition(b"?")[0]
        if path != MODELS:
            paths = (f"POST {CHAT.decode()}", f"GET {MODELS.decode()}")
            return self._complain(connection, surface.unknown_path(incoming, paths))
        if incoming.method != b"GET":
            return self._complain(connection, surface.wrong_method("GET"))
        connection.answer(200, OPENAI_CHAT.models(self.world.routes))
        return None

    def _complain(self, connection: Recipient, complaint: Complaint, headers: bytes = b"") -> Exchange | None:
        self.refused += 1
        body = b"" if connection.incoming.method == b"HEAD" else OPENAI_CHAT.error(complaint)  # HEAD never has one
        connection.answer(complaint.status, body, headers)
        return None
