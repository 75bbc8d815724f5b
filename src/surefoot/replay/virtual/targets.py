"""What targets do when they are asked: answer by their models, fail by their outages, queue and refuse at their limits.

An attempt is refused by a limit first, then struck by an outage, then it needs a place. An outage frees none: a call's
first attempt that is struck holds the place that it would have had, as long as it would have had it (`life.Shadow`),
or else an outage would help the calls that wait. It fails without waiting for that place, but waits if it answers in
spite of all. Of several outages the worst strikes (`modes.Severity`), of equally bad ones the one that began last. An
attempt that was launched before an outage begins is left alone by it.

Knows models, outages and places. Must never know what the policy will make of it.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce

from surefoot.domain.outcome import Kind
from surefoot.domain.target import Continues
from surefoot.errors import ReplayError
from surefoot.replay.models.capacity import Capacity
from surefoot.replay.outages.modes import (
    MODES,
    Play,
    Sign,
    Speech,
    Step,
    Way,
    healthy,
    refused,
    worse,
)  # fmt: skip
from surefoot.replay.outages.outage import GATEWAY, Outage
from surefoot.replay.outages.trouble import Trouble
from surefoot.replay.virtual.arm import Arm
from surefoot.replay.virtual.life import Leg, Life, Shadow

_RELAYED, _WATCHED, _PLAIN = Way.RELAYED, Way.WATCHED, Way.PLAIN  # by own names: one of these is in every call

_CANNED = Play((Step(0.0, Sign.WHOLE),), first=0.0, tokens=1)
"""A static target's: it is there at once."""


class Targets:
    """Those of one arm. Indices are places in the configuration's list."""

    def __init__(
        self, arm: Arm, outages: Sequence[Outage], origin: float, put_down: Callable[[Shadow, float], None]
    ) -> None:
        """`put_down` is told of a shadow, and when it has to give up its place."""
        self._put_down = put_down
        self._targets = arm.configuration.targets
        self.index = {target.name: number for number, target in enumerate(self._targets)}
        self._check(arm, outages)
        self.models = [None if target.text is not None else arm.models[target.name] for target in self._targets]
        """None for a static target."""
        known = [(number, model.price) for number, model in enumerate(self.models) if model is not None]
        self.prices = {number: price for number, price in known if price is not None}
        self._capacities: list[Capacity[Leg] | None] = [
            Capacity(model) if model is not None and model.bounded else None for model in self.models
        ]
        listed = list(enumerate(outages))
        self._troubles = [
            Trouble([(number, one) for number, one in listed if one.target == target.name], origin)
            for target in self._targets
        ]

    def _check(self, arm: Arm, outages: Iterable[Outage]) -> None:
        lacking = [t.name for t in self._targets if t.text is None and t.name not in arm.models]
        if lacking:
            raise ReplayError(f"no model says how fast these targets are: {', '.join(lacking)}")
        for outage in outages:
            if outage.target not in self.index and outage.target != GATEWAY:
                raise ReplayError(f"an outage strikes '{outage.target}'; the targets are {', '.join(self.index)}")
            if outage.mode not in MODES:
                raise ReplayError(f"an outage has the mode '{outage.mode}'; known: {', '.join(MODES)}")

    def asked(self, life: Life, number: int, name: str, now: float) -> Leg:
        """An attempt is launched. Its leg has begun, unless it has to wait for a place."""
        target = self.index[name]
        model = self.models[target]
        request = life.call.request
        if model is None:
            return Leg(life, number, target, _RELAYED if request.stream else _PLAIN, _CANNED, now)
        if request.stream:
            way = _RELAYED
        else:
            way = _WATCHED if request.watched and life.call.attempts[number].state.watches else _PLAIN
        if number:
            return self._another(life, number, target, way, now)
        books, row = life.books, life.row
        books.first[row] = target
        pace = books.pace(target)
        speech = Speech(pace.first[row], pace.gap[row], books.completion[row], model.round_trip)
        trouble, capacity = self._troubles[target], self._capacities[target]
        leg = Leg(life, 0, target, way, healthy(speech, way), now)
        leg.good = True
        if capacity is not None or now >= trouble.change or pace.strike[row] < trouble.widest:
            struck = self._bend(leg, speech, now)
            if struck is not None:
                books.outage[row] = struck
        return leg

    def left(self, leg: Leg) -> Leg | None:
        """An attempt is over: its place is free. Returns who has it now."""
        capacity, leg.place = leg.place, None
        if capacity is None:
            return None
        if leg.begins is None:
            capacity.give_up(leg)
            return None
        return capacity.leave()

    def _another(self, life: Life, number: int, target: int, way: Way, now: float) -> Leg:
        """Not a call's first attempt: perhaps a repeat, perhaps one that goes on with a broken answer."""
        books, row, model = life.books, life.row, self.models[target]
        prompt, tokens, delivered = books.prompt[row], books.completion[row], life.delivered
        repeats = delivered > 0 and self._targets[target].continues is Continues.REPLAY
        shown = 0 if repeats else delivered
        if any(leg.target == target for leg in life.legs) or delivered:
            first, gap = books.again(target, row, prompt + shown)
        else:
            pace = books.pace(target)
            first, gap = pace.first[row], pace.gap[row]
        trip = 0.0 if model is None else model.round_trip
        speech = Speech(first, gap, max(tokens - shown, 1), trip)
        play = _repeated(speech, delivered) if repeats else healthy(speech, way)
        leg = Leg(life, number, target, way, play, now)
        leg.shown = shown
        self._bend(leg, speech, now)
        return leg

    def _bend(self, leg: Leg, speech: Speech, now: float) -> int | None:
        """What limits, outages and places make of an attempt. Returns the outage that strikes it.

        One that a limit refuses meets no outage, so that none is returned.
        """
        capacity, trouble = self._capacities[leg.target], self._troubles[leg.target]
        if now >= trouble.change:
            trouble.advance(now)
        books, row = leg.life.books, leg.life.row
        struck: list[tuple[Play, int]] = []
        if trouble.active:
            earlier = sum([other.target == leg.target for other in leg.life.legs])
            strike = books.strike(leg.target, row, earlier)
            struck = [
                (MODES[outage.mode](speech, leg.way), number)
                for _, number, outage in reversed(trouble.active)
                if strike < outage.share
            ]
        wait = 0.0 if capacity is None else capacity.limited(now, books.prompt[row] + speech.tokens)
        if wait > 0.0:
            leg.play, leg.good = refused(speech, Kind.RATE_LIMIT, wait), False
        elif struck:
            shadow = Shadow(leg, now)
            leg.play, leg.good = reduce(worse, [play for play, _ in struck]), False
            if capacity is not None and not leg.number and not self._cast(shadow, leg, capacity, speech):
                return None
            return next(number for play, number in struck if play is leg.play)
        elif capacity is not None:
            self._seat(leg, capacity, speech)
        return None

    def _cast(self, shadow: Shadow, leg: Leg, capacity: Capacity[Leg], speech: Speech) -> bool:
        """Let a struck attempt's shadow have its place. False if an answer that would come all the same finds none."""
        answers = leg.play.mended
        self._seat(shadow, capacity, speech)
        if shadow.place is None:
            if answers:
                leg.play = shadow.play
            return not answers
        if shadow.begins is not None:
            self._put_down(shadow, shadow.until(shadow.begins))
            return True
        self._put_down(shadow, leg.life.call.deadline)
        if answers:
            shadow.of, leg.begins = leg, None
        return True

    @staticmethod
    def _seat(leg: Leg, capacity: Capacity[Leg], speech: Speech) -> None:
        served = capacity.enter(leg)
        if served is None:
            leg.play, leg.good = refused(speech, Kind.OVERLOAD), False
            return
        leg.place = capacity
        if not served:
            leg.begins = None


def _repeated(speech: Speech, delivered: int) -> Play:
    """A target that is asked the same again: what the client has is left out, and shows only that it is at work."""
    spoke = Step(speech.first, Sign.SPOKE)
    content = Step(speech.until(delivered + 1), Sign.CONTENT)
    whole = Step(speech.end, Sign.WHOLE)
    return Play((spoke, content, whole), speech.first, speech.gap, speech.gap, speech.tokens)
