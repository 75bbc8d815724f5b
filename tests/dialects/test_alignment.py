"""Where new text begins: overlaps are cut, chance likenesses are not, and nothing is held back longer than it must."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.dialects.alignment import LEAST, Alignment, Overlap, Repeat

FEW = st.text("ab ", max_size=40)
"""Of two letters and blanks: overlaps of every kind are frequent."""


def told(subject: Alignment, *texts: str) -> Alignment:
    for text in texts:
        subject.add(text)
    return subject


def longest(delivered: str, said: str) -> int:
    """The definition, as plainly as it can be written."""
    sizes = [size for size in range(1, min(len(delivered), len(said)) + 1) if len(said[:size].strip()) >= LEAST]
    return max((size for size in sizes if delivered.endswith(said[:size])), default=0)


@given(delivered=FEW, said=FEW, step=st.integers(1, 9))
def test_the_cut_is_the_longest_overlap_however_the_text_comes(delivered: str, said: str, step: int) -> None:
    subject = told(Overlap(delivered), *(said[at : at + step] for at in range(0, len(said), step)))
    subject.end()

    assert (subject.cut, subject.decided, subject.diverged) == (longest(delivered, said), True, False)


@given(delivered=FEW, said=FEW)
def test_text_is_held_exactly_while_a_longer_overlap_is_possible(delivered: str, said: str) -> None:
    subject = told(Overlap(delivered), said)

    ends = [end for end in (delivered[at:] for at in range(len(delivered))) if len(end.strip()) >= LEAST]
    assert subject.decided == (not ends or (bool(said) and not any(e.startswith(said) and e != said for e in ends)))


@pytest.mark.parametrize(
    ("said", "decided"),
    [
        ("ab", True),
        ("5", True),
        ("67 ab", True),
        ("4", True),
        (" ", True),
        ("3", False),
        ("4567 ab", True),
        ("23 4", False),
    ],
)
def test_a_place_too_near_the_end_keeps_nothing_waiting(said: str, *, decided: bool) -> None:
    assert told(Overlap("0123 4567 ab"), said).decided is decided


@pytest.mark.parametrize(
    ("delivered", "said", "cut"),
    [
        ("hel", "lo", 0),
        ("It weighs 15", "5 kg", 0),
        ("1234567", "1234567", 0),
        ("x12345678", "12345678", 8),
        ("x12345678", "123456789", 8),
        ("The capital of France", "The capital of France is Paris.", 21),
        ("The capital of France", "capital of France is Paris.", 17),
        ("The capital of France", " is Paris.", 0),
        ("def f():\n        ", "        return", 0),
        ("            if a", "            if b", 0),
        ("  12345678  ", "12345678   9", 10),
        ("ha ha ha ha ha ha ", "ha ha ha ", 9),
        ("a \U0001f600 \U0001f600 \U0001f600 \U0001f600 b", "\U0001f600 \U0001f600 \U0001f600 b!", 0),
        ("a \U0001f600 \U0001f600 \U0001f600 \U0001f600 b", "\U0001f600 \U0001f600 \U0001f600 \U0001f600 b!", 9),
    ],
)
def test_only_what_is_long_enough_and_at_the_end_counts_as_repeated(delivered: str, said: str, cut: int) -> None:
    subject = told(Overlap(delivered), said)
    subject.end()

    assert subject.cut == cut


@given(delivered=FEW, more=FEW, step=st.integers(1, 9))
def test_a_repeat_leaves_out_exactly_what_was_delivered(delivered: str, more: str, step: int) -> None:
    said = delivered + more
    subject = told(Repeat(delivered), *(said[at : at + step] for at in range(0, len(said), step)))
    subject.end()

    assert (subject.cut, subject.decided, subject.diverged) == (len(delivered), True, False)


@given(delivered=st.text("ab", min_size=1, max_size=20), place=st.integers(0, 19), step=st.integers(1, 9))
def test_a_repeat_diverges_at_the_first_difference(delivered: str, place: int, step: int) -> None:
    place %= len(delivered)
    said = delivered[:place] + "c" + delivered[place:]
    subject = Repeat(delivered)

    for at in range(0, len(said), step):
        assert not subject.diverged
        subject.add(said[at : at + step])
        if at + step > place:
            break

    assert (subject.diverged, subject.decided) == (True, False)


@pytest.mark.parametrize("said", ["", "a", "a b"])
def test_a_repeat_that_ends_early_has_diverged(said: str) -> None:
    subject = told(Repeat("a b c"), said)
    assert not subject.diverged

    subject.end()

    assert subject.diverged


@pytest.mark.parametrize("said", ["a  b", "a\nb", " a b", "A b"])
def test_a_repeat_is_compared_to_the_letter(said: str) -> None:
    assert told(Repeat("a b"), said).diverged
