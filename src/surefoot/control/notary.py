"""Makes receipts: from the record of a call and the configuration that it ran under, one receipt for each attempt.

What the rules about the request's facts say of each target is the same for all calls of one route, jurisdiction,
configuration, class of lengths and features, so it is asked here, of the same stack, rather than carried through the
channel. What the rules of the moment said is in the record.

Knows: records, configurations, and the policy's stack.
Must never: hold a prompt or a secret, or grow with traffic.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from math import ceil
from random import Random
from typing import Any

from msgspec import Raw

from surefoot.config.configuration import Configuration
from surefoot.domain import features
from surefoot.domain.front import ClientKey
from surefoot.domain.jurisdiction import ANYWHERE, Applied, Circumstances
from surefoot.domain.record import ATTEMPT_FIELDS, CALL_FIELDS, CallRecord
from surefoot.domain.request import Request
from surefoot.domain.route import Route
from surefoot.domain.target import Target
from surefoot.journal.link import canonical
from surefoot.policy.fleet import Fleet
from surefoot.policy.jurisdictions import NARROWED, Jurisdictions
from surefoot.policy.stack import Stack
from surefoot.policy.zones import Zones

VERSIONS = 16
"""Configurations that are remembered: calls in flight at a reload end under the old one."""

VERDICTS = 4_096
"""Texts of verdicts that are remembered for one configuration."""

KEYS = 100_000
"""Keys whose tenants are remembered; then those that are revoked are forgotten."""

EVIDENCE = 256
"""Characters of one word that an answer said: the rest of a longer one is left out."""

_Record = dict[str, Any]


class Notary:
    """See the module. `know` has to be told every configuration, and `meet` every key, before the first record."""

    def __init__(self) -> None:
        self._versions: OrderedDict[str, _Version] = OrderedDict()
        self._tenants: dict[str, str | None] = {}

    def know(self, configuration: Configuration) -> None:
        """A configuration is in force from now on."""
        self._versions[configuration.version] = _Version(configuration)
        self._versions.move_to_end(configuration.version)
        while len(self._versions) > VERSIONS:
            self._versions.popitem(last=False)

    def meet(self, keys: Iterable[ClientKey]) -> None:
        """These keys are in force. Those of before stay known: calls under them may be under way."""
        if len(self._tenants) > KEYS:
            self._tenants = {}
        self._tenants |= {key.name: key.tenant for key in keys}

    def receipts(self, record: CallRecord) -> list[bytes]:
        """The receipts of a call, in canonical form: one for each attempt, or one that says why there was none."""
        call: _Record = dict(zip(CALL_FIELDS, record, strict=True))
        told: Sequence[Sequence[Any]] = call.pop("attempts")
        attempts = [dict(zip(ATTEMPT_FIELDS, one, strict=True)) for one in told]
        version = self._versions.get(call["config"])
        shared = {
            **{name: call[name] for name in ("call", "route", "key", "config", "drill", "jurisdiction")},
            "jurisdiction_version": call["jurisdiction_version"],
            "tenant": self._tenants.get(call["key"]),
            "call_outcome": call["kind"],
            "attempts": len(attempts),
        }
        if not attempts:
            return [canonical({**shared, **_of_none(call, version)})]
        return [canonical({**shared, **one}) for one in _of_attempts(call, attempts, version)]


def note(what: str, at: float, **more: str | int) -> bytes:
    """Something about the chain itself that belongs into it: `start`, `lost`. `at` is Unix time."""
    return canonical({"note": what, "at": moment(at), **more})


def moment(at: float) -> str:
    """A Unix time as RFC 3339 writes it, in UTC, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _of_none(call: _Record, version: "_Version | None") -> _Record:
    """A call that was refused, or ended, before anything was sent to anybody."""
    return {
        "attempt": None,
        "inner_jurisdiction": None,
        "inner_jurisdiction_version": None,
        "at": moment(call["at"]),
        "target": None,
        "declared": None,
        "candidates": None if version is None else version.candidates(call, None, (), ""),
        "reason": None,
        "sent": False,
        "outcome": None,
        "evidence": None,
    }


def _of_attempts(call: _Record, attempts: list[_Record], version: "_Version | None") -> Iterator[_Record]:
    tried: tuple[str, ...] = ()
    for attempt in attempts:
        target = attempt["target"]
        inner = None if version is None else version.inner(call, target)
        yield {
            "attempt": attempt["number"],
            "inner_jurisdiction": None if inner is None else inner.name,
            "inner_jurisdiction_version": None if inner is None else inner.version,
            "at": moment(call["at"] + attempt["started"]),
            "target": target,
            "declared": None if version is None else version.declared.get(target),
            "candidates": None if version is None else version.candidates(call, target, tried, attempt["rules"]),
            "reason": attempt["reason"],
            "sent": attempt["sent"] is not None,
            "outcome": attempt["kind"],
            "evidence": _evidence(attempt["evidence"]),
        }
        tried = (*tried, target)


def _evidence(said: object) -> dict[str, str] | None:
    if not isinstance(said, dict):
        return None
    return {str(fact): str(word)[:EVIDENCE].encode(errors="replace").decode() for fact, word in said.items()}


class _Version:
    """What one configuration says."""

    def __init__(self, configuration: Configuration) -> None:
        self.declared = {target.name: Raw(canonical(declared(target))) for target in configuration.targets}
        self._jurisdictions = Jurisdictions(Zones(configuration.zones), configuration.jurisdictions)
        self._stacks = Fleet(
            configuration.targets,
            configuration.routes,
            configuration.options,
            Random(0),  # noqa: S311 - draws nothing
            jurisdictions=self._jurisdictions,
        ).stacks
        self._bound: dict[tuple[str, str], Applied | None] = {}
        self._verdicts: dict[object, dict[str, _Record]] = {}
        self._texts: dict[object, Raw] = {}
        self._inner: dict[object, Applied | None] = {}

    def candidates(self, call: _Record, chosen: str | None, tried: tuple[str, ...], passed: str) -> Raw | None:
        """Every target of the route, as listed or in its order, each with what was said of it."""
        asked = self._asked(call)
        if asked is None:
            return None
        stack, request = asked
        judged = (request.route, request.jurisdiction.name, stack.class_of(request))
        key = (judged, chosen, tried, passed)
        text = self._texts.get(key)
        if text is None:
            verdicts = self._judged(judged, stack, request)
            rows = [_row(name, verdict, chosen, tried, _rules(passed)) for name, verdict in verdicts.items()]
            text = Raw(canonical(rows))
            if len(self._texts) >= VERDICTS:
                self._texts.clear()
            self._texts[key] = text
        return text

    def inner(self, call: _Record, target: str) -> Applied | None:
        """What bound an attempt besides all that bound its call: the jurisdictions of the inner route it came by."""
        asked = self._asked(call)
        if asked is None:
            return None
        stack, request = asked
        key = (request.route, request.jurisdiction.name, stack.class_of(request), target)
        if key not in self._inner:
            if len(self._inner) >= VERDICTS:
                self._inner.clear()
            state = next((state for state in stack.states if state.name == target), None)
            bound = () if state is None else stack.binding(request, state)
            parts = [one for one in bound if one not in request.jurisdiction.parts]
            self._inner[key] = self._jurisdictions.together(parts) if parts else None
        return self._inner[key]

    def _asked(self, call: _Record) -> tuple[Stack, Request] | None:
        """Of whom what was asked; None if this configuration does not know the route, or not what bound the call."""
        stack = self._stacks.get(call["route"])
        applied = None if stack is None else self._applied(stack.route, call["jurisdiction"])
        if stack is None or applied is None or applied.version != call["jurisdiction_version"]:
            return None
        facts = (call["route"], call["stream"], call["prompt_tokens"], call["max_tokens"])
        return stack, Request(*facts, jurisdiction=applied, features=features.read(call["features"]))

    def _applied(self, route: Route, name: str) -> Applied | None:
        """All that bound a call of a route, by its name; None if that is not known here."""
        if (route.name, name) not in self._bound:
            if len(self._bound) >= VERDICTS:
                self._bound.clear()
            self._bound[route.name, name] = self._bind(route, name)
        return self._bound[route.name, name]

    def _bind(self, route: Route, name: str) -> Applied | None:
        words = [] if name == ANYWHERE.name else name.split("+")
        narrowed = [word.removeprefix(NARROWED).split(",") for word in words if word.startswith(NARROWED)]
        names = tuple(word for word in words if not word.startswith(NARROWED))
        try:
            met = Circumstances(names=names, zones=tuple(zone for zones in narrowed for zone in zones))
            return self._jurisdictions.bind(route, met)
        except KeyError:
            return None

    def _judged(self, key: object, stack: Stack, request: Request) -> dict[str, _Record]:
        found = self._verdicts.get(key)
        if found is None:
            found = {one.target: _verdict(one.rule, one.reason) for one in stack.explain(request, 0.0)}
            if len(self._verdicts) < VERDICTS:
                self._verdicts[key] = found
        return found


def declared(target: Target) -> _Record:
    """What the configuration says of a target; None is what it does not say."""
    place = target.place
    return {
        "provider": target.provider,
        "model": target.model,
        "operator": place.operator,
        "seat": place.seat,
        "processes": place.processes,
        "stores": place.stores,
        "transfer": place.transfer,
        "retention_seconds": None if place.retention is None else ceil(place.retention),
        "zero_retention": place.zero_retention,
        "subprocessors": None
        if place.subprocessors is None
        else [{"name": one.name, "seat": one.seat} for one in place.subprocessors],
    }


def _verdict(rule: str | None, reason: str | None) -> _Record:
    return {} if rule is None else {"verdict": "refused", "rule": rule, "reason": reason}


def _rules(passed: str) -> dict[str, str]:
    """`target:rule,...` as a table; a target's name may hold no colon."""
    return dict(one.split(":", 1) for one in passed.split(",") if one)


def _row(name: str, verdict: _Record, chosen: str | None, tried: Sequence[str], rules: dict[str, str]) -> _Record:
    if name == chosen:
        return {"target": name, "verdict": "chosen"}
    if verdict:
        return {"target": name, **verdict}
    if name in tried:
        return {"target": name, "verdict": "tried"}
    if name in rules:
        return {"target": name, "verdict": "passed over", "rule": rules[name]}
    return {"target": name, "verdict": "admitted"}
