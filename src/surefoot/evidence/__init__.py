"""Pure mathematics with sources: what is known from a sample, and how surely. Invalid input raises `EvidenceError`.

This is the public surface; docs/evidence.md shows each function with its formula and an example.
"""

from surefoot.errors import EvidenceError
from surefoot.evidence.covering import Band, Counted, Coverage, CoverageInterval, coverage, coverage_interval
from surefoot.evidence.intervals import clopper_pearson, event_rate, garwood, newcombe, wilson
from surefoot.evidence.latency import CorrectedHistogram, corrected_histogram, inter_token_latency
from surefoot.evidence.levels import (
    Levels,
    burn_rate,
    detection_seconds,
    reachability_by_vantage,
    service_credit,
    uptime_and_reachability,
)
from surefoot.evidence.loss import (
    AnnualLoss,
    RecoveryCost,
    Risk,
    annual_loss,
    cost_per_recovery,
    expected_annual_loss,
)
from surefoot.evidence.means import mean, mean_difference
from surefoot.evidence.order import percentile, quantile_ranks
from surefoot.evidence.outages import (
    Interval,
    Worth,
    availability,
    availability_interval,
    fallback_worth,
    lift,
    lift_interval,
    mtbf,
    mttr,
)
from surefoot.evidence.redundancy import common_cause
from surefoot.evidence.spans import common, length, union, without
from surefoot.evidence.survey import nps, nps_detectable, nps_sample

__all__ = [
    "AnnualLoss",
    "Band",
    "CorrectedHistogram",
    "Counted",
    "Coverage",
    "CoverageInterval",
    "EvidenceError",
    "Interval",
    "Levels",
    "RecoveryCost",
    "Risk",
    "Worth",
    "annual_loss",
    "availability",
    "availability_interval",
    "burn_rate",
    "clopper_pearson",
    "common",
    "common_cause",
    "corrected_histogram",
    "cost_per_recovery",
    "coverage",
    "coverage_interval",
    "detection_seconds",
    "event_rate",
    "expected_annual_loss",
    "fallback_worth",
    "garwood",
    "inter_token_latency",
    "length",
    "lift",
    "lift_interval",
    "mean",
    "mean_difference",
    "mtbf",
    "mttr",
    "newcombe",
    "nps",
    "nps_detectable",
    "nps_sample",
    "percentile",
    "quantile_ranks",
    "reachability_by_vantage",
    "service_credit",
    "union",
    "uptime_and_reachability",
    "wilson",
    "without",
]
