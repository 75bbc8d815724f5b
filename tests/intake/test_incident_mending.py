"""What is wrong with lists, and what is made of it; when they were watched; what the numbers then are."""

from datetime import datetime
from pathlib import Path

import pytest

from surefoot.facts import Fact
from surefoot.intake.incident import Incident, Reading, Severity
from surefoot.intake.incidents.account import Question, facts_of, facts_of_days
from surefoot.intake.incidents.heard import Heard
from surefoot.intake.incidents.mending import (
    BACKWARDS,
    CAP,
    CAPPED,
    COMPONENTS,
    NO_LENGTH,
    OPEN,
    TWICE,
    capped,
    length_of,
    mended,
)
from surefoot.intake.incidents.reading import How, gather
from surefoot.intake.incidents.watching import Window, together, watched

LISTS = Path(__file__).parent / "lists"
DAY = 86_400.0


def at(text: str) -> float:
    return datetime.fromisoformat(f"{text}+00:00").timestamp()


def heard(identity: str, start: float, end: float | None, source: str = "list", provider: str = "alpha") -> Heard:
    severity = Severity.MINOR
    return Heard(1, source, Incident(id=identity, provider=provider, start=start, end=end, severity=severity))


def gathered_incident(identity: str) -> Incident:
    found = gather([str(LISTS / "gathered.csv")], How()).incidents
    return next(one.incident for one in found if one.incident.id == identity)


def test_one_row_per_component_is_one_incident_with_all_of_them() -> None:
    one = gathered_incident("7ykkywg6yln4")
    assert one.services == ("Chat", "API")
    assert one.severity is Severity.PARTIAL
    assert (one.start, one.end) == (at("2026-05-01 00:00"), at("2026-05-01 02:00"))
    assert one.faults == (COMPONENTS,)


def test_ids_that_only_look_alike_stay_apart() -> None:
    rows = [heard("0f8fad5b-d9cb-469f-a165-70867728950e", 0, 1), heard("0f8fad5b-aaaa-469f-a165-70867728950e", 2, 3)]
    assert len(mended(rows)) == 2
    assert len(mended([heard("x", 0, 1), heard("x", 0, 1, provider="beta")])) == 2


def test_an_incident_that_two_sources_tell_counts_once() -> None:
    (one,) = mended([heard("x", 10, 20, "first"), heard("x", 5, 15, "second")])
    assert (one.incident.start, one.incident.end, one.incident.faults) == (5, 20, (TWICE,))


def test_a_component_that_is_still_down_leaves_the_incident_open() -> None:
    (one,) = mended([heard("7ykkywg6yln4-a", 10, 20), heard("7ykkywg6yln4-b", 10, None)])
    assert one.incident.end is None


def test_no_length_is_unknown_and_not_zero() -> None:
    one = gathered_incident("f2")
    assert (one.faults, one.retrospective, length_of(one)) == ((NO_LENGTH,), True, None)


def test_an_end_before_the_start_is_when_it_was_over() -> None:
    one = gathered_incident("01KCNJCXJRRZB6WJE7A844VE3Q")
    assert (one.start, one.end) == (at("2026-05-05 13:30"), at("2026-05-05 13:30"))
    assert (one.faults, one.retrospective, length_of(one)) == ((BACKWARDS,), True, None)


def test_no_end_is_invented_for_an_open_incident() -> None:
    one = gathered_incident("01KP45GATY2N5A4TF5Y5KPJ2QG")
    assert (one.end, one.faults, length_of(one)) == (None, (OPEN,), None)


def test_27_036_minutes_are_cut_to_a_day_and_a_day_is_not() -> None:
    one = gathered_incident("01KW2E6W0503W4NXJNCVAG8V6T")
    assert length_of(one) == 27_036 * 60
    cut = capped(one, CAP)
    assert (length_of(cut), cut.faults) == (DAY, (CAPPED,))
    assert capped(one, None) is one
    day = heard("x", 0, DAY).incident
    assert capped(day, CAP) is day


def test_between_two_sources_of_a_provider_nobody_watched() -> None:
    told = gather([str(LISTS / "gathered.csv")], How()).told
    seen = watched(told, Window())
    assert seen["alpha"].gaps == ((at("2024-01-29 01:00"), at("2026-05-01 00:00")),)
    assert seen["alpha"].spans[0] == (at("2024-01-01 00:00"), at("2024-01-29 01:00"))  # so far FAILS tells of anybody
    assert not seen["alpha"].told
    assert seen["beta"].gaps == ((at("2024-01-29 01:00"), at("2025-12-20 09:00")),)


def test_a_window_that_is_told_is_believed_at_its_ends_and_not_inside_a_gap() -> None:
    told = gather([str(LISTS / "gathered.csv")], How()).told
    window = Window(at("2023-12-01 00:00"), at("2024-02-10 00:00"), ((at("2024-01-10 00:00"), at("2024-01-12 00:00")),))
    alpha = watched(told, window)["alpha"]
    assert alpha.told
    assert alpha.spans == (
        (at("2023-12-01 00:00"), at("2024-01-10 00:00")),
        (at("2024-01-12 00:00"), at("2024-01-29 01:00")),
    )
    late = watched(told, Window(at("2025-01-01 00:00"), at("2025-02-01 00:00")))["alpha"]
    assert late.spans == ()


def test_two_were_watched_together_where_both_were() -> None:
    told = [heard("a", 0, 100, "one"), heard("b", 50, 200, "two", "beta")]
    seen = watched(told, Window())
    assert together((seen["alpha"], seen["beta"])) == [(50, 100)]


def numbers(asked: Question, window: Window) -> dict[str, Fact]:
    gathered = gather([str(LISTS / "gathered.csv")], How())
    return {fact.name: fact for fact in facts_of(gathered.incidents, watched(gathered.told, window), asked)}


def test_counts_durations_and_availability_by_hand() -> None:
    """January of alpha: 2 h, none, 72 h (cut to 24 h), 1 h of maintenance, in 28 days."""
    found = numbers(Question(), Window(at("2024-01-01 00:00"), at("2024-01-29 00:00")))
    assert found["alpha.any.incidents"].value == 4
    assert found["alpha.any.mtbf"].value == 28 * 24 / 4
    assert found["alpha.any.mttr"].value == (120 + 1440 + 60) / 3
    assert found["alpha.any.mttr"].n == 3
    assert found["alpha.any.p50"].value == 120
    assert found["alpha.any.down"].value == 27 * 60
    assert found["alpha.any.down.uncapped"].value == 75 * 60
    assert found["alpha.any.availability"].value == pytest.approx(1 - 27 / 24 / 28)
    assert found["alpha.partial.incidents"].value == 1
    assert found["alpha.partial.mttr"].value is None
    assert found["alpha.major.incidents"].value == 0
    assert found["alpha.major.mtbf"].value is None
    assert found["alpha.major.mtbf"].low is not None
    assert found["beta.major.down"].value == 30


def test_where_no_length_is_known_availability_is_not_known_either() -> None:
    rows = mended([heard("a", 0, None), heard("b", DAY, 3 * DAY, provider="beta")])
    found = {fact.name: fact for fact in facts_of(rows, watched(rows, Window(0, 7 * DAY)), Question())}
    assert found["alpha.any.incidents"].value == 1
    assert found["alpha.any.availability"].value is None
    assert found["beta.any.availability"].value == pytest.approx(6 / 7)


def test_overlap_and_what_is_avoided_by_hand() -> None:
    """Alpha is down 2 h, beta in half an hour of them; three incidents of alpha are noticed 10 minutes late."""
    asked = Question(between=("alpha", "beta"), lags=(("0", 0.0), ("10m", 600.0)))
    found = numbers(asked, Window(at("2024-01-01 00:00"), at("2024-01-29 00:00")))
    assert found["alpha+beta.any.overlap"].value == 30
    assert found["alpha+beta.any.chance"].value == pytest.approx(27 * 60 * 30 / (28 * 24 * 60))
    assert found["alpha+beta.any.lift"].value == pytest.approx(28 * 24 / 27)
    assert found["alpha+beta.major.lift"].value is None
    assert found["alpha>beta.any.0.avoided"].value == 27 * 60 - 30
    assert found["alpha>beta.any.10m.late"].value == 30
    assert found["alpha>beta.any.10m.avoided"].value == 27 * 60 - 60
    assert found["alpha>beta.any.10m.avoided.uncapped"].value == 75 * 60 - 60
    assert found["alpha>beta.any.10m.residual"].value == pytest.approx(1 - 60 / (28 * 24 * 60))


def test_more_severity_never_takes_more_minutes() -> None:
    found = numbers(Question(), Window())
    for provider in ("alpha", "beta"):
        down = [found[f"{provider}.{reading}.down"].value or 0 for reading in Reading]
        assert down == sorted(down, reverse=True)


def test_services_have_the_availability_that_their_days_say() -> None:
    days = gather([str(LISTS / "daily.csv")], How()).days
    found = {fact.name: fact for fact in facts_of_days(days, (), seed=1)}
    assert found["daily.alpha/api.partial.down"].value == 144
    assert found["daily.alpha/api.partial.availability"].value == pytest.approx(1 - 144 / (3 * 1440))
    assert found["daily.alpha/api.major.availability"].value == pytest.approx(1 - 72 / (3 * 1440))
    only = facts_of_days(days, [(at("2024-06-02 00:00"), at("2024-06-03 00:00"))], seed=1)
    assert only[0].n == 1
