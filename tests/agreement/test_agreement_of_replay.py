"""The replay's driver tells the policy what the gateway tells it, in the same order, and hears the same commands.

The real gateway meets each failure mode on the wire, with its trace on; the driver plays the same mode, and its Call
notes what it is told. Left out of both are times, and what a log cannot know: whether a connection was warm, and when
the head of a good answer came.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.agreement.replayer import EVENTS
from tests.gateway.conftest import BEHAVIOUR, TOKENS, Pair
from tests.gateway.house import STEADY, UNSUSPECTING, House, settings_of, targets_at
from tests.gateway.raw import body_of, exchange, post
from tests.replay.world import BEGAN, calls, outage

from surefoot.config.configuration import Admin, Configuration
from surefoot.domain.commands import Command
from surefoot.domain.events import Event, Failed
from surefoot.domain.route import Limits, Resume
from surefoot.domain.target import Continues
from surefoot.drill.catalogue import MODES, Mode
from surefoot.gateway.channel import Settings
from surefoot.policy.call import Call
from surefoot.policy.first_token import FirstTokenOptions
from surefoot.policy.options import PolicyOptions
from surefoot.replay.models.model import TargetModel, constant
from surefoot.replay.virtual.arm import Arm
from surefoot.replay.virtual.driver import Driver
from surefoot.twin import HEALTHY, Tls, TwinOptions, TwinProcess

OPTIONS = PolicyOptions(
    FirstTokenOptions(hedge=20.0, limit=1.0, plain_hedge=20.0, plain_limit=1.0, samples=100_000),
    STEADY,
    suspicion=UNSUSPECTING,
)
"""So patient that a busy machine makes no difference, and no more."""

DRIPS = {"slow_drip": 0.2, "drip_later": 0.2}
"""Seconds between tokens here, in place of one: a drip is a good answer however fast, and times are left out."""

SECURE = ("tls",)
"""Modes that want a twin with a certificate. All others meet plain ones, where nothing hides what is on the wire."""

UNKNOWN_TO_LOGS = {"Connecting", "Sent", "Heard"}

Line = tuple[Any, ...]


def told(what: str, event: str | None, argument: Any, commands: list[Any]) -> Line | None:
    """One input and its answer without times; None if it is left out."""
    if event in UNKNOWN_TO_LOGS or (what == "wake" and not commands):
        return None
    shown = []
    for name, command in commands:
        shown.append((name, *(command.get(field) for field in ("attempt", "target", "reason", "kind"))))
    return what, event, argument, tuple(shown)


def transcripts(lines: list[bytes]) -> list[list[Line]]:
    """Of each call, in the order of arrival."""
    found: dict[int, list[Line]] = {}
    for what, _, number, *rest in map(msgspec.json.decode, lines):
        if what == "call":
            found[number] = []
        elif what in {"begin", "content", "finished", "handle", "wake"}:
            arguments, commands = rest
            event = arguments[0] if what == "handle" else None
            if what == "handle":
                argument: Any = (arguments[1].get("attempt"), arguments[1].get("kind"))
            else:
                argument = arguments[0] if arguments else None
            line = told(what, event, argument, commands)
            found[number] += [] if line is None else [line]
    return list(found.values())


def settings_for(ports: tuple[int, int], stem: Path, ca_file: str | None = None) -> Settings:
    secure, plain = targets_at(*ports, ca_file=ca_file)[0], targets_at(*ports)[1]
    return settings_of(
        # A twin says the same again; told to go on, it would repeat what it was shown, as no model does.
        [msgspec.structs.replace(target, continues=Continues.REPLAY) for target in (secure, plain)],
        limits=Limits(idle=2.0, deadline=20.0),
        options=OPTIONS,
        hedge=0.0,
        trace=str(stem),
        resume=Resume.TEXT,
    )


def record(settings: Settings, twins: Pair, modes: Sequence[Mode]) -> dict[str, list[Line]]:
    """What a gateway tells its Calls when their first target fails in each of these modes."""
    with House(settings) as house:
        for mode in modes:
            drip = DRIPS.get(mode.name)
            twins[0].set_faults(mode.fault if drip is None else msgspec.structs.replace(mode.fault, seconds=drip))
            twins[1].set_faults(HEALTHY)
            more = msgspec.json.decode(b"{%b}" % mode.ask.encode())
            exchange(house.port, post(body_of(stream=mode.stream, **more)))
        house.drain()
    twins[0].set_faults(HEALTHY)
    lines = Path(f"{settings.trace}.0.call-v1.jsonl").read_bytes().splitlines()
    return dict(zip((mode.name for mode in modes), transcripts(lines), strict=True))


@pytest.fixture(scope="module")
def recorded(
    tmp_path_factory: pytest.TempPathFactory, started_twins: Pair, authority: tuple[Path, Tls]
) -> tuple[Settings, dict[str, list[Line]]]:
    """What the gateway told its Calls, by mode, and under which settings."""
    folder = tmp_path_factory.mktemp("trace")
    ca_file, tls = authority
    one, two = started_twins
    settings = settings_for((one.port, two.port), folder / "plain")
    found = record(settings, started_twins, [mode for mode in MODES if mode.name not in SECURE])
    with TwinProcess(TwinOptions(behaviour=BEHAVIOUR, tls=tls)) as secure:
        secured = settings_for((secure.port, two.port), folder / "secure", str(ca_file))
        found |= record(secured, (secure, two), [mode for mode in MODES if mode.name in SECURE])
    return settings, found


class Noting(Call):
    """A Call that notes what it is told and what it answers, as `gateway.trace` does."""

    __slots__ = ()
    notes: list[Line] = []  # noqa: RUF012 - of the one call of a test

    def _note(self, what: str, event: str | None, argument: Any, commands: tuple[Command, ...]) -> tuple[Command, ...]:
        line = told(what, event, argument, msgspec.to_builtins([[type(c).__name__, c] for c in commands]))
        self.notes.extend([] if line is None else [line])
        return commands

    def begin(self, now: float) -> tuple[Command, ...]:
        return self._note("begin", None, None, super().begin(now))

    def content(self, number: int, now: float) -> tuple[Command, ...]:
        return self._note("content", None, number, super().content(number, now))

    def finished(self, number: int, now: float, prompt_tokens: Any, completion_tokens: Any) -> tuple[Command, ...]:
        commands = super().finished(number, now, prompt_tokens, completion_tokens)
        return self._note("finished", None, number, commands)

    def handle(self, event: Event, now: float) -> tuple[Command, ...]:
        assert type(event).__name__ in EVENTS
        argument = (getattr(event, "attempt", None), event.kind.value if isinstance(event, Failed) else None)
        return self._note("handle", type(event).__name__, argument, super().handle(event, now))

    def wake(self, now: float) -> tuple[Command, ...]:
        return self._note("wake", None, None, super().wake(now))


class NotingDriver(Driver):
    make_call = Noting


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
@pytest.mark.timeout(120)
def test_the_driver_tells_the_policy_what_the_gateway_tells_it(
    recorded: tuple[Settings, dict[str, list[Line]]], mode: Mode
) -> None:
    settings, gateway = recorded
    configuration = Configuration("0", settings.door, Admin(), settings.targets, settings.routes, settings.options, {})
    models = {
        one.name: TargetModel(target=one.name, ttft=constant(0.01), rate=constant(400.0), round_trip=0.001)
        for one in settings.targets
    }
    driver = NotingDriver(Arm("with", configuration, models), [outage("primary", -1, 1, mode.name)], BEGAN - 10, 1)
    Noting.notes = []

    for batch in calls([0.0], tokens=TOKENS, stream=mode.stream):
        driver.take(batch)
    driver.advance(1_000.0)

    assert Noting.notes == gateway[mode.name]
