"""A trace of all that the policy was told and answered, so that it can be told again on a virtual clock.

Each line is a JSON array: what was called, when, for which call, with what, and the commands that came back. No
prompt, no answer and no key is part of the policy's input, so none is in the trace. Off by default: then the classes
here are not used at all.
"""

import io
from collections.abc import Callable
from pathlib import Path

import msgspec

from surefoot.domain.commands import Command
from surefoot.domain.events import Event
from surefoot.domain.request import Request
from surefoot.gateway.channel import Settings
from surefoot.policy.call import Call
from surefoot.policy.fleet import Fleet
from surefoot.policy.target_state import News

Commands = tuple[Command, ...]
_ENCODE = msgspec.json.Encoder().encode


class Trace:
    """Writes lines. Buffered: what matters is the order, and the file is closed with the worker."""

    def __init__(self, file: io.BufferedWriter, settings: Settings) -> None:
        self._file = file
        self._numbers = 0
        bare = msgspec.structs.replace(settings, credentials={}, door=msgspec.structs.replace(settings.door, keys=()))
        self.line("settings", 0.0, -1, bare)

    def line(self, what: str, at: float, call: int, *more: object) -> None:
        """One input, or what came of it."""
        self._file.write(_ENCODE([what, at, call, *more]) + b"\n")

    def flush(self) -> None:
        """Let the lines be seen."""
        self._file.flush()

    def number(self) -> int:
        """A number for one call."""
        self._numbers += 1
        return self._numbers

    def calls(self) -> type[Call]:
        """A Call that notes what it is told and what it answers."""
        trace = self

        class TracedCall(Call):
            """See `Trace`."""

            __slots__ = ("_number",)

            def __init__(self, fleet: Fleet, request: Request, now: float) -> None:
                super().__init__(fleet, request, now)
                self._number = trace.number()
                trace.line("call", now, self._number, request)

            def begin(self, now: float) -> Commands:
                return self._noted("begin", now, super().begin(now))

            def content(self, number: int, now: float) -> Commands:
                return self._noted("content", now, super().content(number, now), number)

            def finished(
                self, number: int, now: float, prompt_tokens: int | None, completion_tokens: int | None
            ) -> Commands:
                self._marks()
                commands = super().finished(number, now, prompt_tokens, completion_tokens)
                return self._noted("finished", now, commands, number, prompt_tokens, completion_tokens)

            def handle(self, event: Event, now: float) -> Commands:
                self._marks()
                return self._noted("handle", now, super().handle(event, now), type(event).__name__, event)

            def wake(self, now: float) -> Commands:
                if now < self.wake_at:
                    return ()
                self._marks()
                return self._noted("wake", now, super().wake(now))

            def _marks(self) -> None:
                """What the driver has moved since the last line."""
                grown = [
                    [attempt.number, getattr(attempt, "marked", None), attempt.said]
                    for attempt in self.attempts
                    if attempt.live and (attempt.said or attempt.first is not None)
                ]
                trace.line("marked", self.marked, self._number, self.resumable, grown)

            def _noted(self, what: str, now: float, commands: Commands, *arguments: object) -> Commands:
                named = [[type(command).__name__, command] for command in commands]
                trace.line(what, now, self._number, list(arguments), named)
                return commands

        return TracedCall

    def tick(self, at: float) -> None:
        """The Fleet folded what it had learned."""
        self.line("tick", at, -1)

    def alone(self, at: float) -> None:
        """The supervisor is gone: nobody grants a probe any more."""
        self.line("alone", at, -1)

    def hear(self, news: News, at: float) -> None:
        """The Fleet heard of something."""
        self.line("hear", at, -1, news)


def tracing(settings: Settings) -> Callable[[], Trace] | None:
    """What opens the trace of one world, if the configuration asks for one."""
    if settings.trace is None:
        return None
    path = Path(f"{settings.trace}.{settings.worker}.{settings.prefix}{settings.version}.jsonl")
    return lambda: Trace(path.open("ab"), settings)
