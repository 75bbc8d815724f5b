"""The answers that are kept for retries, on a clock that the test moves: what is held, and what is let go first."""

from surefoot.domain.front import Idempotency
from surefoot.gateway.answers import Answers
from surefoot.gateway.shared import Shared
from surefoot.wire.server import Incoming

KIB = 1024


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def answers_of(options: Idempotency, workers: int = 1) -> tuple[Answers, Clock]:
    clock = Clock()
    return Answers(options, workers, clock), clock


def begun(answers: Answers, scope: bytes, size: int = 0) -> Shared:
    shared = answers.begin(scope, b"f", Incoming())
    assert shared is not None
    if size:
        shared.start(200, b"", b"x" * size)
    return shared


def ended(answers: Answers, scope: bytes, size: int = 10) -> Shared:
    shared = begun(answers, scope, size)
    shared.finish()
    return shared


def test_an_answer_is_found_from_its_beginning_until_the_window_after_its_end_is_over() -> None:
    answers, clock = answers_of(Idempotency(window=10.0))
    shared = begun(answers, b"a", 10)
    clock.at += 1000.0
    assert answers.find(b"a") is shared
    shared.finish()
    clock.at += 9.9
    assert answers.find(b"a") is shared
    clock.at += 0.1
    assert answers.find(b"a") is None
    assert (len(answers), answers.memory) == (0, 0)


def test_of_too_many_answers_the_one_that_ended_longest_ago_goes_first() -> None:
    answers, _ = answers_of(Idempotency(keys=3))
    slow = begun(answers, b"slow")
    ended(answers, b"one")
    ended(answers, b"two")
    ended(answers, b"three")
    assert [answers.find(scope) is None for scope in (b"slow", b"one", b"two", b"three")] == [False, True, False, False]
    slow.start(200, b"", b"x")
    slow.finish()
    ended(answers, b"four")
    assert answers.find(b"two") is None
    assert answers.find(b"slow") is slow


def test_answers_under_way_are_never_let_go_for_others_and_a_new_key_is_not_held_when_there_are_no_others() -> None:
    answers, _ = answers_of(Idempotency(keys=2))
    held = [begun(answers, b"one"), begun(answers, b"two")]
    assert answers.begin(b"three", b"f", Incoming()) is None
    assert answers.counts["not_kept_full"] == 1
    assert [answers.find(b"one"), answers.find(b"two")] == held


def test_memory_is_bounded_and_the_one_that_ended_longest_ago_makes_room() -> None:
    answers, _ = answers_of(Idempotency(memory=10 * KIB, answer=8 * KIB))
    for scope in (b"one", b"two", b"three"):
        ended(answers, scope, 3 * KIB)
    ended(answers, b"four", 3 * KIB)
    assert answers.find(b"one") is None
    assert answers.find(b"two") is not None
    assert answers.memory <= 10 * KIB


def test_an_answer_that_becomes_too_long_is_held_no_longer_and_frees_what_it_took() -> None:
    answers, _ = answers_of(Idempotency(memory=10 * KIB, answer=4 * KIB))
    shared = begun(answers, b"one", 3 * KIB)
    assert answers.memory > 3 * KIB
    shared.write(b"x" * 2 * KIB)
    assert answers.find(b"one") is None
    assert answers.memory == 0
    assert answers.counts["not_kept_long"] == 1
    shared.finish()
    assert (len(answers), answers.memory) == (0, 0)


def test_when_all_memory_is_taken_by_answers_under_way_the_one_that_grows_is_held_no_longer() -> None:
    answers, _ = answers_of(Idempotency(memory=10 * KIB, answer=8 * KIB))
    first, second = begun(answers, b"one", 6 * KIB), begun(answers, b"two", 3 * KIB)
    second.write(b"x" * 3 * KIB)
    assert answers.find(b"one") is first
    assert answers.find(b"two") is None


def test_each_worker_holds_its_share() -> None:
    answers, _ = answers_of(Idempotency(keys=3, memory=8 * KIB, answer=8 * KIB), workers=2)
    begun(answers, b"one")
    begun(answers, b"two")
    assert answers.begin(b"three", b"f", Incoming()) is None
    ended(answers_of(Idempotency(memory=8 * KIB), workers=2)[0], b"a", 3 * KIB)
    longer = begun(answers_of(Idempotency(memory=8 * KIB), workers=2)[0], b"b", 5 * KIB)
    assert not longer.kept


def test_a_failed_answer_is_not_held() -> None:
    answers, _ = answers_of(Idempotency())
    begun(answers, b"stream", 10).break_off(b"error")
    begun(answers, b"plain").answer(503, b"{}")
    assert (len(answers), answers.memory) == (0, 0)
