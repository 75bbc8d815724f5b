"""From what clients saw, what the journal kept and what the twins logged to repetitions.

Client and journal are joined by the call's identity; a call whose client never saw it, by its place in the order of
its world. An attempt and the twin's log are joined by time: both are of this machine, and a trial has few calls.

Knows the definitions, which stand in `repetition`. Must never count a call of which one of the three is missing.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from surefoot.domain.outcome import OUTCOMES, Kind
from surefoot.domain.target import Target
from surefoot.drill.guard import cost
from surefoot.drill.plan import Trial
from surefoot.drill.repetition import Repetition
from surefoot.journal.reader import AttemptEntry, CallEntry
from surefoot.load import CallResult
from surefoot.twin import AttemptRecord

_EARLY, _LATE = 0.02, 0.25
"""Seconds that a twin's note of a request may lie before its sending and after its end, as two processes see them."""

_REFUSED = frozenset({Kind.CONNECT, Kind.RESET})
_CLOSED = "closed"


class Evidence(Struct, frozen=True):
    """All that is known of one trial."""

    trial: Trial
    calls: Sequence[CallEntry]
    """Of its world, since its fault began."""
    log: Sequence[AttemptRecord]
    """Of the twin of the target that was struck first."""


def repetitions(
    evidence: Evidence, targets: Mapping[str, Target], patience: float, whole: int | None
) -> list[Repetition]:
    """The drilled calls of one trial. `whole` is the length in tokens of a whole answer, None if nobody knows it."""
    log = _Log([record for record in evidence.log if record.wall >= evidence.trial.began and record.fault is not None])
    made: list[Repetition] = []
    for result, call in joined(evidence.trial.results, evidence.calls):
        seen = _seen(evidence.trial, call, log)
        if seen is None:
            continue
        whole_answer = result.ok and _is_whole(evidence.trial, result, whole)
        made.append(
            Repetition(
                mode=evidence.trial.mode.name,
                route=evidence.trial.route,
                target=evidence.trial.target,
                warm=seen.warm,
                delivered=seen.delivered,
                mitigated=whole_answer and result.e2e <= patience,
                passed_off=result.failure == "truncated" or (result.ok and not whole_answer),
                answered_by=result.target if result.ok else None,
                kind=call.kind,
                attempts=len(call.attempts),
                detect=seen.detect,
                switch=seen.switch,
                fallback_ttft=seen.fallback_ttft,
                end_to_end=result.e2e if result.ok else None,
                ttft=result.ttft,
                cost=cost_of(call, targets),
            )
        )
    return made


def _is_whole(trial: Trial, result: CallResult, whole: int | None) -> bool:
    if trial.mode.spoils and result.target in trial.struck:
        return False
    return whole is None or result.tokens >= whole


def healthy(call: CallEntry, targets: Mapping[str, Target]) -> Repetition:
    """A call that no fault was meant for, by the journal alone."""
    winner = None if call.winner is None else call.attempts[call.winner].target
    return Repetition(
        mode="healthy",
        route=call.route,
        target=winner or "",
        warm=False,
        delivered=False,
        mitigated=call.kind == Kind.OK,
        passed_off=False,
        answered_by=winner,
        kind=call.kind,
        attempts=len(call.attempts),
        end_to_end=call.ended,
        ttft=call.first_content,
        cost=cost_of(call, targets),
    )


def joined(results: Sequence[CallResult], calls: Sequence[CallEntry]) -> list[tuple[CallResult, CallEntry]]:
    """Each result with its record: by identity, and what has none by order, if as many are left on both sides."""
    by_name = {call.call: call for call in calls}
    pairs = [(result, by_name.pop(result.call)) for result in results if result.call in by_name]
    nameless = [result for result in results if result.call is None and result.sent is not None]
    left = sorted(by_name.values(), key=lambda call: call.at)
    if len(nameless) == len(left):
        pairs += zip(sorted(nameless, key=lambda result: result.sent or 0.0), left, strict=True)
    return pairs


def cost_of(call: CallEntry, targets: Mapping[str, Target]) -> float | None:
    """Dollars of all its attempts, losers included; None where a price or a count is unknown."""
    total = 0.0
    for attempt in call.attempts:
        if attempt.prompt_tokens is None or attempt.completion_tokens is None:
            if attempt.kind is None or OUTCOMES[Kind(attempt.kind)].billed:
                return None
            continue
        price = targets[attempt.target].price
        if price is None:
            return None
        total += cost(price, attempt.prompt_tokens, attempt.completion_tokens)
    return total


class _Log:
    """A twin's notes of faults that struck; each is taken once."""

    def __init__(self, records: Sequence[AttemptRecord]) -> None:
        self._left = sorted(records, key=lambda record: record.wall)

    def take(self, start: float, end: float) -> AttemptRecord | None:
        for record in self._left:
            if start - _EARLY <= record.wall <= end + _LATE:
                self._left.remove(record)
                return record
        return None


class _Seen(NamedTuple):
    """What journal and log say of one call."""

    warm: bool
    delivered: bool
    detect: float | None = None
    switch: float | None = None
    fallback_ttft: float | None = None


def _seen(trial: Trial, call: CallEntry, log: _Log) -> _Seen | None:
    """None if the call was none of the trial's: its target was neither asked nor passed over for its breaker."""
    struck = next((attempt for attempt in call.attempts if attempt.target == trial.target), None)
    if struck is None:
        rules = call.attempts[0].rules.split(",") if call.attempts else [f"{trial.target}:health"]
        return _Seen(warm=True, delivered=False) if f"{trial.target}:health" in rules else None
    warm = struck.breaker != _CLOSED
    begin = _on_the_wire(struck)
    end = struck.ended if struck.ended is not None else (call.ended or begin)
    record = log.take(call.at + begin, call.at + end)
    if record is None and not (trial.mode.fault.kind == "refuse" and struck.kind in _REFUSED):
        return _Seen(warm, delivered=False)
    return _Seen(warm, True, *_times(struck, call, record))


def _times(
    struck: AttemptEntry, call: CallEntry, record: AttemptRecord | None
) -> tuple[float | None, float | None, float | None]:
    """Detect, switch and the fallback's time to first token."""
    following = next((attempt for attempt in call.attempts if attempt.number == struck.number + 1), None)
    moments = [struck.verdict, None if following is None else following.started]
    known = [moment for moment in moments if moment is not None]
    if (struck.won and struck.kind == Kind.OK) or not known:
        return None, None, None
    decided = min(known)
    detect = max(decided - _fault_at(struck, call, record), 0.0)
    if following is None or following.sent is None:
        return detect, None, None
    spoke = next((one for one in call.attempts if one.won and one.number > struck.number), None)
    sent = None if spoke is None else spoke.sent
    first = None if spoke is None else spoke.first_content
    return detect, following.sent - decided, None if sent is None or first is None else first - sent


def _fault_at(struck: AttemptEntry, call: CallEntry, record: AttemptRecord | None) -> float:
    """Seconds since the call began: the request on the wire or, once there was content, the last of it."""
    if record is None or record.last_content is None or struck.first_content is None:
        return _on_the_wire(struck)
    return record.wall + (record.last_content - record.arrival) - call.at


def _on_the_wire(attempt: AttemptEntry) -> float:
    return attempt.started if attempt.sent is None else attempt.sent
