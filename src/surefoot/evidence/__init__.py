"""Pure mathematics with sources: what is known from a sample, and how surely. Invalid input raises `EvidenceError`."""

from surefoot.evidence.intervals import wilson
from surefoot.evidence.order import percentile, quantile_ranks

__all__ = ["percentile", "quantile_ranks", "wilson"]
