"""The shape of the configuration file: its tables and keys, with forms, defaults and descriptions.

`docs/reference/configuration.md` is generated from here. Knows what each table looks like on its own; what must
hold between tables is in `targets`, `routes` and `door`. Must never read a file or the environment.
"""

from typing import Annotated, Self

from pydantic import model_validator

from surefoot.config import forms
from surefoot.config.forms import Bounds, quantity
from surefoot.config.options import OF_STRUCT, form_of
from surefoot.config.places import JurisdictionTable, PlaceTable, ZoneTable
from surefoot.config.table import File, Flag, Label, Seconds, Table, Text
from surefoot.domain.front import NO_LIMITS, Door, Idempotency, KeyLimits
from surefoot.domain.receipt import ReceiptOptions
from surefoot.domain.route import Filtered, Limits, Order, Resume, Route, Watch, When
from surefoot.domain.target import Continues, Target
from surefoot.policy.options import PolicyOptions

Address = Annotated[tuple[str, int], forms.ADDRESS]
Price = Annotated[float, forms.PRICE]
Window = Annotated[int, quantity("count", Bounds(ge=1, le=100_000_000))]
KIB = 1024

_DOOR = Door(())
_ROUTE = Route("", ())
_RECEIPTS = ReceiptOptions("surefoot-receipts.jsonl")


class TlsTable(Table):
    """The certificate that a listener shows; paths are relative to this file."""

    certificate: File
    """PEM file with the certificate and its chain."""
    key: File
    """PEM file with the private key."""


class ListenerTable(Table):
    """An address that clients connect to. Without any, one at the default address."""

    address: Address = ("127.0.0.1", 8080)
    """Any address but loopback needs `[[keys]]`."""
    tls: TlsTable | None = None
    """Speak TLS; without it, plain HTTP."""


class GatewayTable(Table):
    """What the gateway allows its clients."""

    body_limit: Annotated[int, quantity("size", Bounds(ge=KIB, le=KIB**3))] = _DOOR.body_limit
    """Largest request body."""
    header_limit: Annotated[int, quantity("size", Bounds(ge=KIB, le=KIB**2))] = _DOOR.header_limit
    """Largest request head."""
    read_timeout: Seconds = _DOOR.read_timeout
    """Time that a client may take to send one whole request."""
    idle_timeout: Seconds = _DOOR.idle_timeout
    """Time that a connection may stay open between requests."""
    drain: Seconds = _DOOR.drain
    """Time that calls in flight are given when the gateway stops."""
    keys_file: File | None = None
    """Where `surefoot keys` keeps client keys, as hashes; a change is in force within a second."""
    trace: File | None = None
    """File to record what the policy is told, call by call, for replaying it; never any text of a prompt."""
    idempotency: Annotated[Idempotency, OF_STRUCT] = _DOOR.idempotency
    """Answers that are kept for retries."""


class AdminTable(Table):
    """The admin application: health, status and metrics. It asks for no key: keep it on loopback."""

    address: Address = ("127.0.0.1", 8081)
    """Its own port, apart from the listeners."""


class JournalTable(Table):
    """The record of every call and attempt."""

    path: File = "surefoot.db"
    """SQLite file."""
    enabled: Flag = True
    """False keeps no journal."""


class ProcessingTable(Table):
    """What the record of processing activities (GDPR, Art. 30) says besides; what is missing is printed as unknown."""

    role: Text | None = None
    """In whose role the gateway is run: `controller` or `processor`."""
    controller: Text | None = None
    """Name of the controller; of a processor, on whose behalf it processes."""
    contact: Text | None = None
    """How to reach them."""
    representative: Text | None = None
    """Their representative in the Union."""
    officer: Text | None = None
    """Their data protection officer."""
    purposes: list[Text | None] = []
    """Purposes of the processing."""
    subjects: list[Text | None] = []
    """Categories of the people whom the data is about."""
    data: list[Text | None] = []
    """Categories of personal data."""
    retention: Text | None = None
    """When the data is erased."""
    security: Text | None = None
    """Technical and organisational measures, in general."""


class ReceiptsTable(Table):
    """Receipts: one for each attempt, in a chain that shows any change of it. Without this table none are kept."""

    path: File = _RECEIPTS.path
    """The chain."""
    key: File | None = None
    """Private key that signs checkpoints: `surefoot receipts init` makes one. Without it there are no checkpoints."""
    required: Flag = _RECEIPTS.required
    """Refuse a call (503) whose receipts cannot be queued, whatever its jurisdiction."""
    room: Annotated[int, form_of(ReceiptOptions, "room")] = _RECEIPTS.room
    """Most calls whose receipts are owed and not yet on the disk, those under way included."""
    checkpoint_every: Annotated[int, form_of(ReceiptOptions, "every")] = _RECEIPTS.every
    """Receipts after which a checkpoint is made."""
    checkpoint_period: Annotated[float, form_of(ReceiptOptions, "period")] = _RECEIPTS.period
    """Time after which one is made, if there were any."""
    processing: ProcessingTable = ProcessingTable()
    """What `surefoot receipts export` prints besides."""


class SecretTable(Table):
    """Where a secret is; never the secret itself. Exactly one of the two."""

    env: Text | None = None
    """Environment variable that holds it."""
    file: File | None = None
    """File that holds it and nothing else."""

    @model_validator(mode="before")
    @classmethod
    def _never_inline(cls, value: object) -> object:
        if isinstance(value, str):
            sentence = 'say where the secret is, not the secret itself: { env = "NAME" } or { file = "PATH" }'
            raise ValueError(sentence)  # noqa: TRY004 - pydantic collects ValueError
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("needs exactly one of `env` and `file`")
        return self


class KeyTable(SecretTable):
    """A key that clients show, as `Authorization: Bearer`; at least 16 characters."""

    name: Label
    """Names the client in the journal."""
    drill: Flag = False
    """A canary key: calls under it are drilled calls, and are refused while no drill is on."""
    tenant: Label | None = None
    """On whose behalf it calls."""
    routes: list[Label | None] | None = None
    """Routes that it may ask for; all unless said."""
    jurisdictions: list[Label | None] = []
    """Jurisdictions that bind all its calls."""
    classes: list[Label | None] = []
    """Classes of data that all its calls are taken to carry."""
    regions: list[Label | None] = []
    """Zones in which the people live whom the data of all its calls is about."""
    limits: Annotated[KeyLimits, OF_STRUCT] = NO_LIMITS
    """What it may take, over the whole gateway."""


class PriceTable(Table):
    """What the provider charges, in US dollars: `"$0.25/MTok"`, or per thousand tokens `"$0.00025/1k"`."""

    input: Price
    """For tokens of the prompt."""
    output: Price
    """For tokens of the answer."""


class TargetTable(Table):
    """A target: one model, at one endpoint, in one place, under one account."""

    provider: Text
    """Profile to start from; see the list of providers below."""
    model: Text
    """The provider's name of the model."""
    base_url: Text | None = None
    """Where the API is; needed when the profile has none."""
    dialect: Text | None = None
    """The API it speaks; the profile's unless said otherwise."""
    place: PlaceTable | None = None
    """Where and by whom it processes; a zone alone, `place = "EU"`, says where it processes."""
    domains: dict[str, Label] = {}
    """Failure domains that it shares with others: `cloud`, `region`, `cdn`."""
    window: Window | None = None
    """Context window in tokens, prompt and answer together."""
    features: list[Text | None] | None = None
    """What it can do beside text: `tools`, `image`, `audio`, `file`, `json`. A request that needs more is not sent to
    it. Unless said it is unknown, and may be asked for anything."""
    price: PriceTable | None = None
    """Unknown is not zero."""
    key: SecretTable | None = None
    """The provider's credential."""
    ca: File | None = None
    """PEM file of certificate authorities to trust instead of the system's."""
    headers: dict[str, Text] = {}
    """Constant headers of every request; never a credential."""
    max_in_flight: Annotated[int, form_of(Target, "max_in_flight")] | None = None
    """Most attempts under way at once, over the whole gateway."""
    continues: Annotated[Continues, forms.choice(Continues)] | None = None
    """How it continues an answer that broke off elsewhere; the profile's way unless said otherwise."""
    text: Text | None = None
    """The answer of a target whose provider is `static`: given, and marked, when every other target has failed."""


class WhenTable(Table):
    """When a target of a route is used."""

    prompt_tokens: Annotated[When, forms.TOKENS]
    """Estimated length of the prompt."""


class RungTable(Table):
    """One target of a route, or all targets of another route. Text alone names a target."""

    target: Text | None = None
    """A target."""
    route: Text | None = None
    """Another route, whose targets stand here in its order."""
    when: WhenTable | None = None
    """Only for these calls."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"target": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.target is None) == (self.route is None):
            raise ValueError("needs exactly one of `target` and `route`")
        return self


class RouteTable(Table):
    """A route: what clients ask for as `model`."""

    @model_validator(mode="before")
    @classmethod
    def _no_places(cls, value: object) -> object:
        if isinstance(value, dict) and "places" in value:
            sentence = '`places` is no key any more: write a table [jurisdiction.NAME] with processes = ["EU"]'
            raise ValueError(f'{sentence}, and jurisdiction = "NAME" here')
        return value

    targets: list[RungTable | None]
    """Who may answer, best first."""
    order: Annotated[Order, forms.choice(Order)] = _ROUTE.order
    """How the eligible targets are ordered."""
    jurisdiction: Label | None = None
    """A `[jurisdiction.NAME]` that binds all its calls; unless said it is `"anywhere"`, which binds nothing."""
    limits: Annotated[Limits, OF_STRUCT] = Limits()
    """Slices of the deadline, and the bound on attempts."""
    hedge: Annotated[float, form_of(Route, "hedge")] = _ROUTE.hedge
    """Attempts beside a live one, and repeats on one target, as a share of calls; `"0%"` turns both off."""
    resume: Annotated[Resume, forms.choice(Resume)] = _ROUTE.resume
    """Continue a text that broke off on another target; never tool calls, structured output or several answers."""
    resume_prompt: Text = _ROUTE.resume_prompt
    """What a target is asked that continues by `"prompt"`."""
    watch: Annotated[Watch, forms.choice(Watch)] = _ROUTE.watch
    """Stream plain calls upstream, so that silence and stalls are seen in seconds; off where the request forbids it."""
    filtered: Annotated[Filtered, forms.choice(Filtered)] = _ROUTE.filtered
    """After a content filter has refused: fail, or ask another model."""
    exercise: Annotated[float, form_of(Route, "exercise")] = _ROUTE.exercise
    """Calls that begin at a fallback, so that it is known to work; `"1%"` is plenty."""


class FileTable(Table):
    """The whole file."""

    listeners: list[ListenerTable | None] = []
    gateway: GatewayTable = GatewayTable()
    admin: AdminTable = AdminTable()
    journal: JournalTable = JournalTable()
    receipts: ReceiptsTable | None = None
    keys: list[KeyTable | None] = []
    zones: dict[str, ZoneTable] = {}
    jurisdiction: dict[str, JurisdictionTable] = {}
    targets: dict[str, TargetTable] = {}
    routes: dict[str, RouteTable] = {}
    policy: Annotated[PolicyOptions, OF_STRUCT] = PolicyOptions()
