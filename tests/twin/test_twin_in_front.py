"""A twin in front of a provider: what no fault strikes is handed on; a fault breaks an answer that is not its own."""

import asyncio
from collections.abc import Callable

import pytest

from surefoot.load import CallResult, LoadPlan, run_load
from surefoot.twin import Behaviour, Fault, Fixed, Twin, TwinOptions
from surefoot.twin.forward import Real
from surefoot.twin.log import fingerprint

SECRET = "Bearer sk-that-passes-through"
WHOLE = 8


def asked(
    fault: Fault | None, *, stream: bool = True, look: Callable[[Twin, Twin], object] | None = None
) -> CallResult:
    """One call through a twin in front of another one that stands for the provider."""

    async def story() -> CallResult:
        behaviour = Behaviour(tokens=Fixed(WHOLE), gap=Fixed(0.005))
        async with Twin(behaviour) as provider:
            options = TwinOptions(real=Real("127.0.0.1", provider.port, tls=False))
            async with Twin(options=options) as front:
                if fault is not None:
                    front.set_faults(fault)
                headers = {"authorization": SECRET}
                plan = LoadPlan(url=front.url, rate=10, count=1, stream=stream, headers=headers, timeout=1.5)
                (result,) = (await run_load(plan)).results
                if look is not None:
                    look(front, provider)
                return result

    return asyncio.run(story())


@pytest.mark.parametrize("stream", [True, False])
def test_what_no_fault_strikes_is_handed_on_whole_with_its_credential(*, stream: bool) -> None:
    def look(front: Twin, provider: Twin) -> None:
        (record,) = provider.log
        assert record.authorization_sha256 == fingerprint(SECRET.encode())
        assert [one.fault for one in front.log] == [None]

    result = asked(None, stream=stream, look=look)
    assert (result.ok, result.tokens, result.done) == (True, WHOLE, stream)


@pytest.mark.parametrize("kind", ["status:500", "reset", "silence"])
def test_a_fault_before_the_answer_spares_the_provider(kind: str) -> None:
    def look(front: Twin, provider: Twin) -> None:
        assert len(provider.log) == 0
        assert [one.fault for one in front.log] == [kind]

    assert not asked(Fault(kind), look=look).ok


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        (Fault("cut"), "disconnected"),
        (Fault("cut", cut_by="reset"), "reset"),
        (Fault("stall"), "timeout"),
        (Fault("truncate"), "truncated"),
        (Fault("done_unfinished"), "truncated"),
        (Fault("error_later"), "error_event"),
    ],
)
def test_a_fault_after_three_tokens_breaks_the_providers_answer_there(fault: Fault, failure: str) -> None:
    def look(front: Twin, provider: Twin) -> None:
        assert [(one.fault, one.content_tokens) for one in front.log] == [(fault.kind, 3)]
        assert len(provider.log) == 1

    result = asked(fault, look=look)
    assert (result.failure, result.first_content is not None) == (failure, True)


def test_an_answer_that_ends_before_the_fault_was_not_struck() -> None:
    def look(front: Twin, _: Twin) -> None:
        assert [one.fault for one in front.log] == [None]

    assert asked(Fault("cut", after_tokens=100), look=look).ok


def test_half_of_a_plain_answer_is_handed_on_as_if_whole() -> None:
    assert asked(Fault("truncate"), stream=False).failure == "not_json"


def test_a_late_start_is_the_providers_answer_later() -> None:
    result = asked(Fault("slow_first_token", seconds=0.3))
    assert result.ok
    assert (result.ttft or 0) >= 0.3


def test_a_provider_that_is_not_there_is_told_as_a_reset() -> None:
    async def story() -> CallResult:
        async with Twin() as gone:
            port = gone.port
        async with Twin(options=TwinOptions(real=Real("127.0.0.1", port, tls=False))) as front:
            (result,) = (await run_load(LoadPlan(url=front.url, rate=10, count=1, timeout=1.5))).results
            return result

    assert asyncio.run(story()).failure in {"reset", "disconnected"}
