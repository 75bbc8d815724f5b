"""Chance by counter: what a call draws at a target depends on the seed, the target's name and the call's index alone.

So both arms of a comparison see the same draws, in whatever order and however often they look, and a configuration with
one more target draws the same for the others. The generator is Philox 4x64 (Salmon et al. 2011, Parallel Random
Numbers: As Easy as 1, 2, 3): keyed by seed and name, its counter is the call's index, and one block is four draws.

Must never: keep a state between two looks.
"""

from hashlib import blake2b

import numpy as np

from surefoot.replay.models.model import Floats

TTFT, RATE, STRIKE, SPARE = range(4)
"""The four draws of one call at one target: columns of `draws`."""

_MASK = (1 << 64) - 1


def draws(seed: int, target: str, first: int, count: int) -> Floats:
    """Uniform numbers in [0, 1) of the calls `first` to `first + count` at a target, of shape (count, 4)."""
    name = int.from_bytes(blake2b(target.encode(), digest_size=8).digest(), "little")
    # numpy steps the counter before its first block
    bits = np.random.Philox(counter=(first - 1) & ((1 << 256) - 1), key=[seed & _MASK, name])
    raw = bits.random_raw(4 * count) >> np.uint64(11)  # a double holds 53 of the 64 bits
    return raw.astype(np.float64).reshape(count, 4) * 2.0**-53
