"""What the rules make of each target for a question that a person asks: told by the very stack that workers run.

Of a running gateway what its workers last reported is put into the stack's states: breakers, suspicion, attempts under
way; and who is suspended. Without reports every target is taken to be well, as at the start.

Knows how a question becomes a request. Must never hold a rule.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from msgspec import Struct

from surefoot.config.configuration import Configuration
from surefoot.config.faults import did_you_mean
from surefoot.control.status import gravest, worst
from surefoot.dialects.dialect import Complaint
from surefoot.domain.front import ANYONE, ClientKey
from surefoot.domain.request import Request
from surefoot.errors import ExplainError
from surefoot.gateway.binder import Binder
from surefoot.gateway.channel import TargetReport
from surefoot.gateway.own_headers import CLASS, JURISDICTION, PLACE, REGION
from surefoot.policy.breaker import State
from surefoot.policy.fleet import Fleet
from surefoot.policy.jurisdictions import Jurisdictions
from surefoot.policy.suspicion import Grade
from surefoot.policy.target_state import Suspended, TargetState
from surefoot.policy.zones import Zones

NOT_JUDGED = "no rule judges it: whether a target can do this is not declared anywhere"


class Question(Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked. Lists are as in the headers of a request: names with commas between."""

    route: str
    key: str | None = None
    jurisdiction: str | None = None
    place: str | None = None
    data_class: str | None = None
    data_region: str | None = None
    prompt_tokens: int = 0
    features: tuple[str, ...] = ()
    """What the request needs beside text: `tools`, `image`."""


def explain(
    configuration: Configuration,
    question: Question,
    reports: Mapping[str, Sequence[TargetReport]] | None = None,
    now: float = 0.0,
    suspended: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The answer as plain data. Raises `ExplainError` where the question names what is not there.

    `suspended` are targets that nobody asks, with what each one's answer has contradicted.
    """
    jurisdictions = Jurisdictions(Zones(configuration.zones), configuration.jurisdictions)
    rng = Random(0)  # noqa: S311 - nothing is drawn
    fleet = Fleet(configuration.targets, configuration.routes, configuration.options, rng, jurisdictions=jurisdictions)
    stack = fleet.stacks.get(question.route)
    if stack is None:
        raise ExplainError(f'there is no route "{question.route}"; {did_you_mean(question.route, fleet.stacks)}')
    for name, parts in (reports or {}).items():
        _put(fleet.targets[name], parts, now)
    for name, why in (suspended or {}).items():
        fleet.hear(Suspended(name, why), now)
    applied = Binder(jurisdictions).applied(_key(configuration, question.key), stack.route, _headers(question))
    if isinstance(applied, Complaint):
        raise ExplainError(applied.message)
    request = Request(question.route, stream=True, prompt_tokens=question.prompt_tokens, jurisdiction=applied)
    return {
        "route": question.route,
        "order": stack.route.order,
        "key": question.key,
        "jurisdiction": applied.name,
        "jurisdiction_version": applied.version,
        "prompt_tokens": question.prompt_tokens,
        "live": reports is not None,
        "features": dict.fromkeys(question.features, NOT_JUDGED),
        "targets": [
            {"target": each.target, "rank": each.rank, "rule": each.rule, "reason": each.reason}
            for each in stack.explain(request, now)
        ],
    }


def _key(configuration: Configuration, name: str | None) -> ClientKey:
    if name is None:
        return ANYONE
    keys = {key.name: key for key in (*configuration.door.keys, *configuration.ring.keys)}
    if name not in keys:
        raise ExplainError(f'there is no key "{name}"; {did_you_mean(name, keys)}')
    return keys[name]


def _headers(question: Question) -> dict[bytes, bytes]:
    said = {
        JURISDICTION: question.jurisdiction,
        PLACE: question.place,
        CLASS: question.data_class,
        REGION: question.data_region,
    }
    return {name: value.encode("utf-8") for name, value in said.items() if value is not None}


def _put(state: TargetState, parts: Sequence[TargetReport], now: float) -> None:
    """What all workers say of a target, at its worst, into one state."""
    breaker = worst(parts)
    if breaker is not State.CLOSED:
        state.breaker.open(now, max((part.until for part in parts), default=0.0))
        if breaker is State.HALF_OPEN:
            state.breaker.launched()
    state.in_flight = sum(part.in_flight for part in parts)
    state.suspect = gravest(parts) >= Grade.PREFER_OTHERS
    state.tried_at = now
