"""What is noted of a call that was more than a plain success: its outcome, what it cost, how long the switch took.

The outcome is the client's: an answer that only looks whole counts as malformed, and a static text is no answer at all,
so that its call counts as what it would have failed with.

Knows a call that is over. Must never be asked before.
"""

from collections.abc import Mapping

from surefoot.domain.outcome import OUTCOMES, Kind
from surefoot.domain.units import Price
from surefoot.policy.attempt import Attempt
from surefoot.replay.virtual.life import Leg, Life

KINDS: tuple[Kind, ...] = tuple(Kind)
"""What `Results.kind` counts into. A call is saved only if its kind is OK: the client had a whole, valid answer."""

NUMBER = {kind: number for number, kind in enumerate(KINDS)}

_NAN = float("nan")


def close(life: Life, prices: Mapping[int, Price], now: float) -> None:
    """Note it. `prices` by target; without one a cost is not known."""
    call, books, row = life.call, life.books, life.row
    winner = None if call.winner is None else life.legs[call.winner.number]
    books.kind[row] = NUMBER[_outcome(life, winner)]
    books.e2e[row] = now - call.began
    if life.spoke is not None:
        books.ttft[row] = life.spoke - call.began
    if winner is not None:
        books.winner[row] = winner.target
    books.attempts[row] = len(life.legs)
    costs = [_cost(life, leg, prices) for leg in life.legs]
    books.cost[row] = sum(costs)
    books.extra[row] = sum(cost for leg, cost in zip(life.legs, costs, strict=True) if leg is not winner)
    books.detect[row], books.switch[row] = _times(call.attempts, call.began)


def _outcome(life: Life, winner: Leg | None) -> Kind:
    call = life.call
    kind = call.kind or Kind.NO_TARGET
    if kind is not Kind.OK or winner is None:
        return kind
    if call.attempts[winner.number].state.target.text is not None:
        failed = [attempt.kind for attempt in call.attempts if attempt.kind is not None and attempt.kind is not Kind.OK]
        return failed[-1] if failed else Kind.NO_TARGET
    return Kind.MALFORMED if any(leg.play.spoiled for leg in life.legs if _heard_of(leg, life)) else kind


def _heard_of(leg: Leg, life: Life) -> bool:
    """Whether the client had anything of this attempt."""
    return leg is life.winner or life.call.attempts[leg.number] is life.call.broken


def _cost(life: Life, leg: Leg, prices: Mapping[int, Price]) -> float:
    """US dollars of one attempt: nothing where its kind is not billed, else the prompt and what was said until its end.

    A continuation is shown what was delivered, so that its prompt is longer by that.
    """
    attempt = life.call.attempts[leg.number]
    kind = attempt.kind or Kind.CANCELLED
    if attempt.state.target.text is not None or leg.begins is None or not OUTCOMES[kind].billed:
        return 0.0
    price = prices.get(leg.target)
    if price is None:
        return _NAN
    whole = kind is Kind.OK
    said = leg.play.tokens if whole or attempt.ended is None else leg.said(attempt.ended)[0]
    return price.cost(life.books.prompt[life.row] + leg.shown, said)


def _times(attempts: list[Attempt], began: float) -> tuple[float, float]:
    """Seconds to the first verdict, and from there to the next launch; NaN where there was none."""
    verdicts = [attempt.verdict for attempt in attempts if attempt.verdict is not None]
    if not verdicts:
        return _NAN, _NAN
    first = min(verdicts)
    after = [attempt.started for attempt in attempts if attempt.number and attempt.started >= first]
    return first - began, (min(after) - first) if after else _NAN
