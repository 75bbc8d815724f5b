"""The latest samples: however they come, they are as many as asked for, and in order."""

from hypothesis import given
from hypothesis import strategies as st

from surefoot.policy.latest import Latest


@given(st.integers(1, 6), st.lists(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4]), max_size=9), max_size=6))
def test_it_holds_the_latest_and_the_same_in_order(most: int, batches: list[list[float]]) -> None:
    latest = Latest(most)
    for batch in batches:
        latest.extend(batch)

    came = [value for batch in batches for value in batch][-most:]
    assert list(latest) == came
    assert latest.ordered == sorted(came)
    assert len(latest) == len(came)
