"""What is noted of one batch of calls while they run: columns that fill in any order, and become `Results` when full.

A plain success notes five numbers; its cost is reckoned for all of them at once in the end.

Knows indices and numbers. Must never know a call.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from surefoot.domain.units import TOKENS_PER_PRICE_UNIT, Price
from surefoot.replay.models.draws import STRIKE, draws
from surefoot.replay.models.model import Floats, Integers, TargetModel, quantiles
from surefoot.replay.models.together import Chances
from surefoot.replay.virtual.batch import Batch
from surefoot.replay.virtual.result import Results

_NAN = float("nan")
_NOT_YET = -1.0
"""Stands for a cost that is reckoned in the end."""


class Pace:
    """How one target would answer each call of a batch: seconds to the first token and between tokens, and strikes."""

    __slots__ = ("chances", "first", "gap", "strike")

    def __init__(self, model: TargetModel, batch: Batch, seed: int) -> None:
        self.chances = chances = Chances(model, batch.at, batch.first, seed)
        self.first: list[float] = quantiles(model.ttft, batch.at, batch.prompt_tokens, chances.first).tolist()
        self.gap: list[float] = gaps(quantiles(model.rate, batch.at, batch.prompt_tokens, chances.rate)).tolist()
        self.strike: list[float] = chances.chance[:, STRIKE].tolist()


def gaps(rate: Floats) -> Floats:
    """Seconds between tokens, from tokens per second; 0 is all at once."""
    return np.divide(1.0, rate, out=np.zeros_like(rate), where=rate > 0)


class Books:
    """Of one batch. `left` are the calls that have not ended."""

    __slots__ = (
        "_models", "_paces", "_seed", "attempts", "batch", "completion", "cost", "detect", "e2e", "extra", "first",
        "kind", "left", "outage", "prompt", "switch", "ttft", "winner",
    )  # fmt: skip

    def __init__(self, batch: Batch, models: Sequence[TargetModel | None], seed: int) -> None:
        count = len(batch)
        self.batch = batch
        self._models = models
        self._seed = seed
        self._paces: dict[int, Pace] = {}
        self.left = count
        self.prompt: list[int] = batch.prompt_tokens.tolist()
        self.completion: list[int] = np.maximum(batch.completion_tokens, 1).tolist()
        self.kind = [0] * count
        self.ttft = [_NAN] * count
        self.e2e = [_NAN] * count
        self.first = [-1] * count
        self.winner = [-1] * count
        self.attempts = [1] * count
        self.cost = [_NOT_YET] * count
        self.extra = [0.0] * count
        self.outage = [-1] * count
        self.detect = [_NAN] * count
        self.switch = [_NAN] * count

    def pace(self, target: int) -> Pace:
        """How this target would answer these calls; reckoned when it is first asked by one of them."""
        found = self._paces.get(target)
        if found is None:
            model = self._models[target]
            if model is None:
                raise LookupError(f"target {target} is static and has no pace")
            found = self._paces[target] = Pace(model, self.batch, self._seed)
        return found

    def again(self, target: int, row: int, prompt_tokens: int) -> tuple[float, float]:
        """Seconds to the first token and between tokens of another attempt of a call at a target, by its spare draw."""
        model = self._models[target]
        if model is None:
            return 0.0, 0.0
        chance = self.pace(target).chances.again(row)
        at, prompt = self.batch.at[row : row + 1], np.array([prompt_tokens])
        first = quantiles(model.ttft, at, prompt, chance[0])
        rate = quantiles(model.rate, at, prompt, chance[1])
        return float(first[0]), float(gaps(rate)[0])

    def strike(self, target: int, row: int, earlier: int) -> float:
        """What decides whether a partial outage strikes an attempt of a call that asked the target `earlier` times.

        Each attempt has a draw of its own, by how many were before it: a repeat may succeed where the first failed.
        """
        model = self._models[target]
        if model is None or not earlier:
            return self.pace(target).strike[row]
        chance = draws(self._seed, f"attempt {earlier + 1} at {model.target}", self.batch.first + row, 1)
        return float(chance[0, STRIKE])

    def results(self, prices: Mapping[int, Price]) -> Results:
        """All of it; to be asked once `left` is 0. `prices` by target; of one without, a cost is not known."""
        batch = self.batch
        winner: Integers = np.array(self.winner, np.int64)
        cost = np.array(self.cost, np.float64)
        plain = cost == _NOT_YET
        cost[plain] = self._plain_costs(prices)[winner[plain]][:, 0] * batch.prompt_tokens[plain]
        cost[plain] += self._plain_costs(prices)[winner[plain]][:, 1] * np.maximum(batch.completion_tokens[plain], 1)
        return Results(
            at=batch.at,
            kind=np.array(self.kind, np.int64),
            ttft=np.array(self.ttft),
            e2e=np.array(self.e2e),
            first=np.array(self.first, np.int64),
            winner=winner,
            attempts=np.array(self.attempts, np.int64),
            cost=cost,
            extra=np.array(self.extra),
            outage=np.array(self.outage, np.int64),
            detect=np.array(self.detect),
            switch=np.array(self.switch),
        )

    def _plain_costs(self, prices: Mapping[int, Price]) -> Floats:
        """US dollars per token of prompt and answer, by target."""
        known = [prices.get(target) for target in range(len(self._models))]
        rows = [(_NAN, _NAN) if price is None else (price.input, price.output) for price in known]
        return np.array(rows) / TOKENS_PER_PRICE_UNIT
