"""The shape of a risk file: its tables and keys. docs/exposure.md tells what each means, with an example.

Knows what each table looks like on its own; what must hold between tables is in `reading`. Must never read a file.
"""

from typing import Annotated

from pydantic import Field

from surefoot.config.table import File, Flag, Table, Text
from surefoot.evidence.unknown import Amount, Known, Part, Rate
from surefoot.intake.incident import Reading
from surefoot.worth import forms
from surefoot.worth.forms import Named, Penalty

Percent = Annotated[float, forms.PERCENTAGE]
Share = Annotated[float, forms.PLAIN_SHARE]
Label = Annotated[str, forms.NAME]
_NOTHING = Known(0)


class StepTable(Table):
    """A penalty for a month below an uptime."""

    below: Percent
    """The month's uptime is strictly below this percentage."""
    penalty: Annotated[Penalty, forms.PENALTY]
    """A share of the month's fee, or dollars."""


class PromiseTable(Table):
    """A promise of uptime to customers."""

    name: Label
    fee: Annotated[float, forms.money("month")] = 0.0
    """What all customers under it pay in a month."""
    steps: Annotated[list[StepTable], Field(min_length=1)]
    """Of these the lowest bound counts that a month is below."""


class CreditTable(Table):
    """A credit for a month below an uptime."""

    below: Percent
    """The month's uptime is strictly below this percentage."""
    credit: Share
    """Share of the month's bill."""


class VendorTable(Table):
    """A provider that credits a part of its bill."""

    name: Label
    bill: Annotated[float, forms.money("month")]
    """What it charges in a month."""
    credits: Annotated[list[CreditTable], Field(min_length=1)]
    """Of these the lowest bound counts that a month is below."""


class RiskTable(Table):
    """Incidents of one kind, as they are without a fallback."""

    name: Label
    vendor: Text | None = None
    """Name of the vendor whose uptime they lower."""
    rate: Annotated[Rate | Named, forms.RATE] | None = None
    """How often."""
    replay: Text | None = None
    """In place of rate, coverage and residual_time: scenario and group of a replay, `any.all`."""
    lag: Annotated[float, forms.LAG] = 0.0
    """With replay: how late an outage is noticed; 0s is the gateway's own detection."""
    history: Annotated[Reading, forms.READING] | None = None
    """In place of rate, and of lasts: the incidents of [uptime] under this reading."""
    lasts: Annotated[Amount | Named, forms.MINUTES] = _NOTHING
    """How long one lasts."""
    struck: Share = 1.0
    """Share of calls that fail while it lasts."""
    response: Annotated[Amount, forms.money_range("incident")] = _NOTHING
    """What people's answer to one costs."""
    impact: Annotated[Amount, forms.money_range("incident")] = _NOTHING
    """What one costs besides."""
    coverage: Annotated[Part | Named, forms.SHARE] = _NOTHING
    """Share of them that the fallback covers."""
    residual_time: Annotated[Known | Named, forms.TIME] = _NOTHING
    """How long a covered one is still felt."""
    residual_cost: Annotated[float, forms.money("incident")] = 0.0
    """What a covered one still costs, in place of response and impact."""


class DelayTable(Table):
    """Compliance that may be missed, at most once a year."""

    name: Label
    chance: Annotated[Part, forms.SHARE]
    """Of a year, without the fallback."""
    chance_with_fallback: Annotated[Part, forms.SHARE]
    """Of a year, with it."""
    days: Annotated[Amount, forms.DAYS]
    """How long it holds things up."""
    cost: Annotated[float, forms.money("day")]
    """What each day of it costs."""


class BusinessTable(Table):
    """What a minute is worth."""

    revenue: Annotated[Amount, forms.money_range("minute")] = _NOTHING
    """Revenue that is lost while every call fails."""
    margin: Share = 1.0
    """Share of revenue that is margin."""
    quarterly_target: Annotated[float | None, forms.money("quarter")] = None
    """Revenue that a quarter should bring."""


class ObjectiveTable(Table):
    """The service level objective, for the error budget."""

    objective: Annotated[float, forms.OBJECTIVE]
    """Share of calls that are to succeed."""
    period: Annotated[float, forms.PERIOD] = 30 * 86_400.0
    """Over so long."""


class FallbackTable(Table):
    """What the fallback itself costs."""

    cost: Annotated[float, forms.money("year")]
    """Standing cost, and that of its attempts."""


class UptimeTable(Table):
    """Monthly uptime as it was, under each reading of an incident: by hand, or from lists of incidents."""

    first: Text
    """The first month, as 2026-01."""
    source: Text | None = None
    """Where it was read."""
    any: Annotated[list[Percent], Field(min_length=1)] | None = None
    """Month by month, where any open incident counts."""
    partial: Annotated[list[Percent], Field(min_length=1)] | None = None
    """Where partial and major outages count."""
    major: Annotated[list[Percent], Field(min_length=1)] | None = None
    """Where major outages alone count."""
    incidents: Annotated[list[File], Field(min_length=1)] | None = None
    """In place of these: lists of incidents, as `surefoot incidents` reads them; paths start where this file is."""
    provider: Text | None = None
    """Whose incidents."""
    last: Text | None = None
    """The last month."""
    every_service: Flag = False
    """With incidents: whether those count, too, that are about something else than answering a chat by API."""


class RiskFile(Table):
    """The whole file."""

    source: Text
    """Where its figures come from."""
    as_of: Text
    """When they were true."""
    business: BusinessTable = BusinessTable()
    objective: ObjectiveTable | None = None
    fallback: FallbackTable | None = None
    promises: list[PromiseTable] = []
    vendors: list[VendorTable] = []
    risks: list[RiskTable] = []
    delays: list[DelayTable] = []
    uptime: UptimeTable | None = None
