"""What stands above and below the tables of a drill: what was drilled and how, and what the words mean.

Knows: the plan and the configuration. Must never: say anything of what became of the calls.
"""

from collections.abc import Iterator
from textwrap import wrap

from surefoot.config.configuration import Configuration
from surefoot.config.quantities import show_duration
from surefoot.domain.route import Order, Resume, Route
from surefoot.domain.target import Target
from surefoot.drill.catalogue import ALONE, CLOUD, MODES
from surefoot.drill.plan import DrillOptions, patience_of, undeclared
from surefoot.drill.runner import DrillRun
from surefoot.drill.shelf import WHOLE

_WIDE, _WIDTH = 12, 118
"""Columns of the words, and of a line."""

_ORDERS = {Order.LISTED: "as listed", Order.LATENCY: "the fastest first", Order.PRICE: "the cheapest first"}

LEGEND = (
    ("struck", "1/4: one of the route's four targets failed, or all of them that are within the mode's reach"),
    ("cold", "calls that met the fault, because the breaker was closed; coverage is made of these alone"),
    ("warm", "calls that found the breaker open already: they went elsewhere at once, or were its probe"),
    ("18/20", "mitigated: 18 of 20 calls got a whole, valid answer within the patience"),
    ("°3", "3 of those needed no intervention: the failing target's own answer was good enough"),
    ("95 %", "where the true value lies with 95 % confidence; none: open at that end, for too few calls"),
    ("passed off", "broken answers that ended as if they were whole; must be 0"),
    (
        "weight",
        "events a year times impact, as a share of all modes that are weighed; *: a default, not your own count",
    ),
    (
        "not weighed",
        "bad_request, content_filter, context_overflow: the request's own fault, or a policy; no part of coverage",
    ),
    ("untested", "no cold call, so neither covered nor uncovered"),
    ("detect", "from the fault to the verdict, or to asking another target beside it, if sooner"),
    ("switch", "from then to the next request on the wire"),
    ("TTFT", "of the fallback: from its request on the wire to its first content"),
    ("end to end", "from the intended sending to the end of the answer"),
    (
        "cost",
        "mean of a call, all its attempts together; unknown: a price or a target's count of tokens is missing",
    ),
    ("added", "that, less a healthy call's; below zero where the failed attempt was free and the fallback is cheaper"),
    ("n<100", "too few calls for that percentile"),
    ("by risk", "the headline: mitigated share, weighed by events times impact"),
    ("by events", "mitigated share, weighed by events alone"),
    ("by modes", "share of modes that are mitigated in at least half of their cold calls"),
)
"""The words of the tables, each with its meaning."""


def legend() -> Iterator[str]:
    """The legend, line by line."""
    yield "How to read it (more in docs/drills.md and docs/coverage.md)"
    for word, meaning in LEGEND:
        yield f"  {word:<{_WIDE}}{meaning}"


def heading(file: str, configuration: Configuration, route: Route, told: DrillOptions, run: DrillRun) -> Iterator[str]:
    """What was drilled on one route, line by line."""
    yield f"{file}, route {route.name}" + ("" if run.status == WHOLE else f": PARTIAL ({run.status})")
    deadline, idle = show_duration(route.limits.deadline), show_duration(route.limits.idle)
    lines = [
        ("targets", "; ".join(_targets(configuration, route))),
        ("route", ", ".join([_ORDERS[route.order], f"deadline {deadline}", f"idle {idle}", _resume(route)])),
        ("modes", _modes(run)),
        ("reach", _reach(told)),
        ("patience", _patience(route, told)),
        ("repeat", f"{told.repeat} cold calls per mode, at most {told.rate:g} calls a second, seed {told.seed}"),
        ("learned", "nothing, as after a start" if told.fresh else "first-token times, before the first fault"),
        ("twins", "in front of the real targets" if told.in_front else "in place of the targets"),
    ]
    lines += [("WARNING", sentence) for sentence in warnings(configuration, route, told, run.modes)]
    for word, meaning in lines:
        yield from wrap(
            meaning,
            _WIDTH,
            initial_indent=f"  {word:<{_WIDE}}",
            subsequent_indent=" " * (_WIDE + 2),
            break_on_hyphens=False,
        )


def warnings(configuration: Configuration, route: Route, told: DrillOptions, modes: tuple[str, ...]) -> Iterator[str]:
    """What makes a drill of this route say less than it seems to."""
    struck = [(mode.name, told.reach or mode.reach) for mode in MODES if mode.name in modes]
    for reach in dict.fromkeys(reach for _, reach in struck if reach != ALONE):
        silent = undeclared(configuration, route, reach)
        if not silent:
            continue
        count = sum(of == reach for _, of in struck)
        everyone = len(silent) == len({rung.target for rung in route.rungs})
        who = (
            "no target of this route says" if everyone else f"{', '.join(silent)} do{'es' * (len(silent) == 1)} not say"
        )
        yield (
            f"{who} which `{reach}` it is in. Modes that reach a whole {reach} ({count} here) strike one target alone, "
            f'so coverage may be too high. Declare domains = {{ {reach} = "NAME" }} on each target.'
        )


def _targets(configuration: Configuration, route: Route) -> Iterator[str]:
    known = {target.name: target for target in configuration.targets}
    for name in dict.fromkeys(rung.target for rung in route.rungs):
        yield f"{name} ({_where(known[name])})"


def _where(target: Target) -> str:
    place = " and ".join(target.place.processes or ()) or "no place"
    domains = [f"{domain} {value}" for domain, value in target.domains.items()]
    return ", ".join([place, *(domains or ["no failure domains"])])


def _resume(route: Route) -> str:
    return "broken texts go on elsewhere" if route.resume is Resume.TEXT else "broken texts end in an error"


def _modes(run: DrillRun) -> str:
    if len(run.modes) == len(MODES):
        return f"all {len(MODES)} of the catalogue"
    return f"{len(run.modes)} chosen of {len(MODES)}: {', '.join(run.modes)}"


def _reach(told: DrillOptions) -> str:
    if told.reach is None:
        return f"as the catalogue says: one target, or all that share its `{CLOUD}`"
    return "the first target alone" if told.reach == ALONE else f"all that share the first target's `{told.reach}`"


def _patience(route: Route, told: DrillOptions) -> str:
    patience = patience_of(route, told)
    shorter = (
        f" (the route's deadline; --patience is {show_duration(told.patience)})" if patience < told.patience else ""
    )
    return f"{show_duration(patience)} for the whole answer{shorter}"
