"""The facts of a survey: scores and cancellations of users who met failures and of those who did not.

Must never: call a difference found that this sample could not have shown.
"""

from collections.abc import Iterator, Sequence

from surefoot import __version__
from surefoot.errors import EvidenceError
from surefoot.evidence.intervals import newcombe, wilson
from surefoot.evidence.survey import nps_detectable, nps_difference, nps_interval, share_detectable
from surefoot.facts import Fact, Facts
from surefoot.worth.affected import STRANGERS, Affected

CONFIDENCE = 0.95
GROUPS = ("affected", "unaffected")
NOT_DETECTABLE = "not detectable with this n"
DETECTED = "detected"
NOBODY = "a group is empty"
_PROMOTER, _PASSIVE = 9, 7
_METHODS = {
    "nps": "100 (p - d); adjusted Wald with Student's t (Rocks 2016)",
    "cancelled": "share of users; Wilson",
}


def sheet_of(found: Affected, power: float, inputs: str) -> Facts:
    """All facts. There is no chance in them: the seed is 0 and never used."""
    times = [answer.at for answer in (*found.yes, *found.no) if answer.at is not None]
    window = (min(times), max(times)) if times else (0.0, 0.0)
    made = (*_users(found), *_scores(found, power), *_cancellations(found, power))
    return Facts(made="", program=f"surefoot {__version__}", seed=0, window=window, inputs=inputs, facts=made)


def _users(found: Affected) -> Iterator[Fact]:
    for group, answers in zip(GROUPS, (found.yes, found.no), strict=True):
        n = len(answers)
        yield Fact(name=f"users.{group}", value=n, unit="users", n=n, method="a count", note="a count has no interval")
    for why, answers in found.apart.items():
        n = len(answers)
        yield Fact(name=f"users.apart.{why}", value=n, unit="users", n=n, method="a count", note="in neither group")
    if found.strangers is not None:
        n = found.strangers
        yield Fact(name="users.strangers", value=n, unit="users", n=n, method="a count", note=STRANGERS)


def _scores(found: Affected, power: float) -> Iterator[Fact]:
    groups = [[answer.score for answer in group if answer.score is not None] for group in (found.yes, found.no)]
    if not any(groups):
        return
    counts = [_counted(scores) for scores in groups]
    for name, of_group in zip(GROUPS, counts, strict=True):
        yield _score(f"nps.{name}", of_group)
    n = sum(map(len, groups))
    how = "affected less unaffected; Welch's t over adjusted answers (Rocks 2016)"
    if not all(groups):
        yield Fact(name="nps.difference", value=None, unit="points", n=n, method=how, note=NOBODY)
        return
    value, low, high = nps_difference(counts[0], counts[1], CONFIDENCE)
    smallest = _smallest_score(counts, power)
    ends = _interval(low, high)
    note = verdict(value, low, high, smallest.value)
    yield Fact(name="nps.difference", value=value, unit="points", n=n, method=how, note=note, **ends)
    yield smallest


def _counted(scores: Sequence[int]) -> tuple[int, int, int]:
    """Promoters, passives, detractors."""
    up, down = sum(score >= _PROMOTER for score in scores), sum(score < _PASSIVE for score in scores)
    return up, len(scores) - up - down, down


def _score(name: str, counts: tuple[int, int, int]) -> Fact:
    n = sum(counts)
    if not n:
        return Fact(name=name, value=None, unit="points", n=n, method=_METHODS["nps"], note="no answers")
    value, low, high = nps_interval(*counts, CONFIDENCE)
    note = "{} promoters, {} passives, {} detractors".format(*counts)
    return Fact(name=name, value=value, unit="points", n=n, method=_METHODS["nps"], note=note, **_interval(low, high))


def _smallest_score(counts: Sequence[tuple[int, int, int]], power: float) -> Fact:
    n = sum(map(sum, counts))
    shares = [sum(of_both) / n for of_both in zip(*counts, strict=True)]
    per_arm = even(sum(counts[0]), sum(counts[1]))
    how = f"smallest difference found with a power of {power:.0%}, two-sided 5 %, of {per_arm} answers per group"
    try:
        value, note = nps_detectable(per_arm, shares, power), "the groups' sizes by their harmonic mean"
    except EvidenceError as error:
        value, note = None, str(error)
    return Fact(name="nps.detectable", value=value, unit="points", n=n, method=how, note=note)


def _cancellations(found: Affected, power: float) -> Iterator[Fact]:
    groups = [[answer for answer in group if answer.cancelled is not None] for group in (found.yes, found.no)]
    if not any(groups):
        return
    counts = [(sum(bool(answer.cancelled) for answer in group), len(group)) for group in groups]
    for name, (k, n) in zip(GROUPS, counts, strict=True):
        ends = _interval(*wilson(k, n, CONFIDENCE)) if n else {}
        value = k / n if n else None
        note = f"{k} of {n}"
        yield Fact(
            name=f"cancelled.{name}", value=value, unit="share", n=n, method=_METHODS["cancelled"], note=note, **ends
        )
    all_n = counts[0][1] + counts[1][1]
    how = "affected less unaffected; Newcombe's hybrid score (1998, method 10)"
    if not counts[0][1] or not counts[1][1]:
        yield Fact(name="cancelled.difference", value=None, unit="share", n=all_n, method=how, note=NOBODY)
        return
    value = counts[0][0] / counts[0][1] - counts[1][0] / counts[1][1]
    smallest = _smallest_share(counts, power, falls=value < 0)
    low, high = newcombe(counts[0], counts[1], CONFIDENCE)
    note = verdict(value, low, high, smallest.value)
    yield Fact(
        name="cancelled.difference", value=value, unit="share", n=all_n, method=how, note=note, **_interval(low, high)
    )
    yield smallest


def _smallest_share(counts: Sequence[tuple[int, int]], power: float, *, falls: bool) -> Fact:
    """In the direction of the difference that was seen: the two are not the same, except from one half."""
    per_arm = even(counts[0][1], counts[1][1])
    base = counts[1][0] / counts[1][1]
    value = share_detectable(per_arm, 1 - base if falls else base, power)
    way = "fall" if falls else "rise"
    how = (
        f"smallest {way} from {base:.1%} found with a power of {power:.0%}, two-sided 5 %, of {per_arm} users "
        "per group (Fleiss, Levin & Paik 2003, 4.14)"
    )
    note = f"no {way} at all could be found" if value is None else "the groups' sizes by their harmonic mean"
    return Fact(
        name="cancelled.detectable", value=value, unit="share", n=counts[0][1] + counts[1][1], method=how, note=note
    )


def even(first: int, second: int) -> int:
    """Two groups of this size find as much as these two: the harmonic mean, rounded down, at least 1."""
    return max(2 * first * second // (first + second), 1)


def verdict(value: float, low: float, high: float, smallest: float | None) -> str:
    """Whether a difference is one: its interval leaves 0 out, and the sample could have shown one so small."""
    seen = (low > 0 or high < 0) and smallest is not None and abs(value) >= smallest
    return DETECTED if seen else NOT_DETECTABLE


def _interval(low: float, high: float) -> dict[str, float]:
    return {"low": low, "high": high, "confidence": CONFIDENCE}
