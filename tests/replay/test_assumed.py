"""What targets bear where nobody says: a fallback that suddenly gets all traffic slows down, and has a limit."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from tests.replay.planned import configured, traffic

from surefoot.config.configuration import Configuration
from surefoot.domain.outcome import Kind
from surefoot.replay.assumed import NOTHING, Carried, assumed, carried, mean_seconds
from surefoot.replay.demand import Demand, Lengths, demand_of
from surefoot.replay.modelling import Models, models_of
from surefoot.replay.models.model import Floats, QuantileTable, TargetModel, constant
from surefoot.replay.models.models_file import Given
from surefoot.replay.outages.outage import Outage
from surefoot.replay.traffic import Traffic
from surefoot.replay.virtual.arm import Arm
from surefoot.replay.virtual.driver import KINDS, run

BEGAN, DOWN, UP, END = 1_700_000_000.0, 900.0, 1_800.0, 2_700.0
TWO = """
[routes.chat]
targets = ["openai-us", "claude-us"]
[routes.side]
targets = ["claude-us"]
"""
BY_LENGTH = """
[routes.chat]
targets = [{ target = "openai-us", when = { prompt_tokens = "<= 1000" } }, "claude-us"]
"""


def minute(at: Floats) -> float:
    """Calls in the busiest one."""
    return float((np.arange(1, len(at) + 1) - np.searchsorted(at, at - 60)).max())


class World:
    """Two calls a second for 45 minutes; `side` of them ask the fallback anyhow. Nobody states limits."""

    def __init__(self, folder: Path, side: float, text: str = TWO) -> None:
        rng = np.random.default_rng(4)
        self.at = BEGAN + np.sort(rng.random(int(2 * END)) * END)
        self.aside = rng.random(len(self.at)) < side
        listed = [
            {"at": float(at), "route": "side" if one else "chat"} for at, one in zip(self.at, self.aside, strict=True)
        ]
        self.configuration: Configuration = configured(folder, text)
        self.file = traffic(folder / "traffic.parquet", listed)
        self.models: Models = models_of(self.configuration, self.file, demand_of(self.file))
        self.infinite = {
            name: replace(one, servers=None, requests_per_minute=None, tokens_per_minute=None)
            for name, one in self.models.of.items()
        }

    def replayed(self, models: dict[str, TargetModel], *, down: bool) -> tuple[Floats, Counter[Kind]]:
        """Seconds to the first token of answered calls, and how calls end, in the middle quarter of an hour."""
        outage = Outage(target="openai-us", start=BEGAN + DOWN, end=BEGAN + UP, mode="server_error")
        calls = Traffic(self.file, ("chat", "side"), otherwise="chat")
        parts = list(run(Arm("with", self.configuration, models), calls, [outage] if down else [], 1))
        at, ttft, kind = (np.concatenate([getattr(one, what) for one in parts]) for what in ("at", "ttft", "kind"))
        middle = (at >= BEGAN + DOWN) & (at < BEGAN + UP)
        ends = Counter(KINDS[number] for number in kind[middle])
        return ttft[middle & (kind == KINDS.index(Kind.OK))], ends


def p99(times: Floats) -> float:
    return float(np.quantile(times, 0.99))


def test_a_fallback_whose_load_jumps_tenfold_slows_down_and_refuses_what_is_beyond_its_limit(tmp_path: Path) -> None:
    world = World(tmp_path, side=0.1)

    well, ends_well = world.replayed(world.models.of, down=False)
    down, ends = world.replayed(world.models.of, down=True)
    unbounded, ends_unbounded = world.replayed(world.infinite, down=True)

    assert set(ends_well) == set(ends_unbounded) == {Kind.OK}
    assert p99(down) > 2 * p99(unbounded) > p99(well)
    assert ends[Kind.RATE_LIMIT] > 0.2 * ends.total()
    assert 0.2 < ends[Kind.OK] / ends.total() < 0.5  # twice a tenth, and what the bucket holds


@pytest.mark.parametrize("side", [0.1, 0.45, 0.55])
def test_no_target_is_slowed_by_what_it_carries(tmp_path: Path, side: float) -> None:
    world = World(tmp_path, side=side)

    bounded, _ = world.replayed(world.models.of, down=False)
    unbounded, _ = world.replayed(world.infinite, down=False)

    assert world.models.slowed >= {"claude-us", "azure-eu"}
    assert bounded.tolist() == unbounded.tolist()


def test_one_that_carries_half_and_has_to_take_all_is_slowed(tmp_path: Path) -> None:
    world = World(tmp_path, side=0.55)

    down, _ = world.replayed(world.models.of, down=True)
    unbounded, _ = world.replayed(world.infinite, down=True)

    assert world.models.slowed >= {"openai-us", "claude-us"}
    assert down.sum() > unbounded.sum()


def test_one_that_carries_nothing_takes_over_everything_and_slows_down(tmp_path: Path) -> None:
    world = World(tmp_path, side=0.0)

    down, ends = world.replayed(world.models.of, down=True)
    unbounded, _ = world.replayed(world.infinite, down=True)

    assert set(ends) == {Kind.OK}
    assert np.quantile(down, 0.95) > 1.2 * np.quantile(unbounded, 0.95)
    busiest = minute(world.at)
    model = world.models.of["claude-us"]
    assert (model.requests_per_minute, model.tokens_per_minute) == (busiest, 601 * busiest)


def test_what_targets_carry_is_counted_call_by_call(tmp_path: Path) -> None:
    world = World(tmp_path, side=0.1)
    aside = world.at[world.aside]

    found = carried(world.configuration, world.file, demand_of(world.file), {"openai-us": 60.0, "claude-us": 5.0})

    assert set(found) == {"openai-us", "claude-us"}
    one = found["claude-us"]
    assert (one.calls, one.requests, one.tokens) == (len(aside), minute(aside), 601 * minute(aside))
    assert one.at_once == (np.arange(1, len(aside) + 1) - np.searchsorted(aside, aside - 5)).max()
    assert found["openai-us"].calls == len(world.at) - len(aside)
    assert found["openai-us"].at_once == found["openai-us"].requests


def test_a_call_is_carried_by_the_target_that_its_length_asks_first(tmp_path: Path) -> None:
    listed = [{"at": BEGAN + n, "prompt_tokens": 500 if n % 3 else 2_000} for n in range(90)]
    file = traffic(tmp_path / "traffic.parquet", listed)

    found = carried(configured(tmp_path, BY_LENGTH), file, demand_of(file), {})

    assert {name: one.calls for name, one in found.items()} == {"openai-us": 60, "claude-us": 30}


def demand(requests: float, tokens: float, largest: float) -> Demand:
    return Demand(
        calls=1_000, start=0.0, end=1.0, busiest_hour=0.0, busiest_calls=1, peak_requests=requests, peak_tokens=tokens,
        largest_call=largest, lengths=Lengths(np.zeros(1), np.zeros(1, np.int64), np.zeros(1, np.int64)), routes={},
    )  # fmt: skip


def own(calls: int, requests: float, tokens: float = 0.0, at_once: float = 0.0) -> Carried:
    return Carried(calls=calls, requests=requests, tokens=tokens, at_once=at_once)


@pytest.mark.parametrize(
    ("carries", "requests", "tokens", "servers"),
    [
        (own(500, 600), 600, 60_000, None),  # all of the busiest minute
        (own(500, 300, 30_000), 600, 60_000, 30),  # half of it: 600 a minute of 3 s are 30 at once
        (own(500, 400, 40_000), 600, 60_000, 40),  # twice its own is more than there is
        (own(100, 20, 4_000), 40, 8_000, 2),  # 40 a minute of 3 s are 2 at once
        (own(100, 20, 4_000, at_once=9), 40, 8_000, 9),
        (own(100, 20, 100), 40, 900, 2),  # the largest call is not refused for ever
        (own(99, 20, 4_000, at_once=9), 600, 60_000, 30),  # too few to tell; 600 a minute of 3 s are 30 at once
        (NOTHING, 600, 60_000, 30),
    ],
)
def test_limits_by_hand(carries: Carried, requests: float, tokens: float, servers: int | None) -> None:
    found = assumed(demand(600, 60_000, 900), carries, 3.0)

    assert (found.requests_per_minute, found.tokens_per_minute, found.servers) == (requests, tokens, servers)
    assert found.text.startswith("assumed: ")
    assert f"{requests:g} requests and {tokens:g} tokens a minute" in found.text


def test_the_mean_time_of_an_answer_goes_over_its_lengths() -> None:
    lengths = Lengths(np.zeros(2), np.array([10, 10]), np.array([11, 31]))
    spread = ((QuantileTable((0.5, 1.5)),),)

    assert mean_seconds(constant(2.0), constant(10.0), lengths) == pytest.approx(2 + (1 + 3) / 2)
    assert mean_seconds(spread, constant(0.0), lengths) == pytest.approx(1.0, abs=1e-3)


def test_what_the_models_file_says_is_taken_as_it_is(tmp_path: Path) -> None:
    world = World(tmp_path, side=0.1)
    given = {"claude-us": Given(requests_per_minute=9.0)}

    found = models_of(world.configuration, world.file, demand_of(world.file), given)

    model = found.of["claude-us"]
    assert (model.servers, model.requests_per_minute, model.tokens_per_minute) == (None, 9.0, None)
    assert found.slowed == {"azure-eu", "openai-us"}
