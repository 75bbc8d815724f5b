"""What a tally keeps of two arms, counted by hand; and that it keeps no more of many calls than of few."""

import pickle

import numpy as np
import pytest
from tests.replay.paired import HOUR, MONDAY, SPARE, TARGETS, WEEK, failed, ok, outage, results, saved

from surefoot.domain.outcome import Kind
from surefoot.errors import EvidenceError
from surefoot.replay.counting.histogram import quantile
from surefoot.replay.counting.tally import ALL, NANO, WITHOUT, Sum, Tally, Time, name_of, week_of
from surefoot.replay.outages.outage import GATEWAY

WITH, LATE = 1, 2


def first(n: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.zeros(n, np.int64)


def test_calls_failures_and_what_was_saved_or_lost_are_counted_per_arm() -> None:
    tally = Tally([outage(1, 2)], TARGETS, (0.0,))
    at = [MONDAY + h * HOUR for h in (0.5, 1.1, 1.2, 1.9, 2.0)]
    without = results(at, [ok(), failed(outage=0), failed(outage=0), ok(), ok()])
    ours = results(at, [ok(), saved(outage=0), failed(outage=0, attempts=2), failed(), ok()])
    tally.add(first(5), without, ours)
    (key,) = {week for week, _ in tally.weeks}
    everything, inside = tally.weeks[key, ALL], tally.weeks[key, ("acme", "server_error")]
    assert everything.sums[WITHOUT].tolist() == [5, 2, 0, 0, 5, round(0.03 * NANO), 0, 0]
    assert everything.sums[WITH].tolist() == [5, 2, 1, 1, 7, round(0.04 * NANO), 0, 0]
    # the call at 2.0 came when the outage was over; the one at 1.9 was not struck, but came in it
    assert inside.sums[WITHOUT, Sum.CALLS] == 3
    assert tally.struck[:, 0, Sum.FAILED].tolist() == [2, 2]
    assert everything.winners.tolist() == [[3, 0], [2, 1]]
    assert tally.calls == 5


def test_a_call_in_the_first_seconds_of_an_outage_takes_what_the_arm_without_made_of_it() -> None:
    tally = Tally([outage(1, 2)], TARGETS, (0.0, 60.0))
    start = MONDAY + HOUR
    at = [start, start + 59.9, start + 60.0]
    tally.add(first(3), results(at, [failed(outage=0)] * 3), results(at, [saved()] * 3))
    inside = tally.weeks[int(week_of(np.array(at))[0]), ("acme", "server_error")]
    assert inside.sums[:, Sum.FAILED].tolist() == [3, 0, 2]
    assert inside.sums[:, Sum.SAVED].tolist() == [0, 3, 1]
    assert inside.sums[:, Sum.ATTEMPTS].tolist() == [3, 6, 4]
    assert inside.winners[LATE].tolist() == [0, 1]
    assert inside.times[LATE, Time.E2E].sum() == 1


def test_where_two_outages_hold_a_call_is_in_the_one_that_began_last_and_the_lag_counts_from_there() -> None:
    tally = Tally([outage(1, 4), outage(2, 3), outage(4, 5)], TARGETS, (1800.0,))
    at = [MONDAY + h * HOUR for h in (1.1, 1.9, 2.1, 3.5, 4.0, 5.0)]
    tally.add(first(6), results(at, [failed()] * 6), results(at, [saved()] * 6))
    assert tally.struck[1, :, Sum.CALLS].tolist() == [3, 1, 1]
    assert tally.struck[1, :, Sum.FAILED].tolist() == [1, 1, 1]  # at 3.5 the first is old, though it holds again


def test_an_outage_of_the_gateway_is_everybodys_and_what_it_spoils_is_lost() -> None:
    tally = Tally([outage(1, 2, target=GATEWAY, provider="")], TARGETS, (0.0, 1800.0))
    at = [MONDAY + h * HOUR for h in (0.5, 1.1)]
    down = failed(kind=Kind.CONNECT, attempts=0, outage=0)
    tally.add(first(2), results(at, [ok()] * 2), results(at, [ok(), down]))
    assert tally.struck[:, 0, Sum.CALLS].tolist() == [1, 1, 1]
    assert tally.struck[:, 0, Sum.LOST].tolist() == [0, 1, 1]  # whoever has not noticed an outage has no part in this


def test_a_call_belongs_to_the_incident_it_came_in_whichever_struck_it() -> None:
    tally = Tally([outage(1, 3, mode="silence"), outage(2, 3)], TARGETS, (0.0,))
    at = [MONDAY + 2.5 * HOUR] * 2
    tally.add(first(2), results(at, [failed(outage=0), failed(kind=Kind.NO_TARGET)]), results(at, [saved()] * 2))
    assert tally.struck[WITHOUT, :, Sum.CALLS].tolist() == [0, 2]


def test_a_call_that_came_in_no_outage_belongs_to_the_one_that_struck_it() -> None:
    tally = Tally([outage(1, 3), outage(2, 3, target="spare")], TARGETS, (0.0,))
    tally.add(
        np.array([-1]), results([MONDAY + 2.5 * HOUR], [failed(outage=1)]), results([MONDAY + 2.5 * HOUR], [ok()])
    )
    assert tally.struck[WITHOUT, :, Sum.CALLS].tolist() == [0, 1]


def test_a_call_whose_first_target_is_well_is_in_no_outage() -> None:
    tally = Tally([outage(1, 3)], TARGETS, (0.0, 7200.0))
    at = [MONDAY + 2 * HOUR] * 2
    tally.add(np.array([SPARE, -1]), results(at, [failed()] * 2), results(at, [ok()] * 2))
    assert not tally.struck.any()
    assert {pair for _, pair in tally.weeks} == {ALL}


def test_calls_are_counted_in_their_calendar_week_in_utc() -> None:
    tally = Tally([], TARGETS, (0.0,))
    at = [MONDAY - 0.5, MONDAY, MONDAY + WEEK - 0.5, MONDAY + 31 * WEEK]
    arm = results(at, [ok()] * 4)
    tally.add(first(4), arm, arm)
    assert {name_of(week): int(one.sums[WITHOUT, Sum.CALLS]) for (week, _), one in tally.weeks.items()} == {
        "2024-W22": 1,
        "2024-W23": 2,
        "2025-W02": 1,
    }


def test_a_fallbacks_time_is_of_calls_that_were_struck_and_answered_by_another() -> None:
    tally = Tally([outage(0, 1)], TARGETS, (0.0,))
    ours = [saved(outage=0), saved(), ok(outage=0), failed(outage=0), saved(outage=0, first=1)]
    tally.add(first(5), results([MONDAY] * 5, [failed()] * 5), results([MONDAY] * 5, ours))
    counts = tally.weeks[next(iter(tally.weeks))]
    assert counts.times[WITH, Time.FALLBACK].sum() == 1
    assert quantile(counts.times[WITH, Time.FALLBACK], 0.5) == pytest.approx(2.5, rel=0.01)


def test_failed_calls_have_no_times_and_a_verdict_and_a_switch_have_their_own() -> None:
    tally = Tally([], TARGETS, (0.0,))
    at = [MONDAY] * 3
    tally.add(first(3), results(at, [failed()] * 3), results(at, [saved(), saved(), failed()]))
    counts = next(iter(tally.weeks.values()))
    assert counts.times[WITHOUT].sum(axis=1).tolist() == [0, 0, 3, 0, 0]
    assert counts.times[WITH].sum(axis=1).tolist() == [2, 2, 3, 2, 0]
    assert quantile(counts.times[WITH, Time.E2E], 0.5) == pytest.approx(2.5, rel=0.01)


def test_a_call_without_a_price_is_counted_as_one_and_not_as_free() -> None:
    tally = Tally([], TARGETS, (0.0,))
    at = [MONDAY] * 2
    arm = results(at, [ok(), ok(cost=float("nan"))])
    tally.add(first(2), arm, arm)
    counts = next(iter(tally.weeks.values()))
    assert (counts.sums[WITH, Sum.COST], counts.sums[WITH, Sum.UNPRICED]) == (NANO // 100, 1)


def test_arms_with_different_calls_are_refused() -> None:
    tally = Tally([], TARGETS, (0.0,))
    with pytest.raises(EvidenceError, match="different calls"):
        tally.add(first(1), results([MONDAY], [ok()]), results([MONDAY + 1], [ok()]))


def test_batches_and_merged_tallies_give_the_same_to_the_last_digit() -> None:
    rng = np.random.default_rng(5)
    at = np.sort(rng.uniform(MONDAY, MONDAY + 3 * WEEK, 3000)).tolist()
    without = [failed(outage=0) if rng.random() < 0.1 else ok(cost=rng.random()) for _ in at]
    ours = [saved(extra=rng.random()) if call["kind"] is not Kind.OK else call for call in without]
    whole, pieces, other = (Tally([outage(30, 90)], TARGETS, (0.0, 300.0)) for _ in range(3))
    whole.add(first(3000), results(at, without), results(at, ours))
    for start, end in ((0, 7), (7, 1500)):
        pieces.add(
            first(end - start), results(at[start:end], without[start:end]), results(at[start:end], ours[start:end])
        )
    other.add(first(1500), results(at[1500:], without[1500:]), results(at[1500:], ours[1500:]))
    pieces.merge(other)
    assert (pieces.first, pieces.last, pieces.calls) == (whole.first, whole.last, 3000)
    assert np.array_equal(pieces.struck, whole.struck)
    assert set(pieces.weeks) == set(whole.weeks)
    for key, counts in whole.weeks.items():
        mine = pieces.weeks[key]
        assert all(np.array_equal(getattr(mine, name), getattr(counts, name)) for name in ("sums", "times", "winners"))
    with pytest.raises(EvidenceError, match="cannot be merged"):
        whole.merge(Tally([], TARGETS, (0.0, 300.0)))


def test_a_tally_does_not_grow_with_the_number_of_calls() -> None:
    def size(calls: int) -> int:
        tally = Tally([outage(1, 2)], TARGETS, (0.0, 60.0))
        at = np.linspace(MONDAY, MONDAY + WEEK - 1, calls).tolist()
        arm = results(at, [ok()] * calls)
        tally.add(first(calls), arm, arm)
        return len(pickle.dumps(tally))

    assert size(100_000) == size(1000)
