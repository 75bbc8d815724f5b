"""The answers that are kept for retries: those under way, so that they can be joined, and those that have ended.

Bounded in number and in memory, each worker by its share: what is full lets go of the answer that ended longest ago,
never of one under way. An answer that has become too long is let go, too; it goes on for those who have it already.

Time comes in by the door. Must never touch a socket, or keep the text of a prompt.
"""

from collections import OrderedDict
from collections.abc import Callable

from surefoot.domain.front import Idempotency
from surefoot.gateway.shared import Shared
from surefoot.wire.server import Incoming


class Answers:
    """See the module. `clock` gives seconds on the monotonic clock. `counts` is what became of requests with a key."""

    def __init__(self, options: Idempotency, workers: int, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._all: dict[bytes, Shared] = {}
        self._ended: OrderedDict[bytes, Shared] = OrderedDict()
        """Those of them that are over, the oldest first."""
        self.memory = 0
        """Bytes of answers that are held."""
        self.counts = dict.fromkeys(
            ("joined", "replayed", "conflicts", "refused", "not_kept_full", "not_kept_long", "owner_away", "cut_off"), 0
        )
        self.set(options, workers)

    def set(self, options: Idempotency, workers: int) -> None:
        """Go by these options from now on. Keys are spread over the workers evenly, and so are the bounds."""
        self._window = options.window
        self._most = -(-options.keys // workers)
        self._most_memory = options.memory // workers
        self._longest = min(options.answer, self._most_memory)

    @property
    def off(self) -> bool:
        """Whether nothing is to be kept at all."""
        return not self._most

    def __len__(self) -> int:
        return len(self._all)

    def find(self, scope: bytes) -> Shared | None:
        """The answer under a key, under way or ended within the window."""
        self.expire()
        return self._all.get(scope)

    def begin(self, scope: bytes, fingerprint: bytes, incoming: Incoming) -> Shared | None:
        """A new one under way; None when as many as may be are under way already."""
        if len(self._all) >= self._most and not self._evict():
            self.counts["not_kept_full"] += 1
            return None
        shared = self._all[scope] = Shared(self, scope, fingerprint, incoming)
        return shared

    def expire(self) -> None:
        """Let go of what has ended before the window."""
        at = self._clock()
        while self._ended and next(iter(self._ended.values())).until <= at:
            self._evict()

    # ── what answers say ───────────────────────────────────────────────────────────────────────────────────────

    def grew(self, shared: Shared, size: int) -> bool:
        """An answer is so many bytes long now. False: it is kept no longer."""
        self.memory += size - shared.size
        shared.size = size
        fits = size <= self._longest
        while fits and self.memory > self._most_memory:
            fits = self._evict()
        if not fits:
            self._drop(shared)
            self.counts["not_kept_long"] += 1
        return fits

    def ended(self, shared: Shared, *, worth: bool) -> None:
        """It is over, and kept for the window if it is worth it."""
        if not worth:
            self._drop(shared)
            return
        shared.until = self._clock() + self._window
        self._ended[shared.scope] = shared

    def cut_off(self) -> None:
        """A client was too far behind."""
        self.counts["cut_off"] += 1

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _evict(self) -> bool:
        """Let go of the one that ended longest ago, if any has."""
        if not self._ended:
            return False
        self._drop(next(iter(self._ended.values())))
        return True

    def _drop(self, shared: Shared) -> None:
        self._all.pop(shared.scope, None)
        self._ended.pop(shared.scope, None)
        self.memory -= shared.size
        shared.size = 0
