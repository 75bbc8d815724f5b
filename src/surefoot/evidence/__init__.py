"""Pure mathematics with sources: what is known from a sample, and how surely. Invalid input raises `EvidenceError`."""

from surefoot.evidence.covering import Band, Counted, Coverage, CoverageInterval, coverage, coverage_interval
from surefoot.evidence.intervals import clopper_pearson, event_rate, garwood, newcombe, wilson
from surefoot.evidence.means import mean, mean_difference
from surefoot.evidence.order import percentile, quantile_ranks

__all__ = [
    "Band",
    "Counted",
    "Coverage",
    "CoverageInterval",
    "clopper_pearson",
    "coverage",
    "coverage_interval",
    "event_rate",
    "garwood",
    "mean",
    "mean_difference",
    "newcombe",
    "percentile",
    "quantile_ranks",
    "wilson",
]
