"""What a worker owes: calls whose receipts have to be kept, and are not on the supervisor's disk yet.

Room for them is taken when a call begins, so that a call that has begun can always leave its receipts; it is given back
when the supervisor says that they are on the disk. Where there is no room, or nobody writes, such a call is refused
before anything is asked of anyone. All others go on.

Knows: counts. Must never: wait, or let a call begin on credit.
"""

from surefoot.dialects.dialect import Complaint
from surefoot.domain.receipt import ReceiptOptions
from surefoot.gateway.channel import Settled
from surefoot.gateway.complaints import refusal

RETRY_AFTER = 1.0
"""Seconds after which another try is worth it: the supervisor tries again so often."""


class Owing:
    """One for each worker, whatever the configuration."""

    __slots__ = ("alone", "calls", "refused", "room", "unsent", "writing")

    def __init__(self) -> None:
        self.room = 0
        self.calls = 0
        """Calls under way or ended, whose receipts are not on the disk."""
        self.unsent = 0
        """Those of them whose records the supervisor has not been sent."""
        self.writing = True
        """Whether the supervisor can write."""
        self.alone = False
        """Whether the supervisor is gone."""
        self.refused = 0

    def enter(self, options: ReceiptOptions | None, workers: int) -> None:
        """Go by another configuration."""
        self.room = 0 if options is None else max(options.room // workers, 1)

    def reserve(self) -> Complaint | None:
        """Take room for one call; or what to tell its client."""
        if self.calls < self.room and self.writing and not self.alone:
            self.calls += 1
            self.unsent += 1
            return None
        self.refused += 1
        return _full(self._why())

    def handed_over(self, calls: int, forgotten: int) -> None:
        """So many records were sent; so many calls left none, which give their room back here."""
        self.unsent -= calls + forgotten
        self.calls -= forgotten

    def settle(self, frame: Settled) -> None:
        """The supervisor has written some, or cannot write."""
        self.calls -= frame.calls
        self.writing = frame.writing

    def _why(self) -> str:
        if self.alone:
            return "the process that writes them is gone"
        if not self.writing:
            return "they cannot be written at present"
        return "too many wait to be written"


def _full(why: str) -> Complaint:
    """503: nobody was asked."""
    message = f"This call has to leave receipts, and {why}. Nothing was sent to any target. Try again later."
    return refusal(503, "receipts_full", message)
