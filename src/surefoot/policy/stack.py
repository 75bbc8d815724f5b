"""The stack of rules, in the order in which they are asked, for one route.

    jurisdiction  condition  window  facts of the request: their verdicts are cached, per jurisdiction and length class
    suspension  slots  health        facts of the moment: asked at every choice
    listed | latency | price         the order of those that are admitted

Jurisdiction stands before everything else: what is not allowed cannot become allowed by being healthy.
`choose` is what the Call uses; `explain` tells a person what the same rules say.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from msgspec import Struct

from surefoot.domain.jurisdiction import Jurisdiction
from surefoot.domain.outcome import Kind
from surefoot.domain.request import Request
from surefoot.domain.route import Order, Route
from surefoot.policy.breaker import State
from surefoot.policy.budget import Budget
from surefoot.policy.candidate import Candidate, Ranking, Rule
from surefoot.policy.exercise import Exercise
from surefoot.policy.jurisdictions import NO_JURISDICTIONS, Jurisdictions
from surefoot.policy.rules.condition import Condition
from surefoot.policy.rules.health import Health
from surefoot.policy.rules.jurisdiction import Allowed, forbids
from surefoot.policy.rules.latency import Latency
from surefoot.policy.rules.price import Price
from surefoot.policy.rules.slots import Slots
from surefoot.policy.rules.suspension import Suspension
from surefoot.policy.rules.window import Window
from surefoot.policy.target_state import TargetState

OF_THE_REQUEST: tuple[Rule, ...] = (Allowed(), Condition(), Window())
OF_THE_MOMENT: tuple[Rule, ...] = (Suspension(), Slots(), Health())
RANKINGS: dict[Order, Ranking] = {Order.LATENCY: Latency(), Order.PRICE: Price()}

Key = TypeVar("Key")
Judged = TypeVar("Judged")

_CLOSED = State.CLOSED  # its lookup through the class would be the dearest thing that the short way does

CLASSES_KEPT = 256
"""Bound of the verdict cache: classes of requests are few, unless clients narrow them at random."""


class Verdict(Struct, frozen=True):
    """What the stack says of one target for one request. `rank` counts from 1 among the admitted."""

    target: str
    rank: int | None = None
    rule: str | None = None
    reason: str | None = None


class Refused(NamedTuple):
    """Whom the facts of a request refuse, whatever the moment."""

    words: tuple[str | None, ...]
    """For each candidate, as listed: `target:rule`, or None where it is admitted."""
    best: TargetState | None
    """The first that is admitted."""
    before: str
    """The words of those that stand before it, joined."""


class Stack:
    """The rules of one route over the targets' states."""

    __slots__ = (
        "_admitted",
        "_candidates",
        "_cuts",
        "_jurisdictions",
        "_only",
        "_ranking",
        "_refused",
        "_uncut",
        "_windows",
        "budget",
        "exercise",
        "first",
        "route",
        "span",
        "states",
        "static",
    )

    def __init__(
        self,
        route: Route,
        states: Mapping[str, TargetState],
        budget: Budget,
        exercise: Exercise | None = None,
        jurisdictions: Jurisdictions = NO_JURISDICTIONS,
    ) -> None:
        self.route = route
        self.budget = budget
        self.exercise = exercise
        """None where no share of the calls begins at a fallback."""
        self._candidates = tuple(Candidate(route, rung, states[rung.target], jurisdictions) for rung in route.rungs)
        self.first = self._candidates[0].state
        """The target that stands first in the file."""
        self.states = tuple({c.state.name: c.state for c in self._candidates}.values())
        self.static = None if route.static is None else states[route.static]
        """The target whose configured text is given rather than an error."""
        self.span = min(route.limits.attempts, len(self.states))
        """How many targets one call can ask, at most."""
        self._ranking = RANKINGS.get(route.order)
        cuts = {bound for rung in route.rungs for bound in (rung.when.least - 1, rung.when.most) if bound is not None}
        self._cuts = sorted(cuts - {-1})
        self._windows = sorted({c.target.window for c in self._candidates if c.target.window is not None})
        self._jurisdictions = jurisdictions
        self._uncut = not self._cuts and not self._windows
        self._only: dict[str, tuple[Candidate, ...]] = {}
        """What is admitted where no length matters, by jurisdiction: the short way of most routes."""
        self._admitted: dict[tuple[int, int, str], tuple[Candidate, ...]] = {}
        self._refused: dict[str | tuple[int, int, str], Refused] = {}

    def admitted(self, request: Request) -> tuple[Candidate, ...]:
        """The candidates that the facts of the request admit, as listed."""
        name = request.jurisdiction.name
        if self._uncut:
            found = self._only.get(name)
            if found is not None:
                return found
            return _keep(self._only, name, self._judge(request))
        key = (*self.class_of(request), name)
        found = self._admitted.get(key)
        return found if found is not None else _keep(self._admitted, key, self._judge(request))

    def class_of(self, request: Request) -> tuple[int, int]:
        """The class of lengths within which no rule about a length judges differently."""
        need = request.prompt_tokens + request.max_tokens
        return bisect_left(self._cuts, request.prompt_tokens), bisect_left(self._windows, need)

    def choose(
        self, request: Request, now: float, tried: Sequence[TargetState] = (), *, launching: bool = True
    ) -> TargetState | None:
        """The best target that may be asked now and was not tried, or None. A mere look is not `launching`."""
        admitted = self.admitted(request)
        if self._ranking is None and admitted and not tried:
            first = admitted[0].state
            if first.breaker.state is _CLOSED and first.in_flight < first.slots and first.plain:
                return first  # what the rules of the moment would say, without asking them
        for candidate in self._ranked(admitted, request, now):
            if candidate.state in tried:
                continue
            if _first_refusal(OF_THE_MOMENT, candidate, request, now) is None:
                return candidate.state
            if launching and candidate.state.suspended is None:
                candidate.state.want_probe(now)
        return None

    def exercised(self, request: Request, now: float, remaining: float) -> TargetState | None:
        """The fallback at which this call is to begin, if it is one of the few that do. To be asked once per call."""
        if self.exercise is None:
            return None
        ranked = self._ranked(self.admitted(request), request, now)
        states = [candidate.state for candidate in ranked if candidate.state.suspended is None]
        return self.exercise.begin_at(states, remaining)

    def available(self, request: Request, now: float, tried: Sequence[TargetState]) -> list[TargetState]:
        """All that could be asked now and were not tried, the best first."""
        return [
            candidate.state
            for candidate in self._ranked(self.admitted(request), request, now)
            if candidate.state not in tried and _first_refusal(OF_THE_MOMENT, candidate, request, now) is None
        ]

    def stand_ins(self, state: TargetState) -> list[TargetState]:
        """Who could take every request that this target could, as far as jurisdictions and the prompt's length tell."""
        allowed = [c for c in self._candidates if all(forbids(one, c.target, c.zones) is None for one in c.bound)]
        own = [c for c in allowed if c.state is state]
        others = [c for c in allowed if c.state is not state]
        return [c.state for c in others if all(self._covers(c, one) for one in own)]

    def _covers(self, one: Candidate, other: Candidate) -> bool:
        """Whether the one may be asked wherever the other may be, whichever jurisdiction binds the request."""
        return one.rung.when.covers(other.rung.when) and all(
            forbids(each, one.target, one.zones) is None or forbids(each, other.target, other.zones) is not None
            for each in self._jurisdictions.by_name.values()
        )

    def binding(self, request: Request, state: TargetState) -> tuple[Jurisdiction, ...]:
        """All that binds an attempt of a request at a target: what binds the request, and what binds its rung."""
        bound = next((c.bound for c in self.admitted(request) if c.state is state), ())
        return tuple({one.name: one for one in (*bound, *request.jurisdiction.parts)}.values())

    def explain(self, request: Request, now: float) -> list[Verdict]:
        """The verdict on every target of the route: the admitted in their order, then the others as listed."""
        refused: dict[str, Verdict] = {}
        admitted: list[Candidate] = []
        for candidate in self._candidates:
            verdict = _first_refusal(OF_THE_REQUEST + OF_THE_MOMENT, candidate, request, now)
            if verdict is None:
                admitted.append(candidate)
            else:
                refused.setdefault(verdict.target, verdict)
        names = dict.fromkeys(candidate.target.name for candidate in self._ranked(admitted, request, now))
        ranked = [Verdict(name, rank) for rank, name in enumerate(names, 1)]
        return ranked + [verdict for name, verdict in refused.items() if name not in names]

    def refusal(self, request: Request) -> Kind:
        """Why no target may be asked: the request's own fault, or the moment's."""
        if self.admitted(request):
            return Kind.NO_TARGET
        rules = {verdict.rule for verdict in self.explain(request, 0.0)}
        return Kind.NOT_ALLOWED if Allowed.name in rules and Window.name not in rules else Kind.TOO_LONG

    def passed_over(self, request: Request, chosen: TargetState, now: float) -> str:
        """Why targets listed before the chosen one were not taken: `target:rule,...`; empty if none were."""
        refused = self._refusals(request)
        if chosen is refused.best:
            return refused.before
        words: list[str] = []
        for candidate, word in zip(self._candidates, refused.words, strict=True):
            if candidate.state is chosen:
                break
            verdict = _first_refusal(OF_THE_MOMENT, candidate, request, now) if word is None else None
            words += [word] if word is not None else [] if verdict is None else [f"{verdict.target}:{verdict.rule}"]
        return ",".join(words)

    def _refusals(self, request: Request) -> Refused:
        """Whom the facts of the request refuse; judged once, as who is admitted."""
        name = request.jurisdiction.name
        key = name if self._uncut else (*self.class_of(request), name)
        found = self._refused.get(key)
        if found is not None:
            return found
        verdicts = [_first_refusal(OF_THE_REQUEST, candidate, request, 0.0) for candidate in self._candidates]
        words = [None if verdict is None else f"{verdict.target}:{verdict.rule}" for verdict in verdicts]
        best = next((c.state for c, word in zip(self._candidates, words, strict=True) if word is None), None)
        listed = [candidate.state for candidate in self._candidates]
        before = [] if best is None else words[: listed.index(best)]
        return _keep(self._refused, key, Refused(tuple(words), best, ",".join(word for word in before if word)))

    def soonest(self, request: Request, now: float, tried: Sequence[TargetState] = ()) -> float | None:
        """Seconds until the first open breaker of an admitted target lets a probe through; None if none is open."""
        waits = [state.breaker.until - now for state in self._shut(request, tried)]
        return max(min(waits), 0.0) if waits else None

    def next_to_open(self, request: Request, tried: Sequence[TargetState]) -> TargetState | None:
        """The admitted target, not tried, whose breaker is not closed and lets a probe through first."""
        return min(self._shut(request, tried), key=lambda state: state.breaker.until, default=None)

    def _shut(self, request: Request, tried: Sequence[TargetState]) -> list[TargetState]:
        """The admitted targets, not tried and not suspended, whose breakers are not closed."""
        states = [candidate.state for candidate in self.admitted(request) if candidate.state not in tried]
        return [state for state in states if state.breaker.state is not State.CLOSED and state.suspended is None]

    def _judge(self, request: Request) -> tuple[Candidate, ...]:
        """The admitted, each target once: one that stands in two routes may be bound on one rung and not on another."""
        found: dict[str, Candidate] = {}
        for candidate in self._candidates:
            name = candidate.target.name
            if name not in found and _first_refusal(OF_THE_REQUEST, candidate, request, 0.0) is None:
                found[name] = candidate
        return tuple(found.values())

    def _ranked(self, candidates: Sequence[Candidate], request: Request, now: float) -> tuple[Candidate, ...]:
        """In the route's order; those under suspicion stand behind the others."""
        ranking = self._ranking
        if ranking is not None:
            candidates = sorted(candidates, key=lambda candidate: ranking.rank(candidate, request))
        if any(candidate.state.suspect for candidate in candidates):
            candidates = sorted(candidates, key=lambda candidate: candidate.state.shunned(now))
        return tuple(candidates)


def _keep(kept: dict[Key, Judged], key: Key, found: Judged) -> Judged:
    if len(kept) < CLASSES_KEPT:
        kept[key] = found
    return found


def _first_refusal(rules: Iterable[Rule], candidate: Candidate, request: Request, now: float) -> Verdict | None:
    for rule in rules:
        reason = rule.reason(candidate, request, now)
        if reason is not None:
            return Verdict(candidate.target.name, rule=rule.name, reason=reason)
    return None
