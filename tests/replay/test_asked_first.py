"""Whose outage a call came in, where its key decides which target it asks first without a fallback."""

from pathlib import Path

import pytest
from tests.replay.planned import EU, ROUTES, configured, models, traffic

from surefoot.replay.arms import arms
from surefoot.replay.counting.tally import WITHOUT, Sum, Tally
from surefoot.replay.outages.outage import Outage
from surefoot.replay.task import Task, TrafficFile, content_of, perform

NOBODY_MAY = """
[jurisdiction.nowhere]
processes = ["CH"]
unserved = "warning"

[[keys]]
name = "swiss"
env = "NOT_SET_SWISS_KEY"
jurisdictions = ["nowhere"]
"""


def tallied(folder: Path, keys: list[str], target: str, share: float = 1.0) -> Tally:
    """A call a second under these keys, and an outage of one target all the while."""
    file = traffic(folder / "traffic.parquet", [{"at": 1_000.0 + n, "key": key} for n, key in enumerate(keys)])
    configuration = configured(folder, EU + NOBODY_MAY + ROUTES)
    ours, without = arms(configuration, None, models)
    down = Outage(target=target, start=0.0, end=5_000.0, mode="server_error", share=share, incident="i", provider="p")
    task = Task(
        scenario="any",
        arms=(ours, without),
        outages=(down,),
        traffic=TrafficFile(path=str(file), content=content_of(file), calls=len(keys), routes=("chat",)),
        lags=(0.0,),
        seed=1,
    )
    return perform(task, lambda _calls: None)


@pytest.mark.parametrize(("target", "calls"), [("openai-us", 10), ("azure-eu", 20), ("claude-us", 0)])
def test_a_call_is_in_the_outages_of_the_target_that_its_own_key_lets_it_ask_first(
    tmp_path: Path, target: str, calls: int
) -> None:
    """Also those that an outage of few calls spares."""
    tally = tallied(tmp_path, ["european", "anybody", "european"] * 10, target, share=0.2)

    assert tally.struck[WITHOUT, 0, Sum.CALLS] == calls
    assert tally.struck[WITHOUT, 0, Sum.FAILED] < max(calls, 1)


def test_a_call_that_may_ask_nobody_fails_and_is_in_no_outage(tmp_path: Path) -> None:
    tally = tallied(tmp_path, ["swiss", "anybody"], "openai-us")

    assert tally.struck[:, 0, Sum.CALLS].tolist() == [1, 1]
    assert tally.struck[:, 0, Sum.FAILED].tolist() == [1, 0]
    assert tally.calls == 2
