"""The tables that say where things are: a target's place, zones, and jurisdictions.

Knows what each table looks like on its own. What its names stand for is in `zones` and `jurisdictions`.
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import model_validator

from surefoot.config import forms
from surefoot.config.forms import Bounds, quantity
from surefoot.config.table import Flag, Label, Table, Text
from surefoot.domain.jurisdiction import Contradiction
from surefoot.domain.place import Fact, Transfer

Keeping = Annotated[float, quantity("duration", Bounds(ge=0, le=10 * 366 * 86_400))]
Tool = Annotated[Transfer, forms.choice(Transfer)]
Names = list[Label | None]
Words = list[Text | None]


class Unserved(StrEnum):
    """What it means that nobody can serve somebody who is admitted."""

    FAULT = "fault"
    WARNING = "warning"


class SubprocessorTable(Table):
    """Somebody else whom the operator lets see the data. Text alone is a name."""

    name: Text
    """The legal entity."""
    seat: Label | None = None
    """Zone of its legal seat."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value


class ConfirmTable(Table):
    """Where an answer says a fact by itself, so that a declaration can be held against it."""

    fact: Annotated[Fact, forms.choice(Fact)]
    """What it says."""
    header: Text | None = None
    """Header of the answer."""
    body: Text | None = None
    """Path inside the answer's JSON object: `"usage.inference_geo"`."""
    means: dict[str, Text] = {}
    """From what the answer says to the zone, or the model, that it stands for."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.header is None) == (self.body is None):
            raise ValueError("needs exactly one of `header` and `body`")
        return self


class PlaceTable(Table):
    """Where and by whom a target processes, as declared. What is left out is unknown: not allowed where it matters."""

    processes: Names | None = None
    """Zones in which it processes: it may be any of them."""
    stores: Names | None = None
    """Zones in which it keeps content; `[]` if it keeps none."""
    operator: Text | None = None
    """The legal entity that operates it."""
    seat: Label | None = None
    """Zone of that entity's legal seat."""
    transfer: Tool | None = None
    """The tool under which personal data may be passed there."""
    retention: Keeping | None = None
    """Longest time for which it keeps content; `"0s"` is none."""
    zero_retention: Flag | None = None
    """Whether zero data retention is agreed by contract."""
    subprocessors: list[SubprocessorTable | None] | None = None
    """Who else sees the data; `[]` if nobody does."""
    confirms: list[ConfirmTable | None] | None = None
    """What its answers say of this by themselves; what the profile knows unless said, `[]` for nothing."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"processes": [value]} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.processes == []:
            raise ValueError("`processes` is empty: name the zones, or leave it out if they are unknown")
        if self.zero_retention and self.retention:
            raise ValueError("`zero_retention` and a `retention` contradict one another: leave one out")
        return self


class ZoneTable(Table):
    """A zone of your own. Countries (ISO 3166-1), `EU`, `EEA`, `UK`, `ADEQUATE` and `WORLD` are there already."""

    members: Names | None = None
    """It is made of these zones."""
    within: Names | None = None
    """It is a place by itself, inside all of these zones: a data centre."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.members is None) == (self.within is None):
            raise ValueError("needs exactly one of `members` and `within`")
        if not (self.members or self.within):
            raise ValueError("is empty: name at least one zone")
        return self


class SubjectsTable(Table):
    """Whom a jurisdiction binds by itself: whatever matches any of these. Keys and routes may name it besides."""

    keys: Names = []
    """Names of client keys."""
    tenants: Names = []
    """Tenants of client keys."""
    classes: Names = []
    """Classes of data, as keys and the header `surefoot-data-class` say."""
    regions: Names = []
    """Zones of the people whom the data is about, as keys and the header `surefoot-data-region` say."""


class DenyTable(Table):
    """What forbids a target whatever else allows it; a fact that is asked for here and not declared forbids too."""

    targets: Words = []
    """Targets by name."""
    operators: Words = []
    """Legal entities."""
    seats: Names = []
    """Zones of operators' legal seats; any overlap forbids, and so below."""
    processes: Names = []
    """Zones of processing."""
    stores: Names = []
    """Zones where content is kept."""
    transfers: list[Tool | None] = []
    """Transfer tools."""


class ObligationsTable(Table):
    """What the gateway owes to those who are bound. Of several jurisdictions the strictest holds."""

    hedge: Flag = True
    """Whether a second target may be asked beside a live attempt."""
    resume: Flag = True
    """Whether a broken answer may be continued on a target of another operator."""
    keep: Flag = True
    """Whether an answer may be kept for retries after its call has ended."""
    receipts: Flag = False
    """Whether a call is refused when its receipts cannot be queued."""
    contradiction: Annotated[Contradiction, forms.choice(Contradiction)] = Contradiction.FAIL
    """What follows when an answer contradicts what its target declares."""


class JurisdictionTable(Table):
    """Where requests may go. What is left out asks for nothing."""

    processes: Names | None = None
    """Zones in which all processing has to lie."""
    stores: Names | None = None
    """Zones in which all that is kept has to lie."""
    operators: Words | None = None
    """Legal entities that may operate a target."""
    seats: Names | None = None
    """Zones in which the operator's legal seat has to lie."""
    transfers: list[Tool | None] | None = None
    """Transfer tools that will do."""
    retention: Keeping | None = None
    """Longest time for which content may be kept; zero data retention fulfils it."""
    zero_retention: Flag = False
    """Whether zero data retention has to be agreed."""
    subprocessors: Names | None = None
    """Zones in which the seats of all sub-processors have to lie."""
    subjects: SubjectsTable = SubjectsTable()
    """Whom it binds by itself."""
    deny: DenyTable = DenyTable()
    """What forbids whatever else allows."""
    obligations: ObligationsTable = ObligationsTable()
    """What is owed to those who are bound."""
    unserved: Annotated[Unserved, forms.choice(Unserved)] = Unserved.FAULT
    """A key that it binds has a route without any target that is allowed: a fault, or only a warning."""
