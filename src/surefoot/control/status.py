"""`/status`: what the supervisor knows, as one JSON object for a person or a script.

Knows: how the reports of several workers are put together.
Must never: show a credential, a client's key or its hash; it is built from names and numbers only.
"""

from collections.abc import Sequence
from typing import Any

from surefoot import __version__
from surefoot.control.picture import Picture
from surefoot.domain.request import BUCKETS
from surefoot.domain.target import Target
from surefoot.gateway.channel import RouteReport, TargetReport
from surefoot.journal.writer import Writer
from surefoot.policy.breaker import State
from surefoot.policy.suspicion import Grade

SEVERITY = (State.CLOSED, State.HALF_OPEN, State.OPEN)
"""Breaker states, the better ones first: a target is shown in the worst state that any worker has it in."""


def status(picture: Picture, journal: Writer | None, addresses: Sequence[str], uptime: float) -> dict[str, Any]:
    """The whole answer. `uptime` is in seconds; all times in it are."""
    configuration = picture.configuration
    routes = picture.routes()
    targets = picture.targets()
    return {
        "version": __version__,
        "config": configuration.version,
        "uptime": round(uptime, 3),
        "ready": picture.ready,
        "draining": picture.draining,
        "listeners": list(addresses),
        "reloads": dict(picture.reloads),
        "warnings": list(configuration.warnings),
        "workers": [
            {
                "worker": number,
                "ready": seat.version is not None,
                "config": seat.version,
                "deaths": seat.deaths,
                "in_flight": None if seat.report is None else seat.report.in_flight,
                "connections": None if seat.report is None else seat.report.connections,
            }
            for number, seat in enumerate(picture.seats)
        ],
        "all_targets_failing": picture.ours,
        "targets": [
            _target(target, targets[target.name], picture.suspended.get(target.name))
            for target in configuration.targets
        ],
        "routes": [
            {"route": route.name, "targets": [rung.target for rung in route.rungs], **_budget(routes[route.name])}
            for route in configuration.routes
        ],
        "kept": {
            "answers": sum(report.kept_answers for report in picture.reports),
            "memory": sum(report.kept_memory for report in picture.reports),
        },
        "counters": dict(picture.counters),
        "journal": _journal(journal, configuration.journal),
        "telemetry_dropped": picture.dropped,
    }


def worst(parts: Sequence[TargetReport]) -> State:
    """The worst state in which any worker has a target's breaker; closed while nobody has said anything."""
    return max((State(part.breaker) for part in parts), key=SEVERITY.index, default=State.CLOSED)


def gravest(parts: Sequence[TargetReport]) -> Grade:
    """The gravest suspicion that any worker has of a target."""
    return max((Grade(part.suspicion) for part in parts), default=Grade.CALM)


def _target(target: Target, parts: Sequence[TargetReport], suspended: str | None) -> dict[str, Any]:
    return {
        "target": target.name,
        "provider": target.provider,
        "model": target.model,
        "place": target.place.where(),
        "domains": target.domains,
        "max_in_flight": target.max_in_flight,
        "in_flight": sum(part.in_flight for part in parts),
        "breaker": worst(parts),
        "suspended": suspended,
        "suspicion": gravest(parts).name.lower(),
        "opens_for": round(max((part.until for part in parts), default=0.0), 3),
        "samples": sum(part.samples for part in parts),
        "delays": _delays(parts),
    }


def _delays(parts: Sequence[TargetReport]) -> list[dict[str, Any]]:
    """The learned delays by prompt length: of several workers' the longest, which is the one that no call exceeds."""
    rows: list[dict[str, Any]] = []
    width = len(BUCKETS) + 1
    for series in range(2 * width):
        learned = [
            part.delays[series]
            for part in parts
            if series < len(part.delays) and part.delays[series].median is not None
        ]
        if learned:
            bucket = series % width
            rows.append(
                {
                    "stream": series < width,
                    "prompt_tokens_up_to": BUCKETS[bucket] if bucket < len(BUCKETS) else None,
                    "hedge": round(max(one.hedge for one in learned), 4),
                    "limit": round(max(one.limit for one in learned), 4),
                    "median": round(max(one.median or 0.0 for one in learned), 4),
                }
            )
    return rows


def _budget(parts: Sequence[RouteReport]) -> dict[str, Any]:
    return {
        "calls": sum(part.calls for part in parts),
        "second_attempts": {
            "spent": sum(part.spent for part in parts),
            "refused": sum(part.refused for part in parts),
            "saved": round(sum(part.saved for part in parts), 2),
        },
    }


def _journal(journal: Writer | None, path: str | None) -> dict[str, Any] | None:
    if journal is None:
        return None
    return {"path": path, "written": journal.written, "dropped": {str(why): n for why, n in journal.dropped.items()}}
