"""From a row of traffic to the facts that the policy needs, as the gateway's front would make them.

A key of the traffic that the configuration knows brings its scope; one that it does not know binds by its name alone.

Knows routes, keys and jurisdictions of one configuration. Must never choose a target.
"""

from dataclasses import dataclass

from surefoot.config.configuration import Configuration
from surefoot.domain.jurisdiction import Applied, Circumstances
from surefoot.domain.request import Request
from surefoot.domain.route import Resume, Route, Watch
from surefoot.errors import ReplayError
from surefoot.policy.jurisdictions import Jurisdictions, met_by
from surefoot.policy.zones import Zones


@dataclass(frozen=True, slots=True)
class Terms:
    """What all calls of one route under one key have in common."""

    route: str
    idle: float
    """The idle limit, in seconds."""
    applied: Applied
    resumes: bool
    """Whether a stream that breaks may be continued: every streamed answer is taken to be text."""
    watches: bool
    """Whether a plain call is watched: every one is taken to be of a kind that can be."""

    def request(self, stream: int, prompt_tokens: int, max_tokens: int) -> Request:
        """The facts of one call; what it needed beside text is not in the traffic."""
        if stream:
            return Request(self.route, True, prompt_tokens, max_tokens, self.applied, None, self.resumes)
        return Request(self.route, False, prompt_tokens, max_tokens, self.applied, None, False, self.watches)


class Front:
    """Of one configuration."""

    def __init__(self, configuration: Configuration) -> None:
        self.jurisdictions = Jurisdictions(Zones(configuration.zones), configuration.jurisdictions)
        self._routes: dict[str, Route] = {route.name: route for route in configuration.routes}
        self._keys = {key.name: key for key in (*configuration.ring.keys, *configuration.door.keys)}
        self._known: dict[tuple[str, str], Terms] = {}

    def terms(self, route: str, key: str) -> Terms:
        """Of a route under a key. Raises `ReplayError` for a route or a jurisdiction that is not there."""
        known = self._known.get((route, key))
        if known is None:
            known = self._known[route, key] = self._find(route, key)
        return known

    def _find(self, name: str, key: str) -> Terms:
        route = self._routes.get(name)
        if route is None:
            listed = ", ".join(self._routes)
            raise ReplayError(f"the traffic asks for the route '{name}'; this configuration has {listed}")
        client = self._keys.get(key) if key else None
        met = met_by(client) if client is not None else Circumstances(key=key or None)
        try:
            applied = self.jurisdictions.bind(route, met)
        except KeyError as error:
            raise ReplayError(f"the key '{key}' is bound by the jurisdiction {error}, which is not there") from error
        return Terms(name, route.limits.idle, applied, route.resume is Resume.TEXT, route.watch is Watch.AUTO)
