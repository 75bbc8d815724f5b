"""What a replay prints: plain words, and no number where there is none."""

import numpy as np
import pytest
from rich.console import Console
from tests.replay.paired import HOUR, MONDAY, TARGETS, failed, ok, outage, results, saved

from surefoot.domain.outcome import Kind
from surefoot.evidence import clopper_pearson
from surefoot.replay.counting.measures import Where
from surefoot.replay.counting.summary import About, Played, Summary, summarise
from surefoot.replay.counting.tally import Tally
from surefoot.replay.modelling import Assumption
from surefoot.replay.outages.outage import GATEWAY, Outage
from surefoot.replay.outages.planning import LeftOut
from surefoot.replay.stress import OF_THE_GATEWAY
from surefoot.report.replayed import LEFT_OUT, Heading, answer, basis, tables
from surefoot.report.shown import minutes_of, money_between, money_of

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


def test_incidents_are_told_with_their_hours_and_those_of_fallbacks_apart_from_those_that_met_no_call() -> None:
    outages = [outage(1, 5), outage(6, 7), outage(7, 9.5, target="spare", provider="beta")]
    rows = [(0.0, ok(), ok()), (2.0, failed(outage=0), saved()), (10.0, ok(), ok())]
    found = list(answer(summed(outages, *rows), HEADING))
    assert (
        "   1 incident (4 h) met calls that ask their target first; 1 incident (1 h) of such targets met no call: of"
        " those nothing is known; 1 incident (2 h 30 min) of targets that no call asks first: of fallbacks alone."
    ) in found


def test_where_nothing_was_met_nothing_is_claimed() -> None:
    found = list(answer(summed([outage(1, 2)], (0.0, ok(), ok()), (3.0, ok(), ok())), HEADING))
    assert any("nothing is known of a fallback's worth" in line for line in found)
    assert any("1 incident (1 h) of such targets met no call" in line for line in found)
    assert not any("became" in line for line in found)


def test_what_the_gateway_itself_loses_is_told() -> None:
    down = failed(kind=Kind.CONNECT, attempts=0)
    outages = [outage(1, 2, target=GATEWAY, provider=OF_THE_GATEWAY)]
    found = list(answer(summed(outages, (0.0, ok(), ok()), (1.5, ok(), down), (3.0, ok(), ok())), HEADING))
    assert "any (every incident counts): 0 min of outage became 1 h." in found
    assert "   0 calls failed without, 1 with: 0 were saved, 1 was lost that was answered without." in found
    assert (
        "   the gateway itself: 1 h of outage; 1 call found nobody there while all else was well, of which 1 was"
        " answered without."
    ) in found


def test_a_share_of_one_week_is_never_bare_and_says_what_its_interval_is_of() -> None:
    rows = [(step / 10, ok(), ok()) for step in range(100)]
    found = list(answer(summed([outage(1, 2)], *rows), HEADING))
    assert found[1].startswith("One calendar week: what stands here is what happened in it")
    low = 100 * clopper_pearson(100, 100)[0]
    assert f"   availability 100.00 % [{low:.2f}, 100.00, of calls alone] became" in "\n".join(found)
    two = list(answer(summed([outage(1, 2)], *rows, (200.0, ok(), ok())), HEADING))
    assert two[1] == "2 calendar weeks: intervals over weeks are rough."


def test_what_was_spent_in_outages_is_told_apart_from_hedges_while_all_was_well() -> None:
    hedged = ok(cost=0.03, attempts=2)
    rows = [(0.0, ok(), hedged), (1.5, failed(outage=0), saved()), (3.0, ok(), ok())]
    found = list(answer(summed([outage(1, 2)], *rows), HEADING))
    told = "$0.02 became $0.06: +$0.02 in outages, +$0.02 outside of them; for each saved call $0.02, all in $0.04."
    assert f"   cost {told}" in found


def test_an_unknown_price_is_no_number_on_the_screen() -> None:
    free = saved() | {"cost": float("nan")}
    found = list(answer(summed([outage(1, 2)], (1.5, failed(outage=0), free), (3.0, ok(), ok())), HEADING))
    assert "   cost unknown: 1 of 2 calls asked a target without a price." in found


def test_the_tables_name_lags_modes_and_moves() -> None:
    console = Console(width=200, record=True, file=None)
    summary = summed([outage(1, 2)], (1.5, failed(outage=0), saved()), (3.0, ok(), ok()))
    with console.capture() as captured:
        for table in tables(summary, HEADING, 200):
            console.print(table)
    shown = captured.get()
    for word in ("5m late", "server_error", "acme", "What moves the minutes avoided", "no interval"):
        assert (word in shown) is (word != "no interval"), word


def test_what_was_assumed_is_listed_and_what_was_measured_is_not() -> None:
    stand_on = (Assumption("a", "ttft", "given", measured=True), Assumption("b", "rate", "assumed: x", measured=False))
    assert list(basis(["all fail"], stand_on, {"outside the time": 3, "milder": 1}, ())) == [
        "Assumed:",
        " - all fail",
        " - rate of b: assumed: x",
        "Left out: 3 incidents outside the time, 1 incident milder.",
    ]


def test_incidents_in_the_traffics_time_that_are_left_out_are_named_up_to_some() -> None:
    def one(number: int) -> LeftOut:
        title = f"Slow {number}" if number else ""
        return LeftOut(incident="id", provider="acme", title=title, start=MONDAY, end=None, why="milder", ours=True)

    found = list(basis([], (), {"milder": 10}, [one(number) for number in range(LEFT_OUT + 2)]))
    assert found[2:5] == [
        "Of those, in the time of the traffic:",
        " - 2024-06-03 00:00 acme: id (milder)",
        " - 2024-06-03 00:00 acme: Slow 1 (milder)",
    ]
    assert found[-1] == " - and 2 more: assumptions.json lists all of them"
    assert len(found) == 3 + LEFT_OUT + 1


def nine_weeks() -> Summary:
    """An outage in each, of which the fallback saves ever more calls, ever more slowly and dearly."""
    outages = [outage(168 * week + 1, 168 * week + 5) for week in range(9)]
    rows = [
        (
            168 * week + 1 + step / 10,
            failed(outage=week),
            saved() | {"e2e": 2.5 + week, "cost": 0.02 + week / 100} if step < 3 + 2 * week else failed(attempts=2),
        )
        for week in range(9)
        for step in range(10 + week)
    ]
    well = [(168 * week + 6 + step / 10, ok(), ok()) for week in range(9) for step in range(20)]
    return summed(outages, *sorted([*rows, *well], key=lambda row: row[0]))


COUNTED = ("failed.without", "failed.with", "saved")


def test_no_number_that_has_an_interval_is_told_without_it() -> None:
    summary = nine_weeks()
    found = "\n".join(answer(summary, HEADING))
    ends = {
        name: summary.facts.named(f"any.all.{name}")
        for name in (*COUNTED, "minutes.with", "e2e.p99.with", "cost.recovery", "cost.per_recovered_call")
    }
    assert all(fact.low is not None and fact.high is not None for fact in ends.values())

    def between(name: str, form: str = "{:,.0f}", scale: float = 1.0) -> str:
        low, high = (form.format((end or 0.0) * scale) for end in (ends[name].low, ends[name].high))
        return f"[{low}, {high}]"

    failed_with = f"{ends['failed.with'].value:,.0f} {between('failed.with')} with"
    assert f"126 calls {between('failed.without')} failed without, {failed_with}: " in found
    assert f"{ends['saved'].value:,.0f} {between('saved')} were saved" in found
    low, high = (minutes_of(end or 0.0) for end in (ends["minutes.with"].low, ends["minutes.with"].high))
    assert f" became {minutes_of(ends['minutes.with'].value or 0.0)} [{low}, {high}]." in found
    assert f" {between('e2e.p99.with', scale=1000)} with;" in found
    assert f" {between('cost.recovery', '+${:,.2f}')} in outages" in found
    each = ends["cost.per_recovered_call"]
    assert f"for each saved call {money_of(each)} [{money_between(each).replace(' … ', ', ')}], all in" in found


def test_the_modes_and_the_lags_have_their_intervals_in_the_tables() -> None:
    summary = nine_weeks()
    console = Console(width=400, record=True, file=None)
    with console.capture() as captured:
        for table in tables(summary, HEADING, 400):
            console.print(table)
    screen = captured.get()
    for name in ("all.minutes.avoided.lag.5m", "mode.server_error.minutes.with", "mode.server_error.saved"):
        fact = summary.facts.named(f"any.{name}")
        assert f"{fact.value:,.0f} [{fact.low:,.0f}, {fact.high:,.0f}]" in screen, name
    answered = summary.facts.named("any.mode.server_error.availability.without")
    assert answered.note.startswith("of calls alone")
    assert f"0.00 % [{100 * (answered.low or 0):.2f}, {100 * (answered.high or 0):.2f} *]" in screen
    assert "* of calls alone" in screen
