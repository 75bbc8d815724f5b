"""Pure mathematics with sources: what is known from a sample, and how surely. Invalid input raises `EvidenceError`.

This is the public surface; docs/evidence.md shows each function with its formula and an example.
"""

from surefoot.errors import EvidenceError
from surefoot.evidence.covering import Band, Counted, Coverage, CoverageInterval, coverage, coverage_interval
from surefoot.evidence.exposing import Arm, Delay, Hazard, Stake, Years, exposure
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
    cvar,
    expected_annual_loss,
)
from surefoot.evidence.means import mean, mean_difference, mean_over_worlds
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
from surefoot.evidence.survey import (
    nps,
    nps_detectable,
    nps_difference,
    nps_interval,
    nps_sample,
    share_detectable,
    share_sample,
)
from surefoot.evidence.unknown import Between, Cases, Events, Known, Sample, cases_of

__all__ = [
    "AnnualLoss",
    "Arm",
    "Band",
    "Between",
    "Cases",
    "CorrectedHistogram",
    "Counted",
    "Coverage",
    "CoverageInterval",
    "Delay",
    "Events",
    "EvidenceError",
    "Hazard",
    "Interval",
    "Known",
    "Levels",
    "RecoveryCost",
    "Risk",
    "Sample",
    "Stake",
    "Worth",
    "Years",
    "annual_loss",
    "availability",
    "availability_interval",
    "burn_rate",
    "cases_of",
    "clopper_pearson",
    "common",
    "common_cause",
    "corrected_histogram",
    "cost_per_recovery",
    "coverage",
    "coverage_interval",
    "cvar",
    "detection_seconds",
    "event_rate",
    "expected_annual_loss",
    "exposure",
    "fallback_worth",
    "garwood",
    "inter_token_latency",
    "length",
    "lift",
    "lift_interval",
    "mean",
    "mean_difference",
    "mean_over_worlds",
    "mtbf",
    "mttr",
    "newcombe",
    "nps",
    "nps_detectable",
    "nps_difference",
    "nps_interval",
    "nps_sample",
    "percentile",
    "quantile_ranks",
    "reachability_by_vantage",
    "service_credit",
    "share_detectable",
    "share_sample",
    "union",
    "uptime_and_reachability",
    "wilson",
    "without",
]
