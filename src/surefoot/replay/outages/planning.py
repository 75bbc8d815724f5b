"""From incidents to outages: which targets of a configuration an incident strikes, in which mode, for how long.

    incident ─▶ counts under the reading? inside the traffic? about answering a chat? length known?
             ─▶ the targets it strikes ─▶ one mode, drawn once per incident ─▶ outages

The mode depends on the seed and the incident alone: it is the same for all targets, under every reading and in both
arms. Whatever is left out is counted by its reason.

Must never: invent the length of an incident, or take a target for struck because its name looks alike.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import accumulate
from math import inf

from msgspec import Struct, field

from surefoot.config.configuration import Configuration
from surefoot.config.quantities import show_duration
from surefoot.config.rates import Rates, default_rates, told_by
from surefoot.domain.target import Target
from surefoot.intake.incident import Incident, Reading
from surefoot.intake.incidents.mending import CAP, capped
from surefoot.replay.models.naming import names_model, plain, runs
from surefoot.replay.outages.outage import Outage

_ELSEWHERE = re.compile(
    r"fine.?tun|\bbatch|\bfiles?\b|images?\b|dall.?e|speech|\btts\b|whisper|transcri|audio|voice|realtime|embedding"
    r"|moderation|assistants|sora\b|\bsearch|\bdocs\b|documentation|support|checkout|subscription|sign.?up|billing"
    r"|payment|invoice|dashboard|analytics|e-?mail|\bvertex\b|\bbedrock\b",
    re.IGNORECASE,
)
"""Other services than a chat by API: what `config/rates.toml` left out too."""

_SITES = re.compile(
    r"chatgpt|\bgpts\b|claude\.ai|claude code|cowork|console|playground|\blabs\b|web ?(site|/app|ui)?\b|\bapp\b|codex"
    r"|\bios\b|android|desktop|\bplugins?\b|workspace|copilot|\bcursor\b|windsurf|jetbrains|government",
    re.IGNORECASE,
)
"""Sites and programs of a provider; their names stand beside the API's where both are ill."""

_API = re.compile(r"\bapis?\b|api\.|completions?\b|\bresponses\b", re.IGNORECASE)


_APIS_ELSEWHERE = re.compile(rf"(?:{_ELSEWHERE.pattern})[\w ]{{0,12}}\bapis?\b", re.IGNORECASE)
"""`Batch API`, `Fine-tuning API`: their API is not the one that answers a chat."""

_MODELS = re.compile(
    r"davinci|\bcurie\b|\bgpt-?[345]|\bo[134]\b|claude|(?:multiple|all|text|chat) models", re.IGNORECASE
)
"""Models that answer a chat, where a title names them beside other services."""

_JOBS = re.compile(r"fine.?tun|\bbatch", re.IGNORECASE)


OUTSIDE = "outside the time of the traffic"
NOBODYS = "of no target of this configuration"


class Rules(Struct, frozen=True, kw_only=True):
    """How incidents are read."""

    reading: Reading
    seed: int
    failing: float = 1.0
    """Share of an outage's calls that are struck. Nobody publishes it: 1 is the worst case, less a sensitivity."""
    unknown_length: float = 0.0
    """Seconds that an incident is taken to last whose length is unknown: it is open, or was posted with no length
    afterwards. 0 leaves such incidents out."""
    cap: float | None = CAP
    """Seconds beyond which an incident is cut; None: as long as it is told."""
    every_service: bool = False
    """Whether incidents count that are about something else than answering a chat by API."""
    rates: Rates = field(default_factory=default_rates)
    """By their events a mode is drawn among those that a title can mean."""


class LeftOut(Struct, frozen=True, kw_only=True):
    """An incident in the traffic's time that makes no outage."""

    incident: str
    """Its id."""
    provider: str
    title: str
    start: float
    end: float | None
    why: str
    ours: bool
    """Whether its provider runs a target of the configuration."""


class Plan(Struct, frozen=True, kw_only=True):
    """What the incidents make of a configuration."""

    outages: tuple[Outage, ...]
    """By their start."""
    incidents: int
    """How many strike any target."""
    left_out: dict[str, int]
    """Why others do not, and how many: the first reason of each."""
    inside: tuple[LeftOut, ...]
    """Those of them that lie in the traffic's time; of providers that run a target here first, then by their start."""
    never_struck: tuple[str, ...]
    """Targets of which the list has no incident at all, under any reading: nothing is known of their outages."""
    said: tuple[str, ...]
    """What was assumed, a sentence each."""


def plan(incidents: Sequence[Incident], configuration: Configuration, span: tuple[float, float], rules: Rules) -> Plan:
    """The outages of a configuration's targets in a span of traffic (Unix times of its first and last call)."""
    targets = [target for target in configuration.targets if target.text is None]
    left_out: Counter[str] = Counter()
    outages: list[Outage] = []
    inside: list[LeftOut] = []
    struck = 0
    for told in incidents:
        incident = capped(told, rules.cap)
        reason = _why_not(told, span, rules)
        made = [] if reason else list(_outages(incident, targets, rules))
        if made:
            struck += 1
            outages += made
            continue
        why = reason or NOBODYS
        left_out[why] += 1
        if why != OUTSIDE:
            inside.append(_left_out(told, why, targets))
    never = _without_any(targets, incidents)
    quiet = _without_any(
        [target for target in targets if target.name not in never],
        [one for one in incidents if one.start <= span[1] and max(one.end or one.start, one.start) >= span[0]],
    )
    return Plan(
        outages=tuple(sorted(outages, key=lambda one: (one.start, one.target, one.incident))),
        incidents=struck,
        left_out=dict(left_out.most_common()),
        inside=tuple(sorted(inside, key=lambda one: (not one.ours, one.start, one.provider, one.incident))),
        never_struck=never,
        said=(*_said(rules), *_unknown(never, quiet)),
    )


def strikes(incident: Incident, target: Target) -> bool:
    """Whether an incident strikes a target.

    It does if its provider runs the target (`models.naming`). If the incident names models, the target's has to be one
    of them; if it names regions, one of the target's domains has to be, and a target that declares no region is struck.
    """
    return (
        runs(incident.provider, target)
        and (not incident.models or any(names_model(model, target.model) for model in incident.models))
        and _in_region(incident.regions, target)
    )


def mode_of(incident: Incident, seed: int, rates: Rates) -> str:
    """How an incident is taken to fail: drawn among the modes that its title can mean, by their events.

    A title that tells nothing can mean any mode. The draw is a hash of seed, provider and id, so it is the same
    whatever else is replayed.
    """
    told = told_by(incident.title)
    modes = told.modes if told else tuple(rates.of)
    weights = [rates.of[mode].events for mode in modes]
    if not any(weights):
        weights = [1.0] * len(modes)
    text = f"{seed}\n{incident.provider}\n{incident.id}"
    drawn = int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) / 2**64 * sum(weights)
    return next((mode for mode, upto in zip(modes, accumulate(weights), strict=True) if drawn < upto), modes[-1])


def is_elsewhere(incident: Incident) -> bool:
    """Whether an incident is about something else than answering a chat by API, by its title and its services."""
    title, services = incident.title, incident.services
    if _ELSEWHERE.search(title) and not _names_chat_too(title):
        return True
    if services:
        return not any(map(_API.search, services)) and all(
            _SITES.search(one) or _ELSEWHERE.search(one) for one in services
        )
    return _SITES.search(title) is not None and _API.search(title) is None


def _names_chat_too(title: str) -> bool:
    """Whether a title that names another service names the API, or a model of it, beside that."""
    rest = _APIS_ELSEWHERE.sub("", title)
    return _API.search(rest) is not None or (_MODELS.search(rest) is not None and _JOBS.search(rest) is None)


def _why_not(told: Incident, span: tuple[float, float], rules: Rules) -> str | None:
    """The first reason why an incident makes no outage; that it is outside the traffic's time before all others.

    An incident without a known end may go on until the cap. One that begins with the last call is inside, as is its
    outage; one that ends with the first call is not.
    """
    incident = capped(told, rules.cap)
    end = _end(incident, rules)
    unknown = end <= incident.start
    if told.start > span[1] or _last(incident, end, rules) < span[0] or (end == span[0] and not unknown):
        cut = told is not incident and told.end is not None and told.end > span[0] and told.start <= span[1]
        return f"cut to {show_duration(rules.cap or 0.0)}, and over before the traffic" if cut else OUTSIDE
    if not incident.counts(rules.reading):
        return f"milder than the reading ({rules.reading})"
    if not rules.every_service and is_elsewhere(incident):
        return "about another service than a chat by API"
    if unknown:
        return "of unknown length: still open" if incident.end is None else "of unknown length: posted without any"
    return None


def _last(incident: Incident, end: float, rules: Rules) -> float:
    """Until when it may have gone on."""
    if incident.end is not None or rules.unknown_length:
        return end
    return inf if rules.cap is None else incident.start + rules.cap


def _left_out(told: Incident, why: str, targets: Sequence[Target]) -> LeftOut:
    return LeftOut(
        incident=told.id,
        provider=told.provider,
        title=told.title,
        start=told.start,
        end=told.end,
        why=why,
        ours=any(runs(told.provider, target) for target in targets),
    )


def _end(incident: Incident, rules: Rules) -> float:
    """The end, or the start where the length is not known and nothing is assumed."""
    known = incident.end is not None and incident.end > incident.start
    return incident.end if known and incident.end is not None else incident.start + rules.unknown_length


def _outages(incident: Incident, targets: Iterable[Target], rules: Rules) -> Iterator[Outage]:
    mode = mode_of(incident, rules.seed, rules.rates)
    for target in targets:
        if strikes(incident, target):
            yield Outage(
                target=target.name,
                start=incident.start,
                end=_end(incident, rules),
                mode=mode,
                share=rules.failing,
                incident=incident.id,
                provider=incident.provider,
            )


def _in_region(regions: Sequence[str], target: Target) -> bool:
    declared = {plain(value) for value in target.domains.values()}
    return not regions or "region" not in target.domains or any(plain(region) in declared for region in regions)


def _said(rules: Rules) -> Iterator[str]:
    yield f"in an outage {rules.failing:.0%} of the calls to a target are struck: no status page says how many were"
    yield "how an incident failed is drawn among the modes that its title can mean; all of its calls fail alike"
    if rules.unknown_length:
        yield f"incidents of unknown length (open, or posted without any) last {show_duration(rules.unknown_length)}"
    else:
        yield "incidents of unknown length (open, or posted without any) are left out"
    if rules.cap is not None:
        yield f"incidents longer than {show_duration(rules.cap)} are cut to it"
    if rules.every_service:
        yield "incidents of every service of a provider count, also of those that no call here uses"


def _without_any(targets: Sequence[Target], incidents: Sequence[Incident]) -> tuple[str, ...]:
    """Targets that no incident is about, whatever its severity."""
    providers = {one.provider for one in incidents}
    return tuple(target.name for target in targets if not any(runs(provider, target) for provider in providers))


def _unknown(never: Sequence[str], quiet: Sequence[str]) -> Iterator[str]:
    if never:
        yield f"of {', '.join(never)} the list has no incident: their own outages are not in this replay"
    if quiet:
        yield (
            f"of {', '.join(quiet)} the list has no incident in the time of this traffic;"
            " perhaps nobody watched (`surefoot incidents` tells how far a list reaches)"
        )
