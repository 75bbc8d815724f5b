"""What a replay prints: plain words, and no number where there is none."""

import numpy as np
import pytest
from rich.console import Console
from tests.replay.paired import HOUR, MONDAY, TARGETS, failed, ok, outage, results, saved

from surefoot.domain.outcome import Kind
from surefoot.replay.measures import Where
from surefoot.replay.modelling import Assumption
from surefoot.replay.outage import GATEWAY, Outage
from surefoot.replay.summary import About, Played, Summary, summarise
from surefoot.replay.tally import Tally
from surefoot.report.replayed import Heading, answer, basis, tables
from surefoot.report.shown import minutes_of

HEADING = Heading(config="surefoot.toml", against="no fallback", lags=(0.0, 300.0))


def summed(outages: list[Outage], *rows: tuple[float, dict[str, object], dict[str, object]]) -> Summary:
    tally = Tally(outages, TARGETS, HEADING.lags)
    at = [MONDAY + row[0] * HOUR for row in rows]
    first = np.zeros(len(rows), np.int64)
    tally.add(first, results(at, [row[1] for row in rows]), results(at, [row[2] for row in rows]))
    places = {"primary": Where("US"), "spare": Where("DE")}
    return summarise([Played("any", "", "any", tally)], About(seed=7, inputs="", places=places))


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "0 min"), (0.004, "<1 s"), (0.8, "48 s"), (12.2, "12 min"), (242, "4 h 2 min"), (60, "1 h"),
     (4560, "3 days 4 h"), (1440, "1 day"), (-10, "-10 min")],
)  # fmt: skip
def test_minutes_are_said_as_a_person_says_them(minutes: float, words: str) -> None:
    assert minutes_of(minutes) == words


def test_four_hours_became_twelve_minutes() -> None:
    rows = [(1 + step / 5, failed(outage=0), saved() if step else failed()) for step in range(20)]
    found = list(answer(summed([outage(1, 5)], (0.0, ok(), ok()), *rows, (6.0, ok(), ok())), HEADING))
    assert "any (every incident counts): 4 h of outage became 12 min." in found
    assert "   20 calls failed without, 1 with: 19 were saved." in found
    assert any("p99 end to end of answered calls: too few (2) without, too few (21) with" in line for line in found)


def test_where_nothing_was_met_nothing_is_claimed() -> None:
    found = list(answer(summed([outage(1, 2)], (0.0, ok(), ok()), (3.0, ok(), ok())), HEADING))
    assert any("nothing is known of a fallback's worth" in line for line in found)
    assert any("1 incident (1 h) met no call" in line for line in found)
    assert not any("became" in line for line in found)


def test_what_the_gateway_itself_loses_is_told() -> None:
    down = failed(kind=Kind.CONNECT, attempts=0)
    outages = [outage(1, 2, target=GATEWAY, provider="")]
    found = list(answer(summed(outages, (0.0, ok(), ok()), (1.5, ok(), down), (3.0, ok(), ok())), HEADING))
    assert "any (every incident counts): 0 min of outage became 1 h." in found
    assert "   0 calls failed without, 1 with: 0 were saved, 1 were lost that were answered without." in found


def test_an_unknown_price_is_no_number_on_the_screen() -> None:
    free = saved() | {"cost": float("nan")}
    found = list(answer(summed([outage(1, 2)], (1.5, failed(outage=0), free), (3.0, ok(), ok())), HEADING))
    assert "   cost unknown: 1 of 2 calls asked a target without a price." in found


def test_the_tables_name_lags_modes_and_moves() -> None:
    console = Console(width=200, record=True, file=None)
    summary = summed([outage(1, 2)], (1.5, failed(outage=0), saved()), (3.0, ok(), ok()))
    with console.capture() as captured:
        for table in tables(summary, HEADING):
            console.print(table)
    shown = captured.get()
    for word in ("noticed 5m late", "server_error", "acme", "What moves the minutes avoided", "no interval"):
        assert (word in shown) is (word != "no interval"), word


def test_what_was_assumed_is_listed_and_what_was_measured_is_not() -> None:
    stand_on = (Assumption("a", "ttft", "given", measured=True), Assumption("b", "rate", "assumed: x", measured=False))
    assert list(basis(["all fail"], stand_on, {"outside the time": 3})) == [
        "Assumed:",
        " - all fail",
        " - rate of b: assumed: x",
        "Left out: 3 incidents outside the time.",
    ]
