"""Every number of a summary, by hand on a traffic of a few calls; its intervals, by another computation."""

from math import nan
from pathlib import Path

import duckdb
import numpy as np
import pytest
from tests.replay.paired import HOUR, MONDAY, TARGETS, WEEK, Call, failed, ok, outage, results, saved

from surefoot.errors import ReplayError
from surefoot.evidence import clopper_pearson
from surefoot.evidence.outages import fallback_worth
from surefoot.facts import Fact, Facts, write
from surefoot.replay.counting.kept import keep
from surefoot.replay.counting.measures import Where
from surefoot.replay.counting.resampling import RESAMPLES, weights
from surefoot.replay.counting.summary import About, Played, moves_of, summarise
from surefoot.replay.counting.tally import Tally
from surefoot.replay.outages.outage import Outage

PLACES = {"primary": Where("US", "Acme Inc."), "spare": Where("DE", "Beta GmbH")}


def about(seed: int = 7) -> About:
    return About(seed=seed, inputs="0", places=PLACES)


def tallied(
    outages: list[Outage], rows: list[tuple[float, Call, Call]], lags: tuple[float, ...] = (0.0, 600.0)
) -> Tally:
    """Rows are hours after `MONDAY`, the call without, the call with."""
    tally = Tally(outages, TARGETS, lags)
    at = [MONDAY + hours * HOUR for hours, _, _ in rows]
    first = np.zeros(len(rows), np.int64)
    tally.add(first, results(at, [row[1] for row in rows]), results(at, [row[2] for row in rows]))
    return tally


def facts(tally: Tally, seed: int = 7) -> Facts:
    return summarise([Played("any", "", "", tally)], about(seed)).facts


ACME = [outage(1, 3, incident="A"), outage(5, 6, incident="B", mode="silence"), outage(20, 21, incident="C")]


@pytest.fixture(scope="module")
def hand() -> Facts:
    """Two hours in which three of four calls fail, of which two are saved; one hour in which one of two does."""
    return facts(
        tallied(
            ACME,
            [
                (0.0, ok(), ok()),
                (1.1, failed(outage=0), saved()),  # in the first ten minutes
                (1.5, failed(outage=0), saved()),
                (2.0, failed(outage=0), failed(attempts=2)),
                (2.5, ok(), ok()),
                (5.2, failed(outage=1), saved()),
                (5.5, ok(), ok()),
                (30.0, ok(), ok()),
            ],
        )
    )


def value(facts: Facts, name: str) -> float | None:
    return facts.named(name).value


def test_minutes_of_outage_are_each_incidents_duration_times_the_share_of_its_calls_that_failed(hand: Facts) -> None:
    assert value(hand, "any.all.minutes.seen") == 180
    assert value(hand, "any.all.minutes.without") == pytest.approx(120 * 3 / 4 + 60 / 2)
    assert value(hand, "any.all.minutes.with") == pytest.approx(120 / 4)
    assert value(hand, "any.all.minutes.avoided") == pytest.approx(90)
    assert value(hand, "any.mode.silence.minutes.without") == pytest.approx(30)
    assert value(hand, "any.provider.acme.mode.server_error.minutes.avoided") == pytest.approx(60)


def test_an_incident_in_which_no_call_came_is_counted_apart_and_never_saved(hand: Facts) -> None:
    assert (value(hand, "any.all.incidents.seen"), value(hand, "any.all.incidents.unseen")) == (2, 1)
    assert value(hand, "any.all.minutes.unseen") == 60
    assert value(hand, "any.all.incidents.recovered") == 2


def test_an_incident_is_cut_to_the_time_of_the_traffic() -> None:
    whole = facts(tallied([outage(-5, 2)], [(0.0, failed(outage=0), saved()), (1.0, failed(outage=0), saved())]))
    assert value(whole, "any.all.minutes.seen") == 60
    gone = facts(tallied([outage(-5, -4), outage(3, 4)], [(0.0, ok(), ok()), (1.0, ok(), ok())]))
    assert value(gone, "any.all.incidents.unseen") == 0


def test_no_minute_is_counted_twice_where_incidents_overlap() -> None:
    outages = [outage(1, 4, incident="A"), outage(2, 3, incident="B"), outage(1, 4, incident="A", target="spare")]
    rows = [(step / 10, failed(), saved()) for step in range(10, 40)]
    both = facts(tallied(outages, [(0.0, ok(), ok()), *rows, (5.0, ok(), ok())]))
    assert value(both, "any.all.minutes.without") == pytest.approx(180)
    assert value(both, "any.all.incidents.seen") == 2


def test_minutes_avoided_agree_with_the_arithmetic_of_spans_for_every_lag() -> None:
    """`evidence.outages` knows no calls; with one a minute the two have to say the same."""
    rng = np.random.default_rng(8)
    down = {}
    for name in TARGETS:
        begins = np.sort(rng.choice(np.arange(0, 20_000, 10), 40, replace=False))
        down[name] = [(int(begin), int(begin + rng.choice([7, 30, 200]))) for begin in begins]
    outages = [outage(start / 60, end / 60, incident=str(start)) for start, end in down["primary"]]
    rows = []
    for minute in range(20_400):
        out = {name: any(start <= minute < end for start, end in spans) for name, spans in down.items()}
        without = failed() if out["primary"] else ok()
        rows.append((minute / 60, without, failed() if all(out.values()) else saved() if out["primary"] else ok()))
    found = facts(tallied(outages, rows, (0.0, 60.0, 300.0, 1200.0)))
    spans = {name: [(MONDAY + 60 * a, MONDAY + 60 * b) for a, b in down[name]] for name in TARGETS}
    for lag, late in ((0.0, ""), (60.0, ".lag.1m"), (300.0, ".lag.5m"), (1200.0, ".lag.20m")):
        worth = fallback_worth(spans["primary"], spans["spare"], [(MONDAY, MONDAY + 60 * 20_399)], lag=lag, seed=1)
        assert value(found, f"any.all.minutes.avoided{late}") == pytest.approx(worth.avoided.value / 60)
        assert value(found, "any.all.minutes.without") == pytest.approx(worth.down / 60)


def test_what_failed_of_one_incident_in_two_modes_is_shared_out_by_its_calls() -> None:
    both = [outage(1, 2, incident="A", share=0.5), outage(1, 2, incident="A", mode="silence", share=0.5)]
    rows = [(1.1, failed(outage=0), saved()), (1.2, failed(outage=1), saved()), (1.9, failed(outage=1), failed())]
    one = facts(tallied(both, [(0.0, ok(), ok()), *rows, (3.0, ok(), ok())]))
    assert value(one, "any.all.incidents.seen") == 1
    assert value(one, "any.all.minutes.without") == pytest.approx(60)
    assert value(one, "any.mode.silence.minutes.without") == pytest.approx(40)
    assert value(one, "any.mode.silence.minutes.avoided") == pytest.approx(20)
    assert value(one, "any.all.minutes.avoided") == pytest.approx(40)


def test_calls_availability_and_attempts(hand: Facts) -> None:
    assert (value(hand, "any.all.calls"), value(hand, "any.outages.calls")) == (8, 6)
    assert (value(hand, "any.all.failed.without"), value(hand, "any.all.failed.with")) == (4, 1)
    assert (value(hand, "any.all.saved"), value(hand, "any.all.lost")) == (3, 0)
    assert (value(hand, "any.all.availability.without"), value(hand, "any.all.availability.with")) == (0.5, 7 / 8)
    assert value(hand, "any.outages.availability.with") == pytest.approx(5 / 6)
    assert value(hand, "any.all.attempts.without") == 1
    assert value(hand, "any.all.attempts.with") == pytest.approx((4 + 3 * 2 + 2) / 8)


def test_under_a_lag_early_calls_take_the_result_of_the_arm_without(hand: Facts) -> None:
    assert value(hand, "any.all.saved.lag.10m") == 2
    assert value(hand, "any.all.minutes.avoided.lag.10m") == pytest.approx(120 * 1 / 4 + 30)
    assert value(hand, "any.all.availability.with.lag.10m") == 6 / 8


def test_who_answered_is_told_by_target_place_and_operator(hand: Facts) -> None:
    assert value(hand, "any.all.target.spare.with") == pytest.approx(3 / 7)
    assert value(hand, "any.all.place.US.with") == pytest.approx(4 / 7)
    assert value(hand, "any.all.operator.Acme Inc..without") == 1
    with pytest.raises(KeyError):
        hand.named("any.all.place.DE.without")


def test_times_are_those_of_answered_calls_and_a_p99_of_few_is_refused(hand: Facts) -> None:
    assert value(hand, "any.all.e2e.p50.with") == pytest.approx(2.0, rel=0.01)
    assert value(hand, "any.all.e2e.p95.with") == pytest.approx(2.5, rel=0.01)
    assert hand.named("any.all.e2e.p50.without").n == 4
    p99 = hand.named("any.all.ttft.p99.with")
    assert (p99.value, p99.n, p99.note) == (None, 7, "p99 of 7 samples is refused: it needs 100")
    assert value(hand, "any.all.detect.p50.with") == pytest.approx(0.1, rel=0.01)


def test_one_week_has_no_interval_and_says_so(hand: Facts) -> None:
    fact = hand.named("any.all.minutes.with")
    assert (fact.low, fact.high, fact.note) == (None, None, "no interval: one calendar week")


def test_where_weeks_give_none_a_share_has_the_interval_of_its_calls_and_says_what_that_is(hand: Facts) -> None:
    fact = hand.named("any.all.availability.with")
    assert (fact.low, fact.high) == clopper_pearson(7, 8)
    assert fact.note.startswith("of calls alone: no interval of weeks (one calendar week), and too narrow where")
    assert "Clopper and Pearson" in fact.method
    quiet = facts(tallied([], [(0.0, ok(), ok()), (200.0, ok(), ok())])).named("any.all.availability.with")
    assert (quiet.value, quiet.low, quiet.high) == (1, *clopper_pearson(2, 2))
    assert "the same in every resample of weeks" in quiet.note


def by_weeks(weeks: int = 12, seed: int = 3) -> tuple[Tally, list[tuple[float, Call, Call]]]:
    """Some weeks with an outage each, of some calls each."""
    rng = np.random.default_rng(seed)
    outages, rows = [], []
    for week in range(weeks):
        begin = week * 168.0 + 10
        outages.append(outage(begin, begin + 1 + week % 3, incident=f"w{week}"))
        hours = np.sort(rng.uniform(week * 168, week * 168 + 168, 50)).tolist()
        rows += [(hour, ok(e2e=float(rng.lognormal())), ok(e2e=float(rng.lognormal()))) for hour in hours]
        for step in np.sort(rng.uniform(0, 1, rng.integers(1, 9))):
            mended = saved() if rng.random() < 0.7 else failed()
            rows.append((begin + float(step), failed(outage=week), mended))
    rows.sort(key=lambda row: row[0])
    return tallied(outages, rows), rows


def test_intervals_are_those_of_an_independent_bootstrap_over_weeks() -> None:
    tally, rows = by_weeks()
    found = facts(tally, seed=11)
    weeks = np.array([int(hours // 168) for hours, _, _ in rows])
    ends = {}
    for name, picked in (("saved", "any.all.saved"), ("share", "any.all.availability.with")):
        lost = np.array([call["winner"] < 0 for _, _, call in rows])
        was_lost = np.array([call["winner"] < 0 for _, call, _ in rows])
        drawn = np.random.Generator(np.random.PCG64(11)).integers(12, size=(RESAMPLES, 12))
        resampled = []
        for resample in drawn:
            chosen = np.concatenate([np.flatnonzero(weeks == week) for week in resample])
            if name == "saved":
                resampled.append(float((was_lost & ~lost)[chosen].sum()))
            else:
                resampled.append(1 - lost[chosen].mean())
        ends[picked] = np.quantile(resampled, [0.025, 0.975], method="inverted_cdf")
    for name, (low, high) in ends.items():
        fact = found.named(name)
        assert [fact.low, fact.high] == pytest.approx([low, high]), name
        assert low < (fact.value or 0) < high


def test_the_interval_of_a_quantile_is_that_of_the_calls_of_resampled_weeks() -> None:
    tally, rows = by_weeks()
    fact = facts(tally, seed=5).named("any.all.e2e.p95.with")
    weeks = np.array([int(hours // 168) for hours, _, call in rows if call["winner"] >= 0])
    times = np.array([call["e2e"] for _, _, call in rows if call["winner"] >= 0])
    drawn = np.random.Generator(np.random.PCG64(5)).integers(12, size=(RESAMPLES, 12))
    of_each = [
        np.quantile(np.concatenate([times[weeks == week] for week in resample]), 0.95, method="inverted_cdf")
        for resample in drawn
    ]
    low, high = np.quantile(of_each, [0.025, 0.975], method="inverted_cdf")
    assert [fact.low, fact.high] == pytest.approx([low, high], rel=0.011)


def test_a_week_without_a_call_is_a_week_all_the_same() -> None:
    found = facts(tallied([], [(0.0, ok(), ok()), (2 * 168.0, ok(), ok())]))
    assert "3 calendar weeks" in found.named("any.all.calls").method
    assert found.named("any.all.calls").low == 0


def test_weights_draw_as_many_weeks_as_there_are_and_only_the_seed_moves_them() -> None:
    assert (weights(5, 1).sum(axis=1) == 5).all()
    assert np.array_equal(weights(5, 1), weights(5, 1))
    assert not np.array_equal(weights(5, 1), weights(5, 2))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_intervals() -> None:
    def bytes_of(seed: int) -> bytes:
        return write(facts(by_weeks()[0], seed))

    assert bytes_of(1) == bytes_of(1)
    assert bytes_of(1) != bytes_of(2)


def test_what_moves_the_answer_most_stands_first_and_lags_are_among_it() -> None:
    base, _ = by_weeks()
    milder, _ = by_weeks(seed=4)
    nothing = tallied([], [(0.0, ok(), ok()), (11.9 * 168.0, ok(), ok())])
    moves = moves_of(
        [
            Played("any", "", "", base),
            Played("major", "reading", "major", nothing),
            Played("", "failing", "50%", milder),
            Played("any+x", "", "", milder),
        ],
        seed=7,
    )
    assert {(move.assumption, move.value) for move in moves} == {
        ("lag", "10m"),
        ("reading", "major"),
        ("failing", "50%"),
    }
    assert [abs(move.effect) for move in moves] == sorted((abs(move.effect) for move in moves), reverse=True)
    assert moves[0].assumption == "reading"
    assert moves[0].effect == pytest.approx(-moves[0].base)
    assert moves[0].low is not None
    assert moves[0].high is not None
    assert moves[0].low < moves[0].effect < moves[0].high < 0


def test_a_replay_without_a_call_says_nothing() -> None:
    with pytest.raises(ReplayError, match="no call"):
        facts(Tally([], TARGETS, (0.0,)))


def test_numbers_without_an_interval_say_why() -> None:
    def bare(fact: Fact) -> bool:
        return fact.low is None and fact.high is None and not fact.note

    assert [fact.name for fact in facts(by_weeks()[0]).facts if bare(fact)] == []


def test_made_is_the_time_of_the_last_call_and_not_of_a_clock(hand: Facts) -> None:
    assert hand.made == "2024-06-04T06:00:00+00:00"
    assert hand.window == (MONDAY, MONDAY + 30 * HOUR)
    assert MONDAY % WEEK == 4 * 86_400


def test_what_is_the_same_in_every_resample_has_no_interval_and_says_so() -> None:
    """Nobody failed in these weeks: an interval of no width would promise that nobody will."""
    found = facts(tallied([outage(1, 2)], [(1.5, failed(outage=0), saved()), (200.0, ok(), ok()), (400.0, ok(), ok())]))
    for name in ("any.all.failed.with", "any.all.minutes.with"):
        fact = found.named(name)
        assert (fact.low, fact.high, fact.note) == (None, None, "no interval: the same in every resample of weeks")
    assert found.named("any.all.availability.without").low is not None


def test_a_week_with_a_call_without_a_price_has_no_cost(tmp_path: Path) -> None:
    rows = [(1.0, ok(cost=nan), ok()), (2.0, ok(), ok()), (200.0, ok(), ok())]
    played = [Played("any", "", "", tallied([], rows, (0.0,)))]

    keep(tmp_path, summarise(played, about()), played, {})

    weeks = duckdb.read_parquet(str(tmp_path / "weeks.parquet")).project("arm, cost, unpriced").fetchall()
    assert weeks == [("without", None, 1), ("with", 0.02, 0), ("without", 0.01, 0), ("with", 0.01, 0)]


@pytest.mark.parametrize(("mended", "recovered"), [(1, 0), (2, 1), (3, 1)])
def test_an_incident_is_recovered_if_half_of_its_failed_calls_were_saved(mended: int, recovered: int) -> None:
    rows = [(1.1 + step / 10, failed(outage=0), saved() if step < mended else failed()) for step in range(4)]
    found = facts(tallied([outage(1, 2)], [*rows, (3.0, ok(), ok())]))
    assert value(found, "any.all.incidents.recovered") == recovered
