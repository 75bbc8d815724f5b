"""A target's witness: holds what its answers say of it against what is declared.

Where an answer may tell a fact is declared with the target (`domain.place.Confirmation`). An answer that is silent, or
says a word that is not known, confirms nothing and contradicts nothing. A known word has to lie within what is
declared: one that stands for more, such as "global", contradicts as much as one that stands for elsewhere. But a place
of the user's own may be smaller than any that the provider can name: then the nearest word that holds it is `unknown`.

Knows declared facts and words. Must never decide what follows from a contradiction.
"""

import re
from collections.abc import Iterable
from enum import StrEnum

from surefoot.domain.place import Confirmation, Fact, Said
from surefoot.domain.target import Target
from surefoot.policy.zones import Zones

_SNAPSHOT = re.compile(r"[-@]\d[\d-]*")
"""What a provider puts behind a model's name to say which version of it has answered: `-2025-08-07`, `@20250929`."""


class Finding(StrEnum):
    """What an answer is worth for one declared fact; the later ones outweigh the earlier."""

    SILENT = "silent"
    UNKNOWN = "unknown"
    """It says something that stands for no zone known here, or nothing is declared that it could be held against.

    Or it stands for the smallest place that it could say around one of the user's own.
    """
    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"


_WEIGHT = {finding: weight for weight, finding in enumerate(Finding)}


def by_name(inner: Iterable[str], outer: Iterable[str]) -> bool:
    """Within, where nothing is known of zones: those of the same name, whatever their case."""
    return {name.casefold() for name in inner} <= {name.casefold() for name in outer}


class Witness:
    """Of one target. Without zones, places are told apart by their names."""

    __slots__ = ("_confirms", "_places", "_target", "_zones")

    def __init__(self, target: Target, zones: Zones | None = None) -> None:
        self._target = target
        self._zones = zones
        self._confirms = target.place.confirms
        self._places: dict[str, Finding] = {}
        """What has been found of zones that answers have named: of those there are few."""

    def alike(self, other: "Witness") -> bool:
        """Whether the other one judges the same target, and would make the same of every word that answers may say."""
        return self.grounds() == other.grounds()

    def grounds(self) -> tuple[Target, list[Finding]]:
        """What it judges by: the target, and what it makes of each word that is known."""
        findings = [self._find(one, word) for one in self._confirms for word in one.means]
        return self._target, findings

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
            return Finding.CONFIRMED if _is_model(meant or word, self._target.model) else Finding.CONTRADICTED
        declared = self._target.place.processes
        if meant is None or not declared:
            return Finding.UNKNOWN
        found = self._places.get(meant)
        if found is None:
            found = self._places[meant] = self._place(meant, declared)
        return found

    def _place(self, meant: str, declared: tuple[str, ...]) -> Finding:
        zones = self._zones
        if by_name((meant,), declared) if zones is None else zones.within((meant,), declared):
            return Finding.CONFIRMED
        words = zones_named(self._confirms)
        too_coarse = zones is not None and any(zones.nameless(place, meant, words) for place in declared)
        return Finding.UNKNOWN if too_coarse else Finding.CONTRADICTED

    def _declared(self, fact: Fact) -> str:
        return self._target.model if fact is Fact.MODEL else ", ".join(self._target.place.processes or ())


def zones_named(confirms: Iterable[Confirmation]) -> list[str]:
    """Every zone that answers can name."""
    return [zone for one in confirms if one.fact is Fact.PROCESSES for zone in one.means.values()]


def _is_model(told: str, configured: str) -> bool:
    """The same name, or a dated version of it."""
    told, configured = told.lower(), configured.lower()
    if not told.startswith(configured):
        return False
    rest = told[len(configured) :]
    return not rest or _SNAPSHOT.fullmatch(rest) is not None


def _where(confirmation: Confirmation) -> str:
    return f"header {confirmation.header}" if confirmation.header else ".".join(confirmation.body or ())
