"""The stage of a drill: all its twins, in this process, on real sockets of the loopback.

One healthy twin per target serves every world in which that target is well. A target that is to be struck has a twin of
its own in each world, so that one world's fault is no other's.

Knows: how twins answer, and what the gateway must be told to reach them.
Must never: send anything by itself, or keep a fault once it is told to heal.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from importlib.resources import files
from types import TracebackType
from typing import Self

from surefoot.config.configuration import Configuration
from surefoot.domain.target import Target
from surefoot.drill.plan import DrillOptions, Trial
from surefoot.twin import HEALTHY, Behaviour, Fixed, Lognormal, Tls, Twin, TwinOptions
from surefoot.twin.forward import Real

TOKENS = 12
"""Tokens of every answer of a twin."""

RATE = 400.0
"""Tokens per second of every twin."""

FIRST, STEP, SPREAD = 0.050, 0.010, 1.3
"""Median time to first token of the first target's twin in seconds; how much more each further one's is; p99/median."""

LOG = 200
"""Attempts that a twin remembers: more than any trial has."""

Stands = dict[str, dict[str, str | None]]
"""What the gateway is told of one world: `url` and `ca` by target."""


class Stage:
    """Use it as an asynchronous context manager."""

    def __init__(self, configuration: Configuration, told: DrillOptions) -> None:
        self._told = told
        self._targets = {target.name: target for target in configuration.targets if target.text is None}
        self._models = tuple(dict.fromkeys(target.model for target in self._targets.values()))
        self._stack = AsyncExitStack()
        self._well: dict[str, Twin] = {}
        self._hired: dict[tuple[int, str], Twin] = {}
        self._certificate = str(files("surefoot.drill") / "loopback.pem")

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for name in self._targets:
                self._well[name] = await stack.enter_async_context(self._twin(name, 0, tls=False))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.dismiss()
        await self._stack.aclose()

    def well(self) -> Stands:
        """A world in which nothing is wrong."""
        return {name: {"url": self._address(self._well[name], name), "ca": None} for name in self._targets}

    async def hire(self, trials: Sequence[Trial]) -> dict[int, Stands]:
        """Twins for the targets that these trials strike, still healthy. What the gateway is told of each world."""
        told: dict[int, Stands] = {}
        for trial in trials:
            stands = self.well()
            tls = trial.mode.fault.kind == "tls"
            for name in trial.struck:
                twin = self._twin(name, trial.number, tls=tls)
                self._hired[trial.number, name] = await twin.__aenter__()
                await asyncio.sleep(0)  # hundreds of twins are not started in one go: others are answering meanwhile
                stands[name] = {"url": self._address(twin, name), "ca": self._certificate if tls else None}
            told[trial.number] = stands
        return told

    def strike(self, trials: Sequence[Trial]) -> None:
        """The faults begin."""
        for trial in trials:
            for name in trial.struck:
                self._hired[trial.number, name].set_faults(trial.mode.fault)

    def heal(self) -> None:
        """No fault is left anywhere."""
        for twin in self._hired.values():
            twin.set_faults(HEALTHY)

    async def dismiss(self) -> None:
        """Heal, and end the twins that were hired."""
        self.heal()
        hired, self._hired = self._hired, {}
        for twin in hired.values():
            await twin.__aexit__(None, None, None)

    def twin(self, trial: Trial) -> Twin:
        """The twin of the target that a trial strikes first."""
        return self._hired[trial.number, trial.target]

    def _twin(self, name: str, number: int, *, tls: bool) -> Twin:
        place = list(self._targets).index(name)
        median = FIRST + STEP * place
        behaviour = Behaviour(
            ttft=self._told.ttft or Lognormal(median, p99=median * SPREAD),
            rate=Fixed(RATE),
            tokens=Fixed(TOKENS),
            seed=self._told.seed + 1_000 * number + place,
            events_per_segment=4,
            models=self._models,
        )
        pair = Tls(self._certificate, self._certificate) if tls else None
        real = self._real(self._targets[name]) if self._told.in_front else None
        return Twin(options=TwinOptions(behaviour, tls=pair, control_port=None, log_size=LOG, real=real))

    def _address(self, twin: Twin, name: str) -> str:
        # A twin in front hands the path on as it came; one in place of the target has a path of its own.
        return twin.url + (self._targets[name].endpoint.path if self._told.in_front else "/v1")

    @staticmethod
    def _real(target: Target) -> Real:
        endpoint = target.endpoint
        return Real(endpoint.host, endpoint.port, tls=endpoint.tls, ca_file=endpoint.ca_file)
