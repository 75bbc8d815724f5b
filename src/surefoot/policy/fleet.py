"""The Fleet: all that is known of every target, and what all calls share.

One Fleet lives in each worker, and one in each replay. It has no clock: `tick` folds what was learned since the last
one and is to be called a few times a second; `hear` takes in what other workers have found out.
"""

from collections.abc import Iterable

from surefoot.domain.route import Route
from surefoot.domain.target import Target
from surefoot.policy.breaker import State
from surefoot.policy.budget import Budget
from surefoot.policy.chance import Chance
from surefoot.policy.exercise import Exercise
from surefoot.policy.jurisdictions import NO_JURISDICTIONS, Jurisdictions
from surefoot.policy.options import PolicyOptions
from surefoot.policy.stack import Stack
from surefoot.policy.target_state import News, Suspended, TargetState
from surefoot.policy.them_or_us import ThemOrUs


class Fleet:
    """Targets, routes and the gateway's budget. `rng` decides jitter, and nothing else here does."""

    def __init__(
        self,
        targets: Iterable[Target],
        routes: Iterable[Route],
        options: PolicyOptions,
        rng: Chance,
        workers: int = 1,
        jurisdictions: Jurisdictions = NO_JURISDICTIONS,
    ) -> None:
        self.options = options
        self.jurisdictions = jurisdictions
        self.rng = rng
        self.news: list[News] = []
        """What other workers should hear; whoever drives the Fleet empties it."""
        burst, every = options.budget.burst / workers, options.budget.trickle * workers
        self.budget = Budget(options.budget.share, burst, every)
        self.jury = ThemOrUs(options.them_or_us)
        self.ours = False
        """Whether every target fails at once, so that the fault is more likely on this side."""
        zones = None if jurisdictions is NO_JURISDICTIONS else jurisdictions.zones
        self.targets = {
            t.name: TargetState(t, options, self.news, self.jury, alone=workers == 1, zones=zones) for t in targets
        }
        self.stacks = {
            route.name: Stack(
                route, self.targets, Budget(route.hedge, burst, every), self._exercise(route), jurisdictions
            )
            for route in routes
        }
        self._ticked = list(self.targets.values())
        self._make_eager()

    def _exercise(self, route: Route) -> Exercise | None:
        return Exercise(route.exercise, self.options.exercise, self.rng) if route.exercise else None

    def adopt(self, other: "Fleet") -> None:
        """Carry over what another Fleet knows of targets that are the same here: their states outlive a reload.

        Who is suspended stays so, whatever the options, unless its answers are judged otherwise here.
        """
        known = {
            name: state
            for name, state in other.targets.items()
            if name in self.targets and state.target == self.targets[name].target
        }
        same = known if other.options == self.options else {}
        for name, state in known.items():
            here = self.targets[name]
            heir = same.get(name, here)
            heir.suspend(state.suspended if here.witness.alike(state.witness) else None)
            heir.witness = here.witness  # the target is the same, the zones may not be
        self.targets.update(same)
        for state in same.values():
            state.news = self.news
            state.jury = self.jury
        self._ticked = list(self.targets.values())
        other.hand_over(same.values())
        for name, stack in self.stacks.items():
            self.stacks[name] = Stack(stack.route, self.targets, stack.budget, stack.exercise, self.jurisdictions)
        self._make_eager()

    def hand_over(self, states: Iterable[TargetState]) -> None:
        """Another Fleet looks after these from now on: calls that began here go on with them, but one of us judges."""
        theirs = set(states)
        self._ticked = [state for state in self._ticked if state not in theirs]

    def _make_eager(self) -> None:
        """Breakers of targets that others can stand in for, wherever they are used, open sooner."""
        for state in self.targets.values():
            used = [stack for stack in self.stacks.values() if state in stack.states]
            state.breaker.eager = all(stack.stand_ins(state) for stack in used)

    def _others_can_take_over(self, state: TargetState) -> bool:
        """Whether every route that has this target has another one that is asked now."""
        used = [stack for stack in self.stacks.values() if state in stack.states]
        return all(any(_can(other) for other in stack.stand_ins(state)) for stack in used)

    def tick(self, now: float) -> None:
        """Fold the samples that have come in since the last tick, and let time pass for what depends on it."""
        self.budget.trickle(now)
        for stack in self.stacks.values():
            stack.budget.trickle(now)
        judged: list[tuple[TargetState, bool]] = []
        for state in self._ticked:
            alarm = state.fold(now)
            if alarm or state.suspicion.grade or state.suspect:  # of the others nothing follows
                judged.append((state, alarm))
        self.jury.tick(now)
        self.ours = self.jury.ours(now)
        slowed = self.jury.slowed(now)
        for state, alarm in judged:
            state.judge(now, closed_off=alarm and self._others_can_take_over(state), slowed=slowed)

    @property
    def unsettled(self) -> bool:
        """Whether the next tick has anything to do, though no call says anything more until then.

        But for the budgets' trickle and old signs of failure, which one tick at any later time does as well. So who
        drives virtual time need not tick through a quiet night.
        """
        return any(state.suspicion.unsettled for state in self._ticked)

    def suspend_as(self, other: "Fleet", now: float) -> None:
        """Whom another Fleet has suspended is asked by nobody here either."""
        for name, state in other.targets.items():
            if state.suspended is not None:
                self.hear(Suspended(name, state.suspended), now)

    def leave_alone(self) -> None:
        """Nobody is left who could grant a probe: each worker probes for itself. More probes, but an end."""
        for state in self.targets.values():
            state.alone = True

    def hear(self, news: News, now: float) -> None:
        """Take in what another worker or the supervisor says; of an unknown target nothing is said."""
        state = self.targets.get(news.target)
        if state is not None:
            state.hear(news, now)


def _can(state: TargetState) -> bool:
    return state.breaker.state is State.CLOSED and state.suspended is None
