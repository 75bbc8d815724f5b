"""What stands against a configuration: itself without fallback, one target for each call and nobody else."""

from pathlib import Path

from tests.replay.planned import EU, ROUTES, TARGETS, batch, configured, models

from surefoot.domain.outcome import Kind
from surefoot.domain.route import Filtered, Order, Resume, Rung, Watch, When
from surefoot.replay.arms import arms, first_two, primaries, read_configuration, without_fallback
from surefoot.replay.outages.outage import Outage
from surefoot.replay.traffic import Batch
from surefoot.replay.virtual.driver import KINDS, Arm, run
from surefoot.replay.virtual.result import Results

OK = KINDS.index(Kind.OK)


def only(arm: Arm, calls: Batch, outages: list[Outage]) -> Results:
    (found,) = run(arm, [calls], outages, 1)
    return found


def test_a_configuration_is_read_though_no_environment_variable_is_set() -> None:
    example = Path(__file__).parents[2] / "examples" / "multi-cloud.toml"
    assert len(read_configuration(example, {}).targets) == 4


def test_nothing_of_a_route_is_left_but_its_first_target(tmp_path: Path) -> None:
    (route,) = without_fallback(configured(tmp_path)).routes
    assert route.rungs == (Rung("openai-us"),)
    assert (route.limits.attempts, route.limits.wait, route.hedge, route.exercise) == (1, 0.0, 0.0, 0.0)
    assert (route.order, route.resume, route.watch) == (Order.LISTED, Resume.OFF, Watch.OFF)
    assert (route.filtered, route.static) == (Filtered.FAIL, None)


def test_no_limit_of_the_gateways_own_is_left(tmp_path: Path) -> None:
    assert all(target.max_in_flight is None for target in without_fallback(configured(tmp_path)).targets)


def test_the_first_target_is_the_first_that_the_jurisdiction_admits(tmp_path: Path) -> None:
    configuration = configured(tmp_path, EU + ROUTES + 'jurisdiction = "eu"\n')
    (route,) = without_fallback(configuration).routes
    assert route.rungs == (Rung("azure-eu"),)


def test_whom_a_key_binds_is_left_the_first_that_it_may_use(tmp_path: Path) -> None:
    configuration = configured(tmp_path, EU + ROUTES)
    (route,) = without_fallback(configuration).routes
    assert route.rungs == (Rung("openai-us"), Rung("azure-eu"))
    one, cut = arms(configuration, None, models)
    down = Outage(target="openai-us", start=0.0, end=2e9, mode="server_error")
    bound, free = (only(cut, batch(50, key=key), [down]) for key in ("european", "anybody"))
    assert (bound.kind == OK).all()
    assert not (free.kind == OK).any()
    assert set(free.first) == {[t.name for t in one.configuration.targets].index("openai-us")}


def test_each_length_of_prompt_keeps_the_first_target_for_it(tmp_path: Path) -> None:
    routes = """
[routes.chat]
targets = [
    { target = "claude-us", when = { prompt_tokens = "<= 1000" } },
    { target = "openai-us", when = { prompt_tokens = "500..4000" } },
    "azure-eu",
]
"""
    configuration = configured(tmp_path, routes)
    (route,) = without_fallback(configuration).routes
    assert route.rungs == (
        Rung("claude-us", When(0, 1_000)),
        Rung("openai-us", When(1_001, 4_000)),
        Rung("azure-eu", When(4_001)),
    )
    assert primaries(configuration) == {"chat": ("claude-us", "openai-us", "azure-eu")}


def test_a_static_answer_is_given_by_the_gateway_alone(tmp_path: Path) -> None:
    static = TARGETS + '[targets.sorry]\nprovider = "static"\nmodel = "none"\ntext = "Sorry."\n'
    configuration = configured(tmp_path, ROUTES.replace('"azure-eu"]', '"azure-eu", "sorry"]'), static)
    (route,) = without_fallback(configuration).routes
    assert route.static is None


def test_without_fallback_every_call_of_an_outage_fails_and_the_first_one_after_it_does_not(tmp_path: Path) -> None:
    one, cut = arms(configured(tmp_path), None, models)
    assert (one.direct, cut.direct) == (False, True)
    calls = batch(3_000, every=0.1)
    start = float(calls.at[1_000])
    down = Outage(target="openai-us", start=start, end=start + 100.0, mode="rate_limit")
    whole, alone = only(one, calls, [down]), only(cut, calls, [down])
    inside = (calls.at >= start) & (calls.at < start + 100.0)
    assert not (alone.kind[inside] == OK).any()
    assert (alone.kind[~inside] == OK).all()
    assert (alone.attempts == 1).all()
    assert (whole.kind == OK).all()


def test_a_slow_target_is_asked_all_the_same_without_fallback(tmp_path: Path) -> None:
    _, cut = arms(configured(tmp_path, EU + ROUTES), None, models)
    calls = batch(600, key="anybody")
    start = float(calls.at[300])
    slow = Outage(target="openai-us", start=start, end=start + 1e6, mode="slow_first_token")
    found = only(cut, calls, [slow])
    assert (found.kind == OK).all()
    assert set(found.first) == {1}  # suspicion would have turned to the target that is left for the other key
    assert (found.ttft[300:] >= 30.0).all()


def test_a_plain_call_is_neither_watched_nor_retried_without_fallback(tmp_path: Path) -> None:
    _, cut = arms(configured(tmp_path), None, models)
    silent = Outage(target="openai-us", start=0.0, end=2e9, mode="plain_silence")
    found = only(cut, batch(5, stream=False), [silent])
    assert not (found.kind == OK).any()
    assert (found.attempts == 1).all()
    assert (found.e2e >= 299.0).all()


def test_another_file_stands_against_it_with_models_of_its_own(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    second = configured(other, '[routes.chat]\ntargets = ["azure-eu"]\n')
    one, two = arms(configured(tmp_path), second, models)
    assert (one.name, two.name, two.direct) == ("with", "against", False)
    assert two.configuration is second


def test_primary_and_fallback_are_the_first_two_that_are_admitted(tmp_path: Path) -> None:
    configuration = configured(tmp_path, EU + ROUTES)
    assert first_two(configuration, configuration.routes[0]) == ("openai-us", "claude-us")
    bound = configured(tmp_path, EU + ROUTES + 'jurisdiction = "eu"\n')
    assert first_two(bound, bound.routes[0]) is None
