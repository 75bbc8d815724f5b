"""Quantities out of the facts of another run: of a replay or a drill, by the names of its facts.

Knows which unit a quantity needs, and how long a replay's traffic was. What is not there, or is no such quantity, is a
fault. Must never: put a number where a fact has none.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from surefoot.config.faults import Faults, did_you_mean
from surefoot.config.quantities import read_duration
from surefoot.evidence.unknown import Cases, Events, Known, Sample, cases_of
from surefoot.facts import Fact, Facts, read
from surefoot.replay.counting.measures import suffix
from surefoot.worth.forms import Named
from surefoot.worth.singles import lengths

SHEETS = ("facts.json", "coverage.json")
"""What a run keeps its facts in, a replay and a drill."""
YEAR = 365.25 * 86_400

_AVOIDED = "minutes.avoided"
_IN_MINUTES = {"minutes": 1.0, "min": 1.0, "s": 1 / 60, "seconds": 1 / 60}


class Replayed(NamedTuple):
    """What a replay tells of the incidents of one group of calls."""

    rate: Events
    minutes: float
    """Of all: their lengths times the shares of their calls that failed without the fallback."""
    coverage: Cases
    """The share of those minutes that the fallback avoided, without a lag; each incident is one case, however long.

    The interval of the minutes avoided is not that of the share: both sums grow with the number of incidents.
    """
    residual: float
    """Minutes that the lag leaves of a covered incident, a mean; 0 without a lag."""


class Borrowed:
    """The facts of one other run, or of none."""

    def __init__(self, sheet: Path | None, faults: Faults) -> None:
        """`sheet` is a facts file, or a folder that holds one."""
        self.faults = faults
        self.used: dict[str, Fact] = {}
        """Facts that were asked for."""
        self._sheet = sheet
        found = _read(sheet, faults) if sheet is not None else None
        self._known = {fact.name: fact for fact in found.facts} if found else {}
        self._window = found.window if found else (0.0, 0.0)

    def again(self, faults: Faults) -> "Borrowed":
        """The same facts for another use of the file, whose faults are its own; it adds to what was asked for here."""
        other = Borrowed(None, faults)
        other.used, other._sheet, other._known, other._window = self.used, self._sheet, self._known, self._window
        return other

    def lags(self, group: str) -> list[float]:
        """Those under which the replay tells what it avoided for a group, `any.all`; the least first."""
        start = f"{group}.{_AVOIDED}.lag."
        told = [name.removeprefix(start) for name in self._known if name.startswith(start)]
        return sorted(read_duration(lag) for lag in told)

    def of(self, path: str, value: Any, make: Callable[[Fact], Any], stand_in: Any) -> Any:
        """The quantity itself, or what `make` makes of the fact that it names."""
        if not isinstance(value, Named):
            return value
        fact = self._fact(path, value.fact)
        if fact is None:
            return stand_in
        try:
            return make(fact)
        except ValueError as error:
            self.faults.add(path, f"the fact `{fact.name}` {error}")
            return stand_in

    def replayed(self, path: str, group: str, lag: float = 0.0) -> Replayed | None:
        """Of a group of a replay's calls, `any.all`: its incidents in which calls came, and what became of them.

        `lag` is in seconds; the replay has to have been run with it.
        """
        names = [f"{group}.incidents.seen", f"{group}.minutes.without", f"{group}.{_AVOIDED}"]
        names.append(f"{group}.{_AVOIDED}{suffix(lag)}")
        scenario = group.partition(".")[0]
        if self._known and not any(name.startswith(f"{scenario}.") for name in self._known):
            scenarios = sorted({name.partition(".")[0] for name in self._known if ".all." in name})
            self.faults.add(path, f"the replay has no `{scenario}`; it has {', '.join(scenarios)}: `--readings all`")
            return None
        facts = [self._fact(path, name) for name in names]
        try:
            return self._replayed([fact for fact in facts if fact is not None]) if all(facts) else None
        except ValueError as error:
            self.faults.add(path, f"the replay of `{group}` {error}")
            return None

    def singles(self, path: str, group: str, found: Replayed) -> Sample | None:
        """How long each of these incidents was, which stands beside the facts."""
        assert self._sheet is not None  # noqa: S101 - what was found came out of it
        folder = self._sheet if self._sheet.is_dir() else self._sheet.parent
        try:
            return Sample(lengths(folder, group, found.rate.events, found.minutes))
        except ValueError as error:
            self.faults.add(path, f"the replay of `{group}` {error}")
            return None

    def _replayed(self, facts: Sequence[Fact]) -> Replayed:
        seen, without, avoided, late = (fact.value or 0.0 for fact in facts)
        years = (self._window[1] - self._window[0]) / YEAR
        if not years > 0:
            raise ValueError("has no window: how long its traffic was is not told")
        if not seen or not without > 0:
            raise ValueError(
                "has no incident in which a call failed; write { events = 0, years = … } and lasts by hand"
            )
        if min(avoided, late) < 0:
            raise ValueError("has more minutes of outage with the fallback than without: there is no coverage")
        share = min(avoided / without, 1.0)
        residual = max(avoided - late, 0.0) / (share * seen) if share else 0.0
        return Replayed(Events(seen, years), without, Cases(share * seen, seen), residual)

    def _fact(self, path: str, name: str) -> Fact | None:
        fact = self._known.get(name)
        if fact is not None:
            self.used[name] = fact
        elif self._sheet is None:
            self.faults.add(path, f"`{name}` is a fact of another run; --facts FOLDER says of which")
        elif self._known:
            self.faults.add(path, f"there is no fact `{name}`; {did_you_mean(name, self._known)}")
        return fact


def _read(sheet: Path, faults: Faults) -> Facts | None:
    files = [sheet / name for name in SHEETS] if sheet.is_dir() else [sheet]
    file = next((one for one in files if one.is_file()), None)
    if file is None:
        faults.add("--facts", f"{sheet} holds no {' or '.join(SHEETS)}; name the folder of a replay or a drill")
        return None
    try:
        return read(file.read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        faults.add("--facts", f"{file} is no sheet of facts: {error}")
        return None


def _value(fact: Fact, units: Sequence[str]) -> float:
    if fact.unit not in units:
        raise ValueError(f"is in {fact.unit}, and {' or '.join(units)} is needed")
    if fact.value is None:
        raise ValueError(f"has no value: {fact.note}")
    return fact.value


def rate_of(fact: Fact) -> Events:
    """So many events in so many years; the fact tells their number and their rate. Raises `ValueError`."""
    value = _value(fact, ["1/year"])
    if not value > 0 or not fact.n:
        raise ValueError("is of no events, which does not tell how long was watched; write { events = 0, years = … }")
    return Events(fact.n, fact.n / value)


def share_of(fact: Fact) -> Cases:
    """So many of the fact's cases as its interval is worth. Raises `ValueError`."""
    value = _value(fact, ["share"])
    if not fact.n:
        raise ValueError("is of no cases")
    if fact.low is None or fact.high is None or fact.confidence is None:
        return Cases(fact.n * value, fact.n)
    return cases_of(value, fact.low, fact.high, fact.n, fact.confidence)


def time_of(fact: Fact) -> Known:
    """In minutes. A mean: that single incidents differ is not in it. Raises `ValueError`."""
    return Known(_value(fact, list(_IN_MINUTES)) * _IN_MINUTES[fact.unit])
