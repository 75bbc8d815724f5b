"""Tells a fresh Fleet and fresh Calls what a worker's trace says the real ones were told, and compares what they say.

Knows the lines of `gateway.trace`. Time is what the lines say it is. Must never skip a line that it does not know.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, get_args

import msgspec

from surefoot.domain import events
from surefoot.domain.commands import Command, Launch, Reason
from surefoot.domain.request import Request
from surefoot.gateway.channel import Settings
from surefoot.policy.call import Call
from surefoot.policy.fleet import Fleet
from surefoot.policy.jurisdictions import Jurisdictions
from surefoot.policy.suspicion import Grade
from surefoot.policy.target_state import News
from surefoot.policy.zones import Zones

EVENTS = {kind.__name__: kind for kind in get_args(events.Event)}


class DisagreementError(AssertionError):
    """The replayed policy decided otherwise than the recorded one."""


class Replayer:
    """One world of one worker. `told` counts the commands that agreed, by name, `reasons` why they launched.

    `states` are the breakers' states that were seen, `grades` those of suspicion.
    """

    def __init__(self, settings: Settings) -> None:
        rng = Random(settings.seed)  # noqa: S311 - jitter, and the very same
        jurisdictions = Jurisdictions(Zones(settings.zones), settings.jurisdictions)
        self.fleet = Fleet(settings.targets, settings.routes, settings.options, rng, settings.workers, jurisdictions)
        self.calls: dict[int, Call] = {}
        self.told: Counter[str] = Counter()
        self.reasons: Counter[Reason] = Counter()
        self.states: set[str] = set()
        self.grades: set[Grade] = set()

    def take(self, line: list[Any]) -> None:
        """One line. Raises DisagreementError if it asks for commands and others come."""
        what, at, number, *rest = line
        match what:
            case "call":
                self.calls[number] = Call(self.fleet, msgspec.convert(rest[0], Request), at)
            case "marked":
                call = self.calls[number]
                call.marked = at
                call.resumable, grown = rest
                for attempt, marked, said in grown:
                    if marked is not None:  # of a stream that is relayed the call's own mark is what counts
                        call.attempts[attempt].marked = marked
                    call.attempts[attempt].said = said
            case "tick":
                self.fleet.tick(at)
            case "alone":
                self.fleet.leave_alone()
            case "hear":
                self.fleet.hear(msgspec.convert(rest[0], News), at)
            case _:
                self._compare(line, self._decide(self.calls[number], what, at, rest[0]))
        self.states |= {state.breaker.state for state in self.fleet.targets.values()}
        self.grades |= {state.grade for state in self.fleet.targets.values()}

    def _decide(self, call: Call, what: str, at: float, arguments: list[Any]) -> tuple[Command, ...]:
        if what == "handle":
            name, event = arguments
            return call.handle(msgspec.convert(event, EVENTS[name]), at)
        step: dict[str, Callable[..., tuple[Command, ...]]] = {
            "begin": lambda: call.begin(at),
            "content": lambda attempt: call.content(attempt, at),
            "finished": lambda attempt, prompt, completion: call.finished(attempt, at, prompt, completion),
            "wake": lambda: call.wake(at),
        }
        return step[what](*arguments)

    def _compare(self, line: list[Any], commands: tuple[Command, ...]) -> None:
        named = msgspec.to_builtins([[type(command).__name__, command] for command in commands])
        if named != line[4]:
            raise DisagreementError(f"{line[:4]} was answered by {line[4]}, and now is by {named}")
        self.told.update(type(command).__name__ for command in commands)
        self.reasons.update(command.reason for command in commands if isinstance(command, Launch))


def replay(lines: Iterable[bytes]) -> Replayer:
    """Replay one file of a trace."""
    decoded = map(msgspec.json.decode, lines)
    replayer = Replayer(msgspec.convert(next(decoded)[3], Settings))
    for line in decoded:
        replayer.take(line)
    return replayer
