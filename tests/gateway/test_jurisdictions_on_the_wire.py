"""What binds a request, on the wire: headers that only narrow, a 403 that says why, and targets that hear nothing."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from msgspec.structs import replace
from tests.gateway.answering import Answering
from tests.gateway.house import CALM, House, settings_of, targets_at, until
from tests.gateway.raw import Answer, body_of, exchange, post, read
from tests.gateway.resending import keyed, mark, sent

from surefoot.domain.front import ClientKey
from surefoot.domain.jurisdiction import Applied, Constraints, Deny, Jurisdiction, Obligations, Subjects
from surefoot.domain.place import Place, Zone
from surefoot.domain.route import Route
from surefoot.gateway.binder import Binder
from surefoot.gateway.channel import Settings
from surefoot.policy.jurisdictions import Jurisdictions
from surefoot.policy.zones import Zones
from surefoot.twin import HEALTHY
from surefoot.twin.behaviour import Behaviour, Fixed
from surefoot.twin.process import TwinProcess
from surefoot.twin.server import TwinOptions

EU, US = frozenset({"DE", "FR"}), frozenset({"US"})
ZONES = {
    "WORLD": Zone(EU | US, EU | US),
    "EU": Zone(EU, EU),
    "US": Zone(US, US),
    "DE": Zone(frozenset({"DE"}), frozenset({"DE"})),
}
JURISDICTIONS = (
    Jurisdiction("eu", constraints=Constraints(processes=("EU",))),
    Jurisdiction("health", Subjects(classes=("health",), regions=("DE",)), Constraints(zero_retention=True)),
    Jurisdiction("passing", obligations=Obligations(keep=False)),
    Jurisdiction("elsewhere", deny=Deny(processes=("US",))),
)


def test_a_key_that_is_made_anew_under_the_same_name_is_bound_anew() -> None:
    binder = Binder(Jurisdictions(Zones(ZONES), JURISDICTIONS))
    bound_by = [
        binder.applied(ClientKey("app", b"", jurisdictions=names), Route("chat", ()), {})
        for names in ((), ("eu",), ("passing",))
    ]
    assert [applied.name for applied in bound_by if isinstance(applied, Applied)] == ["anywhere", "eu", "passing"]


class Listening:
    """A target that is only there to be left alone: it counts who connects."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]

    def connections(self) -> int:
        """Connections that the kernel has taken for it."""
        count = 0
        while True:
            try:
                self.socket.accept()[0].close()
            except BlockingIOError:
                return count
            count += 1


@contextmanager
def listening() -> Iterator[Listening]:
    target = Listening()
    with target.socket:
        yield target


def bound(settings: Settings, *places: Place | None, key: tuple[str, ...] = ()) -> Settings:
    """These settings with places for the targets, and jurisdictions for the key."""
    targets = tuple(
        replace(target, place=place or Place()) for target, place in zip(settings.targets, places, strict=True)
    )
    keys = tuple(replace(one, jurisdictions=key) for one in settings.door.keys)
    door = replace(settings.door, keys=keys)
    return replace(settings, targets=targets, door=door, zones=ZONES, jurisdictions=JURISDICTIONS)


def ask(house: House, *headers: str, stream: bool = False) -> Answer:
    return exchange(house.port, post(body_of(stream=stream), *headers))


@pytest.fixture(scope="module")
def started(started_unhurried: TwinProcess) -> Iterator[House]:
    """One target in Germany, one in the US, one that says nothing."""
    ports = (started_unhurried.port,) * 3
    settings = settings_of(targets_at(*ports), options=CALM)
    with House(bound(settings, Place(("US",)), Place(("DE",)), None)) as house:
        yield house


@pytest.mark.parametrize(
    ("headers", "target"),
    [
        ((), b"primary"),
        (("surefoot-place: EU",), b"backup"),
        (("surefoot-place: eu, us",), b"primary"),
        (("surefoot-place: WORLD",), b"primary"),
        (("surefoot-jurisdiction: eu",), b"backup"),
        (("surefoot-jurisdiction: anywhere",), b"primary"),
        (("surefoot-jurisdiction: eu", "surefoot-place: WORLD"), b"backup"),
    ],
)
def test_a_header_narrows_where_a_call_may_go(started: House, headers: tuple[str, ...], target: bytes) -> None:
    answer = ask(started, *headers)
    assert answer.status == 200
    assert b"surefoot-target: " + target in answer.head


@pytest.mark.parametrize(
    ("header", "code", "words"),
    [
        ("surefoot-place: EUU", "unknown_place", "names 'EUU', which is not known here. Known: DE, EU, US, WORLD."),
        ("surefoot-place: EU, mars", "unknown_place", "'mars'"),
        ("surefoot-jurisdiction: EU", "unknown_jurisdiction", "Known: anywhere, elsewhere, eu, health, passing."),
        ("surefoot-data-class: helth", "unknown_data_class", "Known: health."),
        ("surefoot-data-region: Yurop", "unknown_data_region", "Known: DE"),
        ("surefoot-place: EU,,US", "invalid_place", "surefoot-place"),
    ],
)
def test_a_name_that_nobody_knows_is_refused_and_not_ignored(
    started: House, header: str, code: str, words: str
) -> None:
    answer = ask(started, header)
    assert (answer.status, answer.code) == (400, code)
    assert words in answer.json["error"]["message"]


def test_what_narrows_must_not_be_said_twice(started: House) -> None:
    answer = ask(started, "surefoot-place: EU", "surefoot-place: US")
    assert (answer.status, answer.code) == (400, "repeated_header")


@pytest.mark.parametrize(
    "header", ["surefoot-data-class: health", "surefoot-data-region: DE", "surefoot-data-region: eu"]
)
def test_where_nobody_is_allowed_the_answer_says_by_what_and_why_for_each_target(started: House, header: str) -> None:
    answer = ask(started, header, "surefoot-place: US")
    assert (answer.status, answer.code) == (403, "not_allowed")
    message = answer.json["error"]["message"]
    assert "It is bound by health+place:US." in message
    for target in ("primary", "backup", "third"):
        assert f"{target}: health: zero data retention is not declared" in message
    assert b"x-should-retry" not in answer.head


NO = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
FAULTS = ("status:503", "reset", "silence", "cut", "stall", "empty")


@pytest.mark.parametrize("key", [(), ("eu",)])
def test_a_target_outside_is_never_even_connected_to_however_the_others_fail(key: tuple[str, ...]) -> None:
    """Hedges, resumes, exercise, warm connections and fallbacks are on; the one in the US is the only healthy one."""
    behaviour = Behaviour(ttft=Fixed(0.01), tokens=Fixed(20), rate=Fixed(400.0))
    with listening() as outside, TwinProcess(TwinOptions(behaviour=behaviour)) as twin:
        targets = targets_at(outside.port, twin.port)
        jurisdiction = None if key else "eu"
        settings = settings_of(targets, hedge=1.0, exercise=0.1, jurisdiction=jurisdiction)
        with House(bound(settings, Place(("US",)), Place(("DE",)), key=key)) as house:
            for fault in FAULTS:
                twin.set_faults(fault)
                for stream in (False, True):
                    assert b"surefoot-target: primary" not in ask(house, "surefoot-deadline: 700", stream=stream).head
            twin.set_faults(HEALTHY)
            until(lambda: len(house.reports) > 2)  # the worker has swept, and kept warm what it keeps warm
            assert ask(house).status == 200
            assert twin.log()
        assert outside.connections() == 0


def test_without_anything_that_binds_the_first_target_is_kept_warm() -> None:
    """The test above could not fail if nobody ever connected before a call."""
    with listening() as outside:
        settings = settings_of(targets_at(outside.port))
        with House(bound(settings, Place(("US",)))):
            assert until(outside.connections)


@pytest.mark.parametrize(
    ("key", "headers", "handed"),
    [
        ((), (), None),
        (("eu",), (), b"EU"),
        (("eu",), ("surefoot-place: DE, US",), b"DE"),
        ((), ("surefoot-place: US, EU",), b"WORLD"),
        (("elsewhere",), (), b"EU"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_another_surefoot_is_bound_to_the_same_zones(
    key: tuple[str, ...],
    headers: tuple[str, ...],
    handed: bytes | None,
    stream: bool,  # noqa: FBT001
) -> None:
    with Answering(NO) as provider:
        (target,) = targets_at(provider.port)
        behind = replace(target, deadline_header="surefoot-deadline", place_header="surefoot-place")
        with House(bound(settings_of([behind]), Place(("DE",)), key=key)) as house:
            ask(house, *headers, stream=stream)
            asked = until(lambda: provider.asked)[0]
    lines = asked.lower().split(b"\r\n")
    found = [line.partition(b": ")[2].upper() for line in lines if line.startswith(b"surefoot-place: ")]
    assert found == ([] if handed is None else [handed])


@pytest.mark.parametrize(("header", "kept"), [((), "replayed"), (("surefoot-jurisdiction: passing",), None)])
def test_an_answer_is_kept_for_retries_only_where_that_is_allowed(
    started: House, header: tuple[str, ...], kept: str | None
) -> None:
    request = keyed(f"kept-{kept}", *header)
    assert mark(exchange(started.port, request)) is None
    assert mark(exchange(started.port, request)) == kept


def test_what_must_not_be_kept_may_be_joined_while_it_is_under_way(started: House) -> None:
    request = keyed("joined", "surefoot-jurisdiction: passing", stream=True)
    with sent(started, request) as first, sent(started, request) as second:
        marks = {mark(read(first)), mark(read(second))}
    assert marks == {None, "joined"}
    assert mark(exchange(started.port, request)) is None


def test_a_key_stands_for_a_request_and_all_that_binds_it(started: House) -> None:
    assert exchange(started.port, keyed("bound")).status == 200
    for header in ("surefoot-jurisdiction: eu", "surefoot-data-class: health", "surefoot-data-region: DE"):
        answer = exchange(started.port, keyed("bound", header))
        assert (answer.status, answer.code) == (422, "idempotency_key_reused")
