"""A target's model: its tables are inverse distributions by hour and length, and a wrong one is refused."""

import numpy as np
import pytest

from surefoot.errors import EvidenceError
from surefoot.replay.models.model import QuantileTable, TargetModel, constant, hour_classes, quantiles

MONDAY = 1_732_492_800.0
"""2024-11-25 00:00 UTC."""


def table(*values: float) -> QuantileTable:
    return QuantileTable(values)


def test_a_table_is_a_line_between_its_points() -> None:
    assert [table(1.0, 2.0, 4.0).at(u) for u in (0.0, 0.25, 0.5, 0.75, 1.0)] == [1.0, 1.5, 2.0, 3.0, 4.0]
    assert [table(3.0).at(u) for u in (0.0, 0.7, 1.0)] == [3.0, 3.0, 3.0]


def test_hours_of_the_week_begin_on_monday() -> None:
    at = MONDAY + np.array([0.0, 3_599.0, 3_600.0, 25 * 3_600.0, 7 * 86_400.0 - 1])

    assert hour_classes(at, 168).tolist() == [0, 0, 1, 25, 167]
    assert hour_classes(at, 24).tolist() == [0, 0, 1, 1, 23]
    assert hour_classes(at, 1).tolist() == [0] * 5


def test_each_call_is_looked_up_under_its_hour_and_its_length() -> None:
    by_length = tuple(table(float(length)) for length in range(5))
    hours = tuple((table(100.0 + hour),) if hour else by_length for hour in range(24))
    at = MONDAY + np.array([0.0, 0.0, 0.0, 7_200.0])

    found = quantiles(hours, at, np.array([256, 257, 90_000, 1]), np.full(4, 0.5))

    assert found.tolist() == [0.0, 1.0, 4.0, 102.0]


@pytest.mark.parametrize("values", [(), (2.0, 1.0), (-1.0,), (float("nan"),), (1.0, float("inf"))])
def test_what_is_no_distribution_is_refused(values: tuple[float, ...]) -> None:
    with pytest.raises(EvidenceError):
        QuantileTable(values)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"ttft": ((table(1.0), table(1.0)),)}, "ttft needs"),
        ({"rate": (constant(1.0)[0],) * 7}, "rate needs"),
        ({"servers": 0}, "servers must"),
        ({"queue": -1}, "queue must"),
        ({"requests_per_minute": 0.0}, "requests_per_minute must"),
        ({"tokens_per_minute": -1.0}, "tokens_per_minute must"),
    ],
)
def test_a_model_that_cannot_be_replayed_says_why(more: dict[str, object], words: str) -> None:
    whole: dict[str, object] = {"target": "a", "ttft": constant(1.0), "rate": constant(1.0)} | more
    with pytest.raises(EvidenceError, match=f"the model of a: {words}"):
        TargetModel(**whole)  # type: ignore[arg-type]
