"""What one arm made of a batch of calls: columns, one entry per call in the order of arrival.

The driver writes them, tallies and Parquet read them. Durations are seconds from the call's arrival; NaN is "did not
happen". Both arms of a comparison have the same calls at the same places.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Results:
    """One arm, one batch."""

    at: Floats
    """Unix time of arrival."""
    kind: Integers
    """Outcome of the call: index into `KINDS` of `replay.virtual.driver`."""
    ttft: Floats
    """To the first content that the client got; NaN if it got none."""
    e2e: Floats
    """To the end, good or bad."""
    first: Integers
    """Index of the target that was asked first; -1 if none was."""
    winner: Integers
    """Index of the target whose content was delivered; -1 if none."""
    attempts: Integers
    cost: Floats
    """US dollars of all attempts, losers included; NaN if any of them has no price."""
    extra: Floats
    """Of that, what attempts other than the winner cost."""
    outage: Integers
    """Index of the outage that struck the first attempt; -1 if none did."""
    detect: Floats
    """From the call's arrival to the first verdict; NaN if there was none."""
    switch: Floats
    """From the first verdict to the next launch; NaN if there was none."""
