"""Histograms of durations: their stated error, and that merging loses nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import EvidenceError
from surefoot.evidence import percentile
from surefoot.replay.counting.histogram import (
    BINS,
    LONGEST,
    MIDDLES,
    NOWHERE,
    RELATIVE_ERROR,
    SHORTEST,
    bins_of,
    counted,
    quantile,
    quantiles_of_rows,
)


@given(st.lists(st.floats(SHORTEST, LONGEST), min_size=100, max_size=300), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_within_the_stated_error_of_that_of_the_sample(values: list[float], q: float) -> None:
    exact, _, _ = percentile(values, q)
    assert quantile(counted(bins_of(np.array(values))), q) == pytest.approx(exact, rel=RELATIVE_ERROR * 1.000001)


def test_what_did_not_happen_is_not_counted() -> None:
    bins = bins_of(np.array([1.0, np.nan]))
    assert bins[1] == NOWHERE
    assert counted(bins).sum() == 1


def test_what_is_too_short_or_too_long_is_counted_at_the_end() -> None:
    assert bins_of(np.array([0.0, SHORTEST / 2, 1e9])).tolist() == [0, 0, BINS - 1]


def test_merged_histograms_are_those_of_all_values() -> None:
    values = np.random.default_rng(1).lognormal(0, 1, 1000)
    halves = counted(bins_of(values[:400])) + counted(bins_of(values[400:]))
    assert np.array_equal(halves, counted(bins_of(values)))


def test_a_p99_of_fewer_than_a_hundred_is_refused_and_so_is_a_quantile_of_nothing() -> None:
    counts = counted(bins_of(np.full(99, 1.0)))
    assert quantile(counts, 0.95) == pytest.approx(1.0, rel=RELATIVE_ERROR)
    with pytest.raises(EvidenceError, match="needs 100"):
        quantile(counts, 0.99)
    with pytest.raises(EvidenceError, match="nothing"):
        quantile(np.zeros(BINS, np.int64), 0.5)


def test_rows_of_resamples_have_the_same_quantiles_one_by_one() -> None:
    values = np.random.default_rng(2).lognormal(0, 1, (4, 500))
    rows = np.stack([counted(bins_of(row)) for row in values])
    for q, found in zip((0.5, 0.95), quantiles_of_rows(rows.astype(float), MIDDLES, (0.5, 0.95)), strict=True):
        assert found.tolist() == [quantile(row, q) for row in rows]
    assert np.isnan(quantiles_of_rows(np.zeros((1, BINS)), MIDDLES, (0.5,))).all()
