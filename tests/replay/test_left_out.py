"""Why an incident makes no outage: the edges of the traffic's time, lengths that are not known, and what is cut."""

from pathlib import Path

import pytest
from tests.replay.planned import configured, incident

from surefoot.intake.incident import Reading, Severity
from surefoot.intake.incidents.mending import CAP
from surefoot.replay.outages.planning import OUTSIDE, LeftOut, Plan, Rules, plan

FIRST, LAST = 1_000_000.0, 2_000_000.0
DAY = 86_400.0
OPEN = "of unknown length: still open"
POSTED = "of unknown length: posted without any"
CUT = "cut to 24h, and over before the traffic"
MILD = "milder than the reading (major)"
ELSEWHERE = "about another service than a chat by API"


def planned(folder: Path, start: float, end: float | None, **more: object) -> Plan:
    rules = Rules(**({"reading": Reading.ANY, "seed": 1} | more))  # type: ignore[arg-type]
    return plan([incident(start=start, end=end)], configured(folder), (FIRST, LAST), rules)


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        (FIRST - 60, FIRST - 1, OUTSIDE),
        (FIRST - 60, FIRST, OUTSIDE),  # an outage is over at its end
        (FIRST - 60, FIRST + 1, None),
        (LAST - 1, LAST + 60, None),
        (LAST, LAST + 60, None),  # and on from its begin: the last call is in it
        (LAST + 1, LAST + 60, OUTSIDE),
        (FIRST - 60, LAST + 60, None),
        (FIRST, FIRST, POSTED),
        (LAST, LAST, POSTED),
        (FIRST - 1, FIRST - 1, OUTSIDE),
        (LAST + 1, LAST + 1, OUTSIDE),
        (FIRST + 1, None, OPEN),
        (FIRST - 60, None, OPEN),  # it may have gone on into the traffic
        (FIRST - CAP, None, OPEN),
        (FIRST - CAP - 1, None, OUTSIDE),
        (LAST + 1, None, OUTSIDE),
        (FIRST - 3 * DAY, FIRST + DAY, CUT),
        (FIRST - 3 * DAY, FIRST - DAY, OUTSIDE),
        (FIRST - CAP / 2, FIRST + 3 * DAY, None),
    ],
)
def test_an_incident_is_played_as_far_as_it_lies_in_the_time_of_the_traffic(
    tmp_path: Path, start: float, end: float | None, why: str | None
) -> None:
    made = planned(tmp_path, start, end)
    assert made.left_out == ({} if why is None else {why: 1})
    assert [one.why for one in made.inside] == ([] if why in {None, OUTSIDE} else [why])
    assert len(made.outages) == (why is None)
    assert all(one.start <= LAST and one.end > FIRST for one in made.outages)


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        (FIRST - 60, None, None),
        (FIRST - 600, None, OUTSIDE),
        (FIRST - 60, FIRST - 60, None),
        (FIRST - 300, FIRST - 300, OUTSIDE),  # over with the first call
        (LAST, None, None),
    ],
)
def test_an_assumed_length_is_taken_for_a_known_one(
    tmp_path: Path, start: float, end: float | None, why: str | None
) -> None:
    made = planned(tmp_path, start, end, unknown_length=300.0)
    assert made.left_out == ({} if why is None else {why: 1})
    assert [one.end - one.start for one in made.outages] == ([300.0] if why is None else [])


def test_without_a_cap_nothing_is_cut_and_what_is_open_may_go_on_for_ever(tmp_path: Path) -> None:
    assert planned(tmp_path, FIRST - 3 * DAY, FIRST + DAY, cap=None).outages[0].end == FIRST + DAY
    assert planned(tmp_path, 0.0, None, cap=None).left_out == {OPEN: 1}


def test_that_it_is_outside_is_the_first_of_all_reasons_and_an_unknown_length_the_last(tmp_path: Path) -> None:
    mild, elsewhere = {"severity": Severity.MINOR}, {"title": "Fine-tuning jobs fail"}
    listed = [
        incident(id="1", start=0.0, end=None, **mild, **elsewhere),
        incident(id="2", start=FIRST, end=None, **mild, **elsewhere),
        incident(id="3", start=FIRST, end=None, **elsewhere),
        incident(id="4", start=FIRST, end=None),
    ]
    made = plan(listed, configured(tmp_path), (FIRST, LAST), Rules(reading=Reading.MAJOR, seed=1))
    assert made.left_out == {OUTSIDE: 1, MILD: 1, ELSEWHERE: 1, OPEN: 1}
    assert [(one.incident, one.why) for one in made.inside] == [("2", MILD), ("3", ELSEWHERE), ("4", OPEN)]


def test_those_of_providers_that_run_a_target_here_are_named_first(tmp_path: Path) -> None:
    listed = [
        incident(id="a", provider="groq", start=FIRST, end=FIRST + 1, title="Down"),
        incident(id="c", start=FIRST + 2, end=FIRST + 9, title="Fine-tuning jobs fail"),
        incident(id="b", start=FIRST + 1, end=FIRST + 9, title="Fine-tuning jobs fail"),
    ]
    made = plan(listed, configured(tmp_path), (FIRST, LAST), Rules(reading=Reading.ANY, seed=1))
    assert [(one.incident, one.ours) for one in made.inside] == [("b", True), ("c", True), ("a", False)]
    assert made.inside[2] == LeftOut(
        incident="a", provider="groq", title="Down", start=FIRST, end=FIRST + 1,
        why="of no target of this configuration", ours=False,
    )  # fmt: skip
