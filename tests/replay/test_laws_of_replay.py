"""What holds of every replay, whatever the traffic and the outages."""

import gc
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.replay.world import BEGAN, NEVER_TRIPS, alone, answered, arm, calls, kinds, model, outage, replayed

from surefoot.domain.outcome import Kind
from surefoot.domain.route import Limits, Resume
from surefoot.errors import ReplayError
from surefoot.policy.fleet import Fleet
from surefoot.replay.models.draws import draws
from surefoot.replay.models.model import QuantileTable, TargetModel
from surefoot.replay.outages.modes import MODES
from surefoot.replay.outages.outage import Outage
from surefoot.replay.virtual.driver import Driver
from surefoot.replay.virtual.life import Leg, Life
from surefoot.replay.virtual.result import Results
from surefoot.replay.virtual.ticking import EVERY


class Restless(Fleet):
    """Ticks night and day."""

    @property
    def unsettled(self) -> bool:
        return True


LAW = settings(derandomize=True, deadline=None, database=None)
pytestmark = pytest.mark.timeout(240)  # a busy machine

SPREAD = tuple((0.2 + 0.01 * step) * (1.0 if step < 95 else 4.0) for step in range(101))


def varied(name: str, factor: float = 1.0, **more: object) -> TargetModel:
    ttft = ((QuantileTable(tuple(factor * value for value in SPREAD)),),)
    rate = ((QuantileTable(tuple(20.0 + step for step in range(101))),),)
    return TargetModel(target=name, ttft=ttft, rate=rate, **more)  # type: ignore[arg-type]


def spans(names: Sequence[str]) -> st.SearchStrategy[list[Outage]]:
    one = st.builds(
        outage,
        st.sampled_from(names),
        st.floats(-10, 200),
        st.floats(0, 300),
        st.sampled_from(sorted(MODES)),
        st.sampled_from([1.0, 0.5, 0.1]),
    )
    return st.lists(one, max_size=4)


arrivals = st.lists(st.floats(0, 200), min_size=1, max_size=40).map(sorted)


def same(one: Results, other: Results) -> bool:
    return all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in Results.__dataclass_fields__)


@given(at=arrivals, stream=st.booleans(), tokens=st.integers(1, 400))
@settings(LAW, max_examples=40)
def test_without_outages_nothing_fails(*, at: list[float], stream: bool, tokens: int) -> None:
    results = replayed(arm(varied("a"), varied("b")), calls(at, stream=stream, tokens=tokens))

    assert set(kinds(results)) == {Kind.OK}


def test_a_route_that_no_call_asks_for_need_not_be_there_and_one_that_a_call_asks_for_is_told() -> None:
    (batch,) = calls([0.0, 1.0])
    more = replace(batch, routes=("chat", "eu"))
    assert same(replayed(arm(model("a")), [more]), replayed(arm(model("a")), [batch]))
    with pytest.raises(ReplayError, match="the traffic asks for the route 'eu'"):
        replayed(arm(model("a")), [replace(more, route=np.array([0, 1]))])


@given(
    at=arrivals,
    outages=spans(["a", "b"]),
    stream=st.booleans(),
    servers=st.sampled_from([None, 1, 3]),
    tokens=st.sampled_from([11, 600]),
)
@settings(LAW, max_examples=150)
def test_every_call_ends_within_its_deadline(
    *, at: list[float], outages: list[Outage], stream: bool, servers: int | None, tokens: int
) -> None:
    slow = varied("a", servers=servers), varied("b", servers=servers)
    the_arm = arm(*slow, limits=Limits(deadline=60.0), resume=Resume.TEXT)

    results = replayed(the_arm, calls(at, stream=stream, tokens=tokens), outages)

    assert len(results.at) == len(at)
    assert (results.e2e <= 60.0 + 1e-6).all()
    assert (np.isnan(results.ttft) | (results.ttft <= results.e2e)).all()
    assert (results.attempts <= 4).all()


@given(
    at=arrivals,
    some=spans(["a"]),
    more=spans(["a"]),
    stream=st.booleans(),
    tokens=st.sampled_from([1, 11, 600]),
    places=st.sampled_from([(None, None), (1, None), (1, 0), (2, 3)]),
)
@settings(LAW, max_examples=150)
def test_without_fallback_more_outages_never_help(
    *,
    at: list[float],
    some: list[Outage],
    more: list[Outage],
    stream: bool,
    tokens: int,
    places: tuple[int | None, int | None],
) -> None:
    traffic = calls(at, stream=stream, tokens=tokens)
    one = alone(varied("a", servers=places[0], queue=places[1]), Limits(attempts=1, wait=0.0, deadline=60.0))

    few = replayed(one, traffic, some)
    many = replayed(one, traffic, [*some, *more])

    assert answered(many) <= answered(few)
    assert not ((many.kind == 0) & (few.kind != 0)).any()


@given(at=arrivals, outages=spans(["a", "b"]), stream=st.booleans(), seed=st.integers(0, 5), size=st.integers(1, 50))
@settings(LAW, max_examples=60)
def test_the_same_seed_gives_the_same_bytes_however_traffic_is_cut_into_batches(
    *, at: list[float], outages: list[Outage], stream: bool, seed: int, size: int
) -> None:
    the_arm = arm(varied("a"), varied("b"), varied("c"), resume=Resume.TEXT)

    one = replayed(the_arm, calls(at, stream=stream), outages, seed)
    other = replayed(the_arm, calls(at, stream=stream, size=size), outages, seed)

    assert same(one, other)


def test_another_seed_gives_other_draws() -> None:
    one, other = (replayed(alone(varied("a")), calls(range(20)), seed=seed) for seed in (1, 2))

    assert not same(one, other)


@given(st.integers(0, 2**63), st.integers(0, 10_000), st.integers(1, 50), st.integers(0, 49))
@settings(LAW)
def test_a_draw_depends_on_seed_target_and_call_alone(seed: int, first: int, count: int, place: int) -> None:
    several = draws(seed, "a", first, count)

    assert several.shape == (count, 4)
    assert ((several >= 0) & (several < 1)).all()
    assert (several[place % count] == draws(seed, "a", first + place % count, 1)[0]).all()
    assert (several != draws(seed, "b", first, count)).any()


def test_draws_are_uniform() -> None:
    assert draws(3, "a", 0, 100_000).mean(axis=0) == pytest.approx([0.5] * 4, abs=0.005)  # 5 standard errors


def test_both_arms_see_the_same_draws() -> None:
    traffic = calls(np.arange(0.0, 400.0, 2.0))

    without = replayed(alone(varied("a", 0.1)), traffic)
    with_fallback = replayed(arm(varied("a", 0.1), varied("b", 0.1)), traffic)

    undisturbed = (with_fallback.attempts == 1) & (with_fallback.winner == 0)
    assert undisturbed.sum() > 150
    assert (without.ttft[undisturbed] == with_fallback.ttft[undisturbed]).all()
    assert (without.e2e[undisturbed] == with_fallback.e2e[undisturbed]).all()


@given(at=arrivals, outages=spans(["a", "b"]), stream=st.booleans())
@settings(LAW, max_examples=60)
def test_ticks_that_are_left_out_would_have_changed_nothing(
    *, at: list[float], outages: list[Outage], stream: bool
) -> None:
    """Against a driver that ticks night and day, as a worker does."""
    the_arm = arm(varied("a"), varied("b"), limits=Limits(deadline=60.0))

    lazy = Driver(the_arm, outages, BEGAN - 20, 1)
    diligent = Driver(the_arm, outages, BEGAN - 20, 1)
    diligent.ticks.due = EVERY
    diligent.fleet.__class__ = Restless
    found = []
    for driver in (lazy, diligent):
        for batch in calls(at, stream=stream):
            driver.take(batch)
        driver.advance(10_000.0)
        found += list(driver.finished())

    assert diligent.ticks.made > lazy.ticks.made
    assert same(*found)


def test_a_call_leaves_nothing_behind_however_it_ends() -> None:
    """So that memory does not grow with the traffic, and the cyclic collector has nothing to do."""
    outages = [outage("a", 8 * number, 8 * number + 4, mode) for number, mode in enumerate(MODES)]
    gc.collect()
    gc.disable()
    try:
        results = replayed(arm(varied("a"), varied("b", servers=1), resume=Resume.TEXT), calls(range(400)), outages)
        left = [one for one in gc.get_objects() if isinstance(one, (Life, Leg))]
    finally:
        gc.enable()

    assert len(set(kinds(results))) > 2
    assert not left


def test_a_call_that_waits_for_a_probe_after_its_only_attempt_ends_all_the_same() -> None:
    busy = model("b", requests_per_minute=3.0)
    found = replayed(arm(model("a"), busy), calls(range(4)), [outage("a", -1, 3600)])
    assert len(found.at) == 4
    assert answered(found) == 3
    assert found.e2e[-1] > 1  # the first breaker is open, the other target says that it is full: it waited


def test_a_repeat_at_a_target_that_fails_in_part_succeeds_as_often_as_any_other_attempt() -> None:
    one = arm(model("a"), options=NEVER_TRIPS)

    found = replayed(one, calls(np.arange(0.0, 4_000.0, 2.0)), [outage("a", -1, 4_000, "reset", share=0.5)])

    repeated = found.attempts == 2
    assert repeated.sum() > 100
    assert (found.kind[repeated] == 0).mean() == pytest.approx(0.5, abs=0.15)  # three standard errors of 100


def test_an_outage_frees_no_place() -> None:
    """So many calls at once, one place, and no queue."""
    one, traffic = alone(varied("a", servers=1, queue=0)), calls(np.arange(0.0, 0.2, 0.01))

    assert answered(replayed(one, traffic)) == 1
    assert answered(replayed(one, traffic, [outage("a", -1, 0.05)])) == 0
