"""The nouns: what they compute, what they default to, and that they cannot be changed."""

import msgspec
import pytest

from surefoot.domain.commands import Cancel, Deliver, Drop, Fail, Finish, Launch, Reason
from surefoot.domain.events import ClientGone, Connecting, Failed, Heard, Sent, Stopping
from surefoot.domain.features import ALL_FEATURES, NO_FEATURES, Feature, read, written
from surefoot.domain.front import ClientKey, Door, Listener
from surefoot.domain.outcome import OUTCOMES, Kind
from surefoot.domain.place import Place
from surefoot.domain.receipt import ReceiptOptions
from surefoot.domain.record import ATTEMPT_FIELDS, CALL_FIELDS, VERSION
from surefoot.domain.request import BUCKETS, Request, bucket_of
from surefoot.domain.route import Limits, Order, Route, Rung, When
from surefoot.domain.target import Endpoint, Target
from surefoot.domain.units import Count, Price, Seconds, Share

ENDPOINT = Endpoint("127.0.0.1", 1, tls=False, path="/v1")
TARGET = Target("a", "provider", "model", "openai-chat", ENDPOINT)
NOUNS = [
    Launch(0, "a", Reason.FIRST), Deliver(0), Cancel(0), Finish(), Fail(Kind.CUT), Drop(),
    Failed(0, Kind.CUT), Connecting(0), Sent(0), Heard(0), ClientGone(), Stopping(),
    Listener("127.0.0.1", 1), ClientKey("k", b""), Door(()), OUTCOMES[Kind.OK],
    Request("chat", stream=True, prompt_tokens=1), When(), Rung("a"), Limits(), Route("chat", (Rung("a"),)),
    ENDPOINT, TARGET, Price(1.0, 2.0),
]  # fmt: skip


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: type(noun).__name__)
def test_a_noun_is_frozen_and_slotted(noun: msgspec.Struct) -> None:
    assert not hasattr(noun, "__dict__")
    for field in noun.__struct_fields__:
        with pytest.raises(AttributeError):
            setattr(noun, field, None)


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: type(noun).__name__)
def test_a_noun_survives_the_wire_between_workers(noun: msgspec.Struct) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(noun), type=type(noun)) == noun


@pytest.mark.parametrize(
    ("when", "inside", "outside"),
    [
        (When(), [0, 10**9], []),
        (When(least=100), [100, 10**9], [0, 99]),
        (When(most=100), [0, 100], [101]),
        (When(100, 200), [100, 200], [99, 201]),
    ],
)
def test_a_condition_holds_between_its_bounds_both_included(when: When, inside: list[int], outside: list[int]) -> None:
    assert all(when.holds(tokens) for tokens in inside)
    assert not any(when.holds(tokens) for tokens in outside)


def test_a_price_is_per_million_tokens() -> None:
    assert Price(input=3.0, output=15.0).cost(1_000_000, 0) == 3.0
    assert Price(input=3.0, output=15.0).cost(0, 1_000_000) == 15.0
    assert Price(input=3.0, output=15.0).cost(1_000, 200) == pytest.approx(0.006)


def test_every_length_has_a_bucket_and_a_bound_belongs_to_the_shorter() -> None:
    assert [bucket_of(bound) for bound in BUCKETS] == list(range(len(BUCKETS)))
    assert bucket_of(BUCKETS[-1] + 1) == len(BUCKETS)


def test_records_name_each_column_once() -> None:
    assert len(set(CALL_FIELDS)) == len(CALL_FIELDS) == 20
    assert len(set(ATTEMPT_FIELDS)) == len(ATTEMPT_FIELDS) == 16
    assert VERSION == 3  # whoever changes a list changes this


@pytest.mark.parametrize(
    ("features", "text"),
    [
        (NO_FEATURES, ""),
        (frozenset({Feature.TOOLS, Feature.IMAGE}), "image,tools"),
        (ALL_FEATURES, "audio,file,image,json,tools"),
    ],
)
def test_features_are_written_in_one_order_and_read_again(features: frozenset[Feature], text: str) -> None:
    assert written(features) == text
    assert read(text) == features


def test_receipts_are_required_of_nobody_and_unsigned_unless_said() -> None:
    options = ReceiptOptions("chain")
    assert (options.key, options.required) == (None, False)


def test_defaults_allow_anywhere_and_everyone_nothing_unknown() -> None:
    assert Route("chat", (Rung("a"),)).order is Order.LISTED
    assert Route("chat", (Rung("a"),)).jurisdiction is None
    assert TARGET.place == Place()
    assert TARGET.price is None
    assert TARGET.window is None
    assert TARGET.features is None
    assert Request("chat", stream=True, prompt_tokens=1).features == NO_FEATURES
    assert TARGET.max_in_flight is None


@pytest.mark.parametrize(
    ("unit", "value"),
    [(Seconds, 0.0), (Seconds, -1.0), (Seconds, 90_000.0), (Share, -0.1), (Share, 1.1), (Count, 0)],
)
def test_a_quantity_out_of_its_range_is_refused(unit: type, value: float) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(value, unit)


@pytest.mark.parametrize("attempts", [0, 17])
def test_the_bound_on_attempts_has_bounds(attempts: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"attempts": attempts}, Limits)
