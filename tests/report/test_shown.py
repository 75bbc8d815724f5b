"""How numbers are written: nothing is rounded into a promise, and what is missing says why."""

import pytest

from surefoot.facts import Fact
from surefoot.report.shown import k_of_n, share_of, shares_between, time_of, times_between


def fact(
    value: float | None, n: int = 120, low: float | None = None, high: float | None = None, note: str = ""
) -> Fact:
    return Fact(name="x", value=value, unit="s", n=n, low=low, high=high, note=note)


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100 %"), (0.9999, ">99.9 %"), (0.0, "0 %"), (0.758, "75.8 %"), (0.0001, "0.0 %")]
)
def test_a_share_short_of_all_is_never_shown_as_all(share: float, text: str) -> None:
    assert share_of(fact(share)) == text


@pytest.mark.parametrize(
    ("seconds", "signed", "text"),
    [
        (0.0124, False, "12 ms"),
        (0.0024, False, "2.4 ms"),
        (0.0, False, "<0.1 ms"),
        (-0.0191, True, "-19 ms"),
        (0.459, True, "+459 ms"),
        (1.2, False, "1,200 ms"),
    ],
)
def test_times_are_milliseconds(seconds: float, signed: bool, text: str) -> None:  # noqa: FBT001 - a column of the table
    assert time_of(fact(seconds), signed=signed) == text


def test_a_time_that_is_missing_says_why() -> None:
    assert time_of(fact(None, n=12, note="n<100")) == "n<100"
    assert time_of(fact(None, n=0)) == "\N{EN DASH}"


def test_an_open_bound_is_told_to_be_open() -> None:
    assert times_between(fact(0.1, low=0.09)) == "90 … none"
    assert not times_between(fact(0.1))
    assert shares_between(fact(0.5, low=0.4, high=1.0)) == "40.0 … 100 %"


def test_a_count_is_told_with_its_whole() -> None:
    assert k_of_n(fact(91.0)) == "91/120"
