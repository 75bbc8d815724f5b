"""Quantities are read exactly, and a wrong unit is refused with a sentence that shows the right one."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.config import quantities as q
from surefoot.domain.route import When


@given(st.floats(min_value=1e-9, max_value=86_400, allow_nan=False))
def test_every_duration_is_read_back_as_it_was_shown(seconds: float) -> None:
    assert q.read_duration(q.show_duration(seconds)) == seconds


@given(st.floats(min_value=0, max_value=1, allow_nan=False))
def test_every_share_is_read_back_as_it_was_shown(share: float) -> None:
    assert q.read_share(q.show_share(share)) == share


@given(st.integers(min_value=1, max_value=2**40))
def test_every_size_is_read_back_as_it_was_shown(size: int) -> None:
    assert q.read_size(q.show_size(size)) == size


@given(st.integers(min_value=0, max_value=10**6), st.integers(min_value=0, max_value=10**6))
def test_every_range_of_tokens_is_read_back_as_it_was_shown(least: int, more: int) -> None:
    when = When(least, least + more)
    assert q.read_tokens(q.show_tokens(when)) == when


@given(st.decimals(min_value="0.01", max_value="900", places=2))
def test_a_price_per_thousand_tokens_is_a_thousand_times_that_per_million(price: Decimal) -> None:
    assert q.read_price(f"${price / 1000:f}/1k") == q.read_price(f"${price:f}/MTok")


@pytest.mark.parametrize(
    ("text", "seconds"), [("150ms", 0.15), ("2s", 2.0), ("1.5s", 1.5), ("5m", 300.0), ("1h", 3600.0), (" 2 s ", 2.0)]
)
def test_a_duration_is_read_in_its_unit(text: str, seconds: float) -> None:
    assert q.read_duration(text) == seconds


@pytest.mark.parametrize("value", [2, 1.5, "2", "2 sec", "-1s", "", True, "1e3s"])
def test_a_duration_without_a_known_unit_is_refused_and_shown_right(value: object) -> None:
    with pytest.raises(ValueError, match='"150ms", "2s", "5m" or "1h"'):
        q.read_duration(value)


@pytest.mark.parametrize(("value", "share"), [("5%", 0.05), (0.05, 0.05), (0, 0.0), (1, 1.0), ("12.5%", 0.125)])
def test_a_share_is_a_percentage_or_a_number_up_to_one(value: object, share: float) -> None:
    assert q.read_share(value) == share


@pytest.mark.parametrize("value", [5, 1.01, -0.1, "5", "0.05", True, float("nan")])
def test_an_ambiguous_share_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match='a percentage in quotes, "5%"'):
        q.read_share(value)


@pytest.mark.parametrize(("text", "size"), [("32MiB", 32 * 2**20), ("10MB", 10_000_000), ("64KiB", 65_536), ("9B", 9)])
def test_a_size_is_read_in_its_unit(text: str, size: int) -> None:
    assert q.read_size(text) == size


@pytest.mark.parametrize("value", [3, "3", "3 blocks", "0.5B"])
def test_a_size_without_a_known_unit_or_of_half_a_byte_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="a size"):
        q.read_size(value)


@pytest.mark.parametrize("value", ["0.25", 0.25, "$0.25", "$0.25/token", "€0.25/MTok", "$1/1M"])
def test_a_price_in_another_unit_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="dollars per million tokens"):
        q.read_price(value)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("<= 800", When(0, 800)),
        ("< 800", When(0, 799)),
        (">= 800", When(800)),
        ("> 1_000", When(1001)),
        ("10..20", When(10, 20)),
    ],
)
def test_a_range_of_tokens_includes_what_its_sign_says(text: str, when: When) -> None:
    assert q.read_tokens(text) == when


@pytest.mark.parametrize("value", ["about 3", 800, "20..10", "< 0", "== 3", "<= -1"])
def test_a_range_that_holds_for_nothing_or_is_none_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"range of tokens|holds for no prompt"):
        q.read_tokens(value)


@pytest.mark.parametrize("value", ["8080", ":8080", "127.0.0.1", "host:99999", "http://host:80", 8080])
def test_an_address_without_host_or_port_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"host and port|does not exist"):
        q.read_address(value)


@pytest.mark.parametrize("address", [("127.0.0.1", 80), ("::1", 0), ("surefoot.example.com", 443)])
def test_every_address_is_read_back_as_it_was_shown(address: tuple[str, int]) -> None:
    assert q.read_address(q.show_address(address)) == address
