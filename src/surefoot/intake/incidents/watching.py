"""When a provider's incidents were written down at all: no incident in any other time is no availability.

A source reaches, for each provider, from the first incident that it tells of it to the last moment that it tells of
anybody. Between what one source of a provider reaches and the next nobody watched: a *gap*. Within one source nothing
can be seen of gaps; they have to be told.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from surefoot.evidence.spans import Span, common, union, without
from surefoot.intake.incidents.heard import Heard


class Window(Struct, frozen=True):
    """What the reader says: from when to when incidents were written down, and when they were not."""

    start: float | None = None
    end: float | None = None
    gaps: tuple[Span, ...] = ()


class Watched(Struct, frozen=True):
    """Of one provider."""

    spans: tuple[Span, ...]
    gaps: tuple[Span, ...]
    """What is missing inside the window."""
    told: bool
    """Both ends of the window were told; else they are those of the sources."""

    def at(self, moment: float) -> bool:
        """Whether somebody watched then."""
        return any(start <= moment < end for start, end in self.spans)


def watched(told: Sequence[Heard], window: Window) -> dict[str, Watched]:
    """By provider. The ends of a window that is told are believed, beyond the reach of the sources too."""
    until: dict[str, float] = {}
    since: dict[tuple[str, str], float] = {}
    for source, incident in ((one.source, one.incident) for one in told):
        last = incident.start if incident.end is None else max(incident.start, incident.end)
        until[source] = max(until.get(source, last), last)
        key = incident.provider, source
        since[key] = min(since.get(key, incident.start), incident.start)
    providers = sorted({provider for provider, _ in since})
    return {
        provider: _watched([(since[key], until[key[1]]) for key in since if key[0] == provider], window)
        for provider in providers
    }


def together(watched_by: Iterable[Watched]) -> list[Span]:
    """The time in which all of them were watched."""
    first, *others = watched_by
    spans = list(first.spans)
    for other in others:
        spans = common(spans, other.spans)
    return spans


def _watched(reaches: list[Span], window: Window) -> Watched:
    seen = union(reaches)
    if not seen:
        return Watched((), (), told=False)
    start = seen[0][0] if window.start is None else window.start
    end = seen[-1][1] if window.end is None else window.end
    whole = [(start, end)] if start < end else []
    between = without([(seen[0][0], seen[-1][1])], seen)
    gaps = common(whole, [*between, *window.gaps])
    return Watched(tuple(without(whole, gaps)), tuple(gaps), told=window.start is not None and window.end is not None)
