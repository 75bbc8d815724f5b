"""The front house: what a request is, and what is said to one that becomes no call.

Knows paths and what a key allows. Must never choose a target.
"""

from surefoot.dialects.dialect import Ask, Complaint
from surefoot.domain.features import NO_FEATURES
from surefoot.domain.front import ClientKey
from surefoot.domain.jurisdiction import Applied
from surefoot.domain.request import Request
from surefoot.domain.route import Resume, Watch
from surefoot.errors import DialectError
from surefoot.gateway.complaints import refusal
from surefoot.gateway.own_headers import NO_WISHES, wishes_of
from surefoot.policy.allowance import Refused
from surefoot.policy.stack import Stack
from surefoot.wire.server import Incoming

_AUTO = Watch.AUTO  # looked up through its class, a member costs 40 ns each time


def request_of(ask: Ask, stack: Stack, applied: Applied, incoming: Incoming) -> Request | Complaint:
    """The facts that the policy needs, with the client's own wishes; or why this route cannot fulfil one."""
    route = stack.route
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
        ask.needs() if stack.declares else NO_FEATURES,
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


def routes_of(key: ClientKey, routes: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the gateway's routes that the key may ask for."""
    return routes if key.routes is None else tuple(route for route in routes if route in key.routes)


def route_not_allowed(model: str, routes: tuple[str, ...]) -> Complaint:
    """403, listing the key's routes."""
    message = f"This key may not ask for the route '{model}'. Its routes: {', '.join(routes) or 'none'}."
    return refusal(403, "route_not_allowed", message, "model")


def over_limit(key: ClientKey, refused: Refused) -> Complaint:
    """429: whose limit it is, so that nobody looks for it at a provider."""
    if refused.limit == "in_flight":
        limit = f"{key.limits.in_flight} calls under way at once"
    else:
        limit = f"{key.limits.per_minute} calls a minute"
    message = (
        f"This gateway lets the key '{key.name}' have {limit}; no provider has refused anything. Send it again later."
    )
    return refusal(429, f"key_limit_{refused.limit}", message)


def home_away() -> Complaint:
    """503: nobody else can tell what is left of the key's limits."""
    message = "The worker that counts this key's calls is being replaced. Send the request again."
    return refusal(503, "key_limit_unknown", message)


def bad_body(error: DialectError) -> Complaint:
    """400, in the dialect's words."""
    return refusal(400, "invalid_body", str(error), error.param)
