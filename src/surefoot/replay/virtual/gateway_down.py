"""The gateway's own outages: calls that arrive in one find nobody. Those under way when it begins are left alone.

An application that asks its provider directly never notices. Must never strike without the call's own draw.
"""

from collections.abc import Sequence

from surefoot.domain.outcome import Kind
from surefoot.replay.models.draws import STRIKE, draws
from surefoot.replay.models.model import ROUND_TRIP
from surefoot.replay.outages.outage import GATEWAY, Outage
from surefoot.replay.outages.trouble import Trouble
from surefoot.replay.virtual.accounts import NUMBER
from surefoot.replay.virtual.arm import Arm
from surefoot.replay.virtual.books import Books


class GatewayDown:
    """See the module. `since` is when `strikes` has to be asked for each call, from then on."""

    __slots__ = ("_seed", "_trouble", "since")

    def __init__(self, arm: Arm, outages: Sequence[Outage], origin: float, seed: int) -> None:
        own = [] if arm.direct else [(number, one) for number, one in enumerate(outages) if one.target == GATEWAY]
        self._trouble = Trouble(own, origin)
        self._seed = seed
        self.since = self._trouble.change

    def strikes(self, books: Books, row: int, now: float) -> bool:
        """Whether a call that arrives now finds nobody; then that is noted."""
        trouble = self._trouble
        if now >= trouble.change:
            trouble.advance(now)
            self.since = now if trouble.active else trouble.change
        if not trouble.active:
            return False
        strike = draws(self._seed, GATEWAY, books.batch.first + row, 1)[0, STRIKE]
        struck = next((number for _, number, outage in trouble.active if strike < outage.share), None)
        if struck is None:
            return False
        books.kind[row] = NUMBER[Kind.CONNECT]
        books.e2e[row] = ROUND_TRIP
        books.attempts[row] = 0
        books.cost[row] = 0.0
        books.outage[row] = struck
        books.left -= 1
        return True
