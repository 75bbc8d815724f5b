"""What is known of one target: its breaker, its learned first-token times, its attempts under way.

Changes only through its methods, so that what other workers must hear of is noted in one place (`news`).
"""

from msgspec import Struct

from surefoot.domain.commands import Launch, Reason
from surefoot.domain.outcome import Kind
from surefoot.domain.place import Said
from surefoot.domain.target import Target
from surefoot.policy.breaker import Breaker, State
from surefoot.policy.first_token import FirstToken
from surefoot.policy.options import PolicyOptions
from surefoot.policy.suspicion import Grade, Suspicion
from surefoot.policy.them_or_us import ThemOrUs
from surefoot.policy.token_rate import TokenRate
from surefoot.policy.witness import Witness
from surefoot.policy.zones import Zones

_CLOSED = State.CLOSED

UNBOUNDED = 1 << 30
"""Slots of a target without a bound."""

UNWATCHED_FOR = 600.0
"""Seconds after which a target that has declined to stream is asked to stream again."""

ASK_AGAIN = 1.0
"""Seconds before a probe permit that was not granted is asked for again."""


class Opened(Struct, frozen=True, tag="opened"):
    """A breaker has opened for `seconds` more."""

    target: str
    seconds: float


class Closed(Struct, frozen=True, tag="closed"):
    """A probe has succeeded."""

    target: str


class ProbeWanted(Struct, frozen=True, tag="probe_wanted"):
    """A call is here that could be the probe of a target whose opening is over."""

    target: str


class ProbePermit(Struct, frozen=True, tag="probe_permit"):
    """This worker may launch the probe, for so many seconds from now."""

    target: str
    seconds: float


class SlotShare(Struct, frozen=True, tag="slot_share"):
    """This worker's share of a target's slots."""

    target: str
    slots: int


class Suspended(Struct, frozen=True, tag="suspended"):
    """An answer has contradicted what is declared of its target: nobody asks it, until it is readmitted."""

    target: str
    why: str


class Readmitted(Struct, frozen=True, tag="readmitted"):
    """A person has lifted a suspension."""

    target: str


News = Opened | Closed | ProbeWanted | ProbePermit | SlotShare | Suspended | Readmitted
"""What workers tell one another through their supervisor."""


class TargetState:
    """One target, alive."""

    __slots__ = (
        "_asked_at", "_can_watch", "_noted", "_permit_until", "_watch_again_at", "alone", "breaker", "first_launch",
        "first_token", "hasty", "in_flight", "jury", "name", "news", "plain", "rate", "slots", "suspect", "suspended",
        "suspicion", "target", "trial", "tried_at", "watches", "witness",
    )  # fmt: skip

    def __init__(
        self,
        target: Target,
        options: PolicyOptions,
        news: list[News],
        jury: ThemOrUs,
        *,
        alone: bool,
        zones: Zones | None = None,
    ) -> None:
        self.target = target
        self.name = target.name
        self.breaker = Breaker(options.breaker)
        self.first_token = FirstToken(options.first_token)
        self.suspicion = Suspicion(options.suspicion)
        self.rate = TokenRate(options.token_rate)
        self._noted = (*self.first_token.noted, self.rate.fresh, *self.suspicion.fresh)
        self.jury = jury
        self.in_flight = 0
        self.slots = UNBOUNDED if target.max_in_flight is None else target.max_in_flight
        self.first_launch = (Launch(0, target.name, Reason.FIRST),)
        self.watches = self._can_watch = target.usage_in_stream and target.text is None
        """Whether plain calls can be streamed here; without usage in its streams an answer would lack its usage."""
        self._watch_again_at = 0.0
        self.witness = Witness(target, zones)
        self.suspended: str | None = None
        """What its own answer has contradicted of what is declared; None while it may be asked."""
        self.plain = True
        """Neither suspected nor suspended: beside breaker and slots nothing speaks against it."""
        self.suspect = False
        """Others are preferred: it grows slower, though no limit has rung yet."""
        self.trial = options.suspicion.trial
        self.tried_at = float("-inf")
        """When a call last asked it although it was suspected."""
        self.hasty = False
        """The next target is asked at once beside it."""
        self.news = news
        self.alone = alone
        self._permit_until = 0.0
        self._asked_at = float("-inf")

    def may_probe(self, now: float) -> bool:
        """Whether this worker may launch the probe that the breaker admits."""
        return self.alone or now < self._permit_until

    def want_probe(self, now: float) -> None:
        """A call is here that could be the probe: ask for the permit, if it is a permit that is wanting."""
        due = self.breaker.state is State.OPEN and self.breaker.admits(now)
        if due and not self.may_probe(now) and now >= self._asked_at + ASK_AGAIN:
            self._asked_at = now
            self.news.append(ProbeWanted(self.name))

    def launched(self, now: float) -> None:
        """An attempt takes its slot, and is the probe if the breaker is not closed."""
        self.in_flight += 1
        if self.suspect:
            self.tried_at = now
        if self.breaker.state is not _CLOSED:
            self.breaker.launched()
            self._permit_until = 0.0

    @property
    def grade(self) -> Grade:
        """Of suspicion."""
        return self.suspicion.grade

    def declined(self, now: float) -> None:
        """It does not stream, or did not want to for one request's parameters: plain calls are not watched for now."""
        self.watches = False
        self._watch_again_at = now + UNWATCHED_FOR

    def spoke(self, series: int, seconds: float, now: float) -> None:
        """An attempt's first content has come, so many seconds after its launch."""
        self.first_token.fresh[series](seconds)
        if self.jury.signs and self.target.text is None:  # a canned answer proves nothing of the line
            self.jury.succeeded(self.name, now)

    def succeeded(self, now: float, *, probe: bool = False) -> None:
        """An attempt has given a good answer."""
        if self.breaker.succeeded(now, probe=probe):
            self._forgive()
            self.news.append(Closed(self.name))

    def failed(self, kind: Kind, now: float, retry_after: float | None, *, probe: bool = True) -> None:
        """An attempt has failed by the target's fault, or by ours if every target fails so at once."""
        self.jury.failed(self.name, kind, now)
        if self.breaker.failed(now, retry_after, probe=probe, spared=self.jury.ours(now)):
            self.news.append(Opened(self.name, self.breaker.until - now))

    def fold(self, now: float) -> bool:
        """Take in what was learned since the last time. Returns whether suspicion speaks for opening the breaker."""
        self.watches = self._can_watch and now >= self._watch_again_at
        if not any(self._noted) and not self.suspicion.grade:
            return False  # the common case, in all but one of a fleet's targets
        self.first_token.fold(self.suspicion)
        for rate in self.rate.fold():
            self.suspicion.note_rate(rate)
        alarm = self.suspicion.tick(now)
        if self.suspicion.grade:
            self.jury.suspected(self.name, now)
        return alarm

    def judge(self, now: float, *, closed_off: bool, slowed: bool) -> None:
        """What follows from suspicion. If all are slow at once (`slowed`), nothing that would double the load.

        `closed_off`: it is grave enough to open the breaker, and others can take over.
        """
        grade = self.suspicion.grade
        if grade and not self.suspect:
            self.tried_at = now
        self.suspect = grade >= Grade.PREFER_OTHERS
        self.plain = self.suspended is None and not self.suspect
        self.hasty = grade >= Grade.HEDGE_AT_ONCE and not slowed
        breaker = self.breaker
        if closed_off and not slowed and breaker.state is _CLOSED:
            breaker.open(now, breaker.options.open_for)
            self.news.append(Opened(self.name, breaker.options.open_for))

    def shunned(self, now: float) -> bool:
        """Whether others are asked before it: while it is suspected, but for one call every now and then."""
        return self.suspect and now < self.tried_at + self.trial

    def _forgive(self) -> None:
        self.suspicion.forgive()
        self.suspect = self.hasty = False
        self.plain = self.suspended is None

    def attested(self, before: dict[str, str] | None, said: Said) -> tuple[dict[str, str], bool]:
        """An answer has told facts of this target by itself: the evidence so far, and whether it contradicts now.

        A contradiction suspends, whatever is made of the answer.
        """
        evidence, why = self.witness.hold(before, said)
        if why is not None and self.suspended is None:
            self.suspend(why)
            self.news.append(Suspended(self.name, why))
        return evidence, why is not None

    def suspend(self, why: str | None) -> None:
        """Nobody asks it from now on, for this reason; with None it may be asked again."""
        self.suspended = why
        self.plain = why is None and not self.suspect

    def hear(self, news: News, now: float) -> None:
        """Take in what another worker, or the supervisor, says of this target. What another wants is not for us."""
        match news:
            case Opened(seconds=seconds):
                self.breaker.open(now, seconds)
            case Closed():
                self.breaker.close()
                self._forgive()
            case ProbePermit(seconds=seconds):
                self._permit_until = now + seconds
            case SlotShare(slots=slots):
                self.slots = slots
            case Suspended(why=why):
                self.suspend(why)
            case Readmitted():
                self.suspend(None)
