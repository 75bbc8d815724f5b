"""A target's witness: holds what its answers say of it against what is declared.

Where an answer may tell a fact is declared with the target (`domain.place.Confirmation`). An answer that is silent, or
says a word that is not known, confirms nothing and contradicts nothing. A known word has to lie within what is
declared: one that stands for more, such as "global", contradicts as much as one that stands for elsewhere.

Knows declared facts and words. Must never decide what follows from a contradiction.
"""

import re
from collections.abc import Callable, Iterable
from enum import StrEnum

from surefoot.domain.place import Confirmation, Fact, Said
from surefoot.domain.target import Target

Within = Callable[[Iterable[str], Iterable[str]], bool]
"""Whether all zones of the first list lie for certain within those of the second."""

_SNAPSHOT = re.compile(r"[-@]\d[\d-]*")
"""What a provider puts behind a model's name to say which version of it has answered: `-2025-08-07`, `@20250929`."""


class Finding(StrEnum):
    """What an answer is worth for one declared fact; the later ones outweigh the earlier."""

    SILENT = "silent"
    UNKNOWN = "unknown"
    """It says something that stands for no zone known here, or nothing is declared that it could be held against."""
    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"


_WEIGHT = {finding: weight for weight, finding in enumerate(Finding)}


def by_name(inner: Iterable[str], outer: Iterable[str]) -> bool:
    """Within, where nothing is known of zones: those of the same name, whatever their case."""
    return {name.casefold() for name in inner} <= {name.casefold() for name in outer}


class Witness:
    """Of one target."""

    __slots__ = ("_confirms", "_target", "_within")

    def __init__(self, target: Target, within: Within = by_name) -> None:
        self._target = target
        self._within = within
        self._confirms = target.place.confirms

    def hold(self, before: dict[str, str] | None, said: Said) -> tuple[dict[str, str], str | None]:
        """The evidence of one attempt so far, by fact, with what was said now; and the contradiction in it, if any.

        The contradiction is a sentence for a person. All facts that could have been told are in the evidence.
        """
        evidence = before or {confirmation.fact.value: str(Finding.SILENT) for confirmation in self._confirms}
        why: str | None = None
        for number, word in said:
            confirmation = self._confirms[number]
            finding = self._find(confirmation, word)
            fact = confirmation.fact.value
            if _WEIGHT[finding] > _WEIGHT[Finding(evidence[fact].partition(":")[0])]:
                evidence = {**evidence, fact: f"{finding}: {word}"}
            if finding is Finding.CONTRADICTED:
                why = why or f"declares {fact} = {self._declared(confirmation.fact)}; {_where(confirmation)}: {word}"
        return evidence, why

    def _find(self, confirmation: Confirmation, word: str) -> Finding:
        meant = confirmation.means.get(word.lower())
        if confirmation.fact is Fact.MODEL:
            good = _is_model(meant or word, self._target.model)
        else:
            declared = self._target.place.processes
            if meant is None or not declared:
                return Finding.UNKNOWN
            good = self._within((meant,), declared)
        return Finding.CONFIRMED if good else Finding.CONTRADICTED

    def _declared(self, fact: Fact) -> str:
        return self._target.model if fact is Fact.MODEL else ", ".join(self._target.place.processes or ())


def _is_model(told: str, configured: str) -> bool:
    """The same name, or a dated version of it."""
    told, configured = told.lower(), configured.lower()
    if not told.startswith(configured):
        return False
    rest = told[len(configured) :]
    return not rest or _SNAPSHOT.fullmatch(rest) is not None


def _where(confirmation: Confirmation) -> str:
    return f"header {confirmation.header}" if confirmation.header else ".".join(confirmation.body or ())
