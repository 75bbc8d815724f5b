"""What an incident is to the traffic, and whose a minute is where the gateway and a target are down at once."""

import numpy as np
import pytest
from tests.replay.paired import HOUR, MONDAY, PRIMARY, SPARE, TARGETS, failed, ok, outage, results, saved
from tests.replay.test_summary import facts, tallied, value

from surefoot.domain.outcome import Kind
from surefoot.replay.counting.tally import Sum, Tally
from surefoot.replay.counting.toll import Sort, tolls
from surefoot.replay.outages.outage import GATEWAY
from surefoot.replay.virtual.arriving import NONE, Arriving


def test_outages_of_fallbacks_are_told_apart_from_those_of_primaries_that_met_no_call() -> None:
    outages = [
        outage(1, 2, incident="met"),
        outage(3, 3.5, incident="quiet"),
        outage(5, 8, incident="fallback", target="spare", provider="beta"),
        outage(8, 9, incident="both"),
        outage(8, 9, incident="both", target="spare"),
    ]
    rows = [(0.0, ok(), ok()), (1.5, failed(outage=0), saved()), (6.0, ok(), ok()), (10.0, ok(), ok())]
    found = facts(tallied(outages, rows))
    counted = {sort: value(found, f"any.all.incidents.{sort}") for sort in ("seen", "unseen", "fallback")}
    assert counted == {"seen": 1, "unseen": 2, "fallback": 1}
    lasted = {sort: value(found, f"any.all.minutes.{sort}") for sort in ("seen", "unseen", "fallback")}
    assert lasted == pytest.approx({"seen": 60, "unseen": 90, "fallback": 180})


def test_a_target_that_any_batch_asks_first_is_no_fallback() -> None:
    tallies = [Tally([outage(1, 2, target="spare")], TARGETS, (0.0,)) for _ in range(2)]
    for tally, first in zip(tallies, (PRIMARY, SPARE), strict=True):
        for hours in (0.0, 3.0):
            arm = results([MONDAY + hours * HOUR], [ok()])
            tally.add(np.array([first]), arm, arm)
    assert [tolls(tally)[0].sort for tally in tallies] == [Sort.FALLBACK, Sort.UNSEEN]
    tallies[0].merge(tallies[1])
    assert tolls(tallies[0])[0].sort is Sort.UNSEEN


NOBODY = failed(kind=Kind.CONNECT, attempts=0)


def test_minutes_and_calls_agree_where_the_gateway_falls_in_the_middle_of_an_outage() -> None:
    """A call a minute: so many fail, so many minutes are out, and none of them is counted twice."""
    outages = [outage(1, 2, incident="A"), outage(1.5, 3, target=GATEWAY, provider="gateway", incident="stress")]
    rows = []
    for minute in range(240):
        out, down = 60 <= minute < 120, 90 <= minute < 180
        rows.append((minute / 60, failed(outage=0) if out else ok(), NOBODY if down else saved() if out else ok()))
    found = facts(tallied(outages, rows))
    assert value(found, "any.all.failed.with") == 90
    assert value(found, "any.all.minutes.with") == pytest.approx(90)
    assert value(found, "any.all.minutes.without") == pytest.approx(60)
    assert value(found, "any.provider.gateway.minutes.seen") == pytest.approx(60)
    assert value(found, "any.provider.gateway.calls") == 60
    assert value(found, "any.provider.acme.minutes.with") == pytest.approx(30)


def test_the_gateways_minutes_are_its_own_while_any_first_target_is_well() -> None:
    outages = [
        outage(1, 3), outage(2, 4, target="spare"), outage(0, 5, target=GATEWAY)
    ]  # fmt: skip
    arriving = Arriving(outages, TARGETS)
    hours = [[((a - MONDAY) / HOUR, (b - MONDAY) / HOUR) for a, b in arriving.held(first)[2]] for first in (
        [PRIMARY], [PRIMARY, SPARE], [NONE, PRIMARY], [])]  # fmt: skip
    assert hours == [[(0, 1), (3, 5)], [(0, 2), (3, 5)], [(0, 5)], [(0, 5)]]


def test_who_finds_nobody_at_the_gateway_finds_nobody_however_late_an_outage_is_noticed() -> None:
    outages = [outage(1, 2, share=0.5), outage(1, 2, target=GATEWAY, provider="gateway")]
    tally = Tally(outages, TARGETS, (0.0, 7200.0))
    at = [MONDAY + 1.1 * HOUR] * 2
    tally.add(np.zeros(2, np.int64), results(at, [ok(), failed(outage=0)]), results(at, [NOBODY] * 2))
    assert tally.struck[:, 0, Sum.FAILED].tolist() == [1, 2, 2]
    assert tally.struck[:, 0, Sum.LOST].tolist() == [0, 1, 1]
