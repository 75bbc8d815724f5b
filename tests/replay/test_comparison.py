"""What `make predicted` calls inside, and what it writes into its page."""

import pytest
from benchmarks.comparison import DEMANDS, Compared, Row, outside_by_chance
from benchmarks.page import between
from benchmarks.predicted import BEGIN, END, PAGE


@pytest.mark.parametrize(
    ("one", "inside"),
    [
        (Compared(1.0, 0.9, 1.2, 0.95), True),
        (Compared(1.0, 0.9, 1.2, 1.21), False),
        (Compared(1.0, 0.9, 1.2, 0.89), False),
        (Compared(1.0, 0.9, None, 50.0), True),
        (Compared(1.0, 0.9, None, 0.89), False),
        (Compared(None, None, None, None), None),
        (Compared(1.0, 0.9, 1.2, None), False),
        (Compared(None, None, None, 1.0), False),
    ],
    ids=[
        "in it",
        "above",
        "below",
        "no upper bound",
        "below an open one",
        "nobody had one",
        "only measured",
        "only predicted",
    ],
)
def test_a_prediction_is_inside_the_interval_or_it_is_not(one: Compared, *, inside: bool | None) -> None:
    assert one.inside is inside


def test_a_mode_is_held_to_its_coverage_and_both_99th_percentiles() -> None:
    held, missed = Compared(1.0, 0.9, 1.2, 1.0), Compared(1.0, 0.9, 1.2, 2.0)

    row = Row("silence", 400, 4_000, dict.fromkeys(DEMANDS, held) | {"end_to_end.p99": missed, "ttft.p50": missed})

    assert row.outside(DEMANDS) == ["end_to_end.p99"]


def test_how_many_fall_outside_by_chance_is_a_binomial_distribution() -> None:
    held, missed = Compared(1.0, 0.9, 1.2, 1.0), Compared(1.0, 0.9, 1.2, 2.0)
    rows = [Row("a", 1, 1, dict.fromkeys(DEMANDS, held)), Row("b", 1, 1, dict.fromkeys(DEMANDS, missed))]

    there, outside, chance = outside_by_chance(rows)

    assert (there, outside) == (6, 3)
    assert chance == pytest.approx(20 * 0.05**3 * 0.95**3 + 15 * 0.05**4 * 0.95**2 + 6 * 0.05**5 * 0.95 + 0.05**6)


def test_the_page_keeps_what_is_outside_its_markers_and_has_to_have_them() -> None:
    page = PAGE.read_text(encoding="utf-8")

    again = between(between(page, BEGIN, END, "a table"), BEGIN, END, "another")

    assert "another" in again
    assert "a table" not in again
    assert again.startswith(page.partition("<!--")[0])
    with pytest.raises(ValueError, match="markers"):
        between("no page", BEGIN, END, "a table")
