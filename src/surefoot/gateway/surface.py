"""The front house: what a request is, who sends it, and which exchange it becomes.

Knows paths and keys. Must never choose a target.
"""

from hashlib import blake2b
from hmac import compare_digest

from surefoot.dialects.dialect import Ask, Complaint
from surefoot.domain.front import ClientKey, Door
from surefoot.domain.jurisdiction import Applied
from surefoot.domain.request import Request
from surefoot.domain.route import Resume, Route, Watch
from surefoot.errors import DialectError
from surefoot.gateway.complaints import refusal
from surefoot.gateway.own_headers import NO_WISHES, wishes_of
from surefoot.wire.server import Incoming

KEYS_REMEMBERED = 4096
"""Admitted `Authorization` values that are not hashed again. What is not admitted is not remembered."""


_AUTO = Watch.AUTO  # looked up through its class, a member costs 40 ns each time


class Doorkeeper:
    """Tells whose key a request shows. Hashes are compared in constant time; an admitted value is remembered."""

    __slots__ = ("_admitted", "_keys", "_named", "_salt", "canaries")

    def __init__(self, door: Door) -> None:
        self._keys: tuple[ClientKey, ...] = door.keys
        self._named = {key.name: key for key in door.keys}
        self.canaries = frozenset(key.name for key in door.keys if key.drill)
        """Names of the keys whose calls are drilled calls."""
        self._salt = door.salt
        self._admitted: dict[bytes, str] = {}

    def key_named(self, name: str) -> ClientKey | None:
        """The key of this name; None where no key is asked for."""
        return self._named.get(name)

    def name_of(self, headers: dict[bytes, bytes]) -> str | None:
        """The name of the client's key, empty where none is asked for; None if the key is missing or wrong."""
        if not self._keys:
            return ""
        shown = headers.get(b"authorization")
        if shown is None:
            return None
        name = self._admitted.get(shown)
        return name if name is not None else self._look_up(shown)

    def _look_up(self, shown: bytes) -> str | None:
        scheme, _, secret = shown.partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        digest = blake2b(secret.strip(), digest_size=32, key=self._salt).digest()
        found: str | None = None
        for key in self._keys:  # all of them, so that the time does not tell which one came close
            if compare_digest(key.digest, digest):
                found = key.name
        if found is not None and len(self._admitted) < KEYS_REMEMBERED:
            self._admitted[shown] = found
        return found


def request_of(ask: Ask, route: Route, applied: Applied, incoming: Incoming) -> Request | Complaint:
    """The facts that the policy needs, with the client's own wishes; or why this route cannot fulfil one."""
    deadline, resume = wishes_of(incoming.headers) if incoming.own else NO_WISHES
    if resume and route.resume is Resume.OFF:
        message = (
            f"The route '{route.name}' resumes no answer. Leave out surefoot-resume, or set resume = \"text\" there."
        )
        return refusal(400, "invalid_resume", message)
    return Request(
        ask.model,
        ask.stream,
        ask.prompt_tokens,
        ask.max_tokens,
        applied,
        deadline,
        ask.resumable and route.resume is Resume.TEXT and resume is not False,
        ask.watchable and route.watch is _AUTO,
    )


def unknown_path(incoming: Incoming, paths: tuple[str, ...]) -> Complaint:
    """404, with what there is."""
    path = incoming.path.decode("latin-1").partition("?")[0]
    return refusal(404, "unknown_path", f"There is nothing at {path}. This gateway answers {', '.join(paths)}.")


def wrong_method(allowed: str) -> Complaint:
    """405, with what is allowed."""
    return refusal(405, "method_not_allowed", f"Use {allowed} here.")


def wrong_key(headers: dict[bytes, bytes]) -> Complaint:
    """401; whether a key was missing or wrong is no secret, what it was is."""
    if b"authorization" not in headers:
        return refusal(401, "missing_api_key", "Send a key of this gateway as 'Authorization: Bearer KEY'.")
    return refusal(401, "invalid_api_key", "The key in the Authorization header is not one of this gateway's keys.")


def no_drill() -> Complaint:
    """409: a canary call must never reach a target by production's way."""
    message = "This key is for drills, and no drill is on (or not in the world named). Start one with `surefoot drill`."
    return refusal(409, "no_drill", message)


def unknown_route(model: str, routes: tuple[str, ...]) -> Complaint:
    """404, listing the routes."""
    message = f"The model '{model[:100]}' is not a route of this gateway. Routes: {', '.join(routes)}."
    return refusal(404, "model_not_found", message, "model")


def bad_body(error: DialectError) -> Complaint:
    """400, in the dialect's words."""
    return refusal(400, "invalid_body", str(error), error.param)
