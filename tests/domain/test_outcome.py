"""The one table of outcomes: whole, and free of contradictions."""

import pytest

from surefoot.domain.outcome import OUTCOMES, Fallback, Kind

ROWS = list(OUTCOMES.items())


def test_every_kind_has_its_row_in_the_order_of_the_kinds() -> None:
    assert list(OUTCOMES) == list(Kind)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_says_in_words_what_it_means(kind: Kind) -> None:
    assert OUTCOMES[kind].meaning


def test_no_two_kinds_mean_the_same() -> None:
    assert len({row.meaning for row in OUTCOMES.values()}) == len(OUTCOMES)


def test_what_deserves_a_repeat_falls_back_first() -> None:
    assert [kind for kind, row in ROWS if row.retry and not row.fall_back] == []


def test_what_falls_back_anywhere_is_blamed_and_counted() -> None:
    blameless = [kind for kind, row in ROWS if row.fall_back is Fallback.ANY and not (row.blame and row.counted)]
    # the gateway's own want, where a warm connection elsewhere may still serve; an answer that is none the
    # worse; and one whose target is suspended, which no breaker would heal
    assert blameless == [Kind.DIVERGED, Kind.CONTRADICTED, Kind.NO_ROOM]


def test_a_prompt_too_long_goes_to_a_larger_window_and_a_filtered_one_where_the_route_allows_it() -> None:
    some = {kind: row.fall_back for kind, row in ROWS if row.fall_back not in {Fallback.ANY, Fallback.NEVER}}
    assert some == {
        Kind.CONTENT_FILTER: Fallback.OTHER_MODEL,
        Kind.CONTEXT_OVERFLOW: Fallback.LARGER_WINDOW,
    }
    assert not any(OUTCOMES[kind].retry or OUTCOMES[kind].blame for kind in some)


def test_what_this_account_may_not_do_is_not_repeated() -> None:
    assert not any(OUTCOMES[kind].retry for kind in (Kind.RATE_LIMIT, Kind.QUOTA, Kind.AUTH, Kind.MODEL_GONE))


def test_a_wrong_request_is_nobody_elses_fault_and_asked_nowhere_else() -> None:
    row = OUTCOMES[Kind.BAD_REQUEST]
    assert not any((row.retry, row.fall_back, row.blame, row.counted))


def test_losing_late_is_blamed_and_losing_in_time_is_not() -> None:
    assert OUTCOMES[Kind.OVERTAKEN].blame
    assert not OUTCOMES[Kind.CANCELLED].blame
    assert OUTCOMES[Kind.OVERTAKEN].billed
    assert OUTCOMES[Kind.CANCELLED].billed


def test_success_costs_money_and_is_no_failure() -> None:
    row = OUTCOMES[Kind.OK]
    assert row.billed
    assert not any((row.blame, row.counted))
