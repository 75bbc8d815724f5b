"""Targets whose own answers contradict what is declared of them, on the wire: streamed, plain, watched and resumed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
from tests.gateway.conftest import TOKENS, Pair
from tests.gateway.house import BRISK, House, settings_of, targets_at, until
from tests.gateway.raw import Answer, chat, exchange

from surefoot.config.faults import Faults
from surefoot.config.zones import ZoneReader
from surefoot.domain.outcome import Kind
from surefoot.domain.place import Confirmation, Fact, Place
from surefoot.domain.route import Resume, Watch
from surefoot.gateway.channel import Drill, Hear, Settings
from surefoot.policy.target_state import Readmitted, Suspended
from surefoot.twin import Behaviour, Fault, Fixed, TwinOptions, TwinProcess

MEANS = {"sweden central": "SE", "east us": "US", "us": "US", "global": "WORLD"}
REGION = Confirmation(Fact.PROCESSES, header="x-ms-region", means=MEANS)
GEO = Confirmation(Fact.PROCESSES, body=("usage", "inference_geo"), means=MEANS)
MODEL = Confirmation(Fact.MODEL, body=("model",))
WAYS = {"streamed": (True, Watch.AUTO), "plain": (False, Watch.OFF), "watched": (False, Watch.AUTO)}
SE, US = "Sweden Central", "East US"


@contextmanager
def saying(header: str | None = None, model: str | None = None, geo: str | None = None) -> Iterator[TwinProcess]:
    """A twin that says so of itself."""
    behaviour = Behaviour(
        rate=Fixed(400.0),
        tokens=Fixed(TOKENS),
        headers={} if header is None else {"x-ms-region": header},
        model=model,
        usage={} if geo is None else {"inference_geo": geo},
    )
    with TwinProcess(TwinOptions(behaviour=behaviour)) as twin:
        yield twin


def in_the_world(settings: Settings) -> Settings:
    """With the zones that ship, as every configuration has them."""
    return msgspec.structs.replace(settings, zones=ZoneReader({}, Faults()).read())


@contextmanager
def before(
    liar: TwinProcess, honest: TwinProcess, *confirms: Confirmation, processes: str = "SE", **of_route: object
) -> Iterator[House]:
    """A house that asks the one first, of which so much is declared, and then the other, of which nothing is."""
    first, second = targets_at(liar.port, honest.port)
    first = msgspec.structs.replace(first, place=Place((processes,), confirms=confirms))
    with House(in_the_world(settings_of((first, second), options=BRISK, **of_route))) as house:  # type: ignore[arg-type]
        yield house


def attempts_of(house: House, answer: Answer) -> list[tuple[object, object, object]]:
    call = re.search(rb"surefoot-call: (\S+)", answer.head)[1].decode()  # type: ignore[index]
    return [(one["target"], one["kind"], one["evidence"]) for one in house.record(call)["attempts"]]


LIES = {
    "the header": ((US, None, None), REGION, {"processes": f"contradicted: {US}"}),
    "the model": ((None, "a-cheaper-one", None), MODEL, {"model": "contradicted: a-cheaper-one"}),
}


@pytest.mark.parametrize(("stream", "watch"), WAYS.values(), ids=WAYS.keys())
@pytest.mark.parametrize(("said", "confirms", "evidence"), LIES.values(), ids=LIES.keys())
def test_a_contradiction_that_is_known_in_time_is_answered_by_the_next_target(
    twins: Pair,
    stream: bool,  # noqa: FBT001
    watch: Watch,
    said: tuple[str | None, str | None, str | None],
    confirms: Confirmation,
    evidence: dict[str, str],
) -> None:
    with saying(*said) as liar, before(liar, twins[1], confirms, watch=watch) as house:
        answer = exchange(house.port, chat(stream=stream))
        assert answer.status == 200
        assert b"a-cheaper-one" not in answer.raw
        assert attempts_of(house, answer) == [
            ("primary", Kind.CONTRADICTED, evidence),
            ("backup", Kind.OK, None),
        ]
        for _ in range(3):
            assert attempts_of(house, exchange(house.port, chat(stream=stream)))[0][0] == "backup"
        assert len(liar.log()) == 1
        news = until(lambda: house.news)
        assert [(type(one), one.target) for one in news] == [(Suspended, "primary")]


@pytest.mark.parametrize("watch", [Watch.AUTO, Watch.OFF])
def test_usage_comes_last_and_still_in_time_for_an_answer_that_is_delivered_whole(twins: Pair, watch: Watch) -> None:
    with saying(geo="global") as liar, before(liar, twins[1], GEO, processes="US", watch=watch) as house:
        answer = exchange(house.port, chat())
        told = attempts_of(house, answer)
        assert [one[1] for one in told] == [Kind.CONTRADICTED, Kind.OK]
        assert told[0][2] == {"processes": "contradicted: global"}
        call = re.search(rb"surefoot-call: (\S+)", answer.head)[1].decode()  # type: ignore[index]
        assert house.record(call)["attempts"][0]["completion_tokens"] == TOKENS  # it will be billed


@pytest.mark.parametrize("resume", [Resume.OFF, Resume.TEXT])
def test_at_the_end_of_a_stream_it_is_too_late_and_the_client_is_told_so_in_band(twins: Pair, resume: Resume) -> None:
    with saying(geo="global") as liar, before(liar, twins[1], GEO, processes="US", resume=resume) as house:
        answer = exchange(house.port, chat(stream=True))
        assert b'"code":"contradicted"' in answer.body
        assert b"[DONE]" not in answer.raw
        assert not answer.raw.endswith(b"0\r\n\r\n")
        assert twins[1].log() == []
        assert attempts_of(house, answer) == [
            ("primary", Kind.CONTRADICTED, {"processes": "contradicted: global"}),
        ]


def test_what_confirms_is_recorded_and_so_is_silence(twins: Pair) -> None:
    with (
        saying(SE, "primary-model-2026-01-01") as honest,
        before(honest, twins[1], REGION, GEO, MODEL) as house,
    ):
        for stream in (False, True):
            answer = exchange(house.port, chat(stream=stream))
            told = {"processes": f"confirmed: {SE}", "model": "confirmed: primary-model-2026-01-01"}
            assert attempts_of(house, answer) == [("primary", Kind.OK, told)]
    with saying() as silent, before(silent, twins[1], REGION, GEO) as house:
        answer = exchange(house.port, chat(stream=True))
        assert attempts_of(house, answer) == [("primary", Kind.OK, {"processes": "silent"})]
        assert house.news == []


def test_a_text_that_broke_off_is_not_continued_by_a_target_that_contradicts(twins: Pair) -> None:
    twins[1].set_faults(Fault("cut", after_tokens=3))
    with saying(US) as liar:
        good, bad = targets_at(twins[1].port, liar.port)
        bad = msgspec.structs.replace(bad, place=Place(("SE",), confirms=(REGION,)))
        with House(in_the_world(settings_of((good, bad), options=BRISK, resume=Resume.TEXT))) as house:
            answer = exchange(house.port, chat(stream=True))
            told = attempts_of(house, answer)
    assert [one[:2] for one in told] == [("primary", Kind.CUT), ("backup", Kind.CONTRADICTED)]
    assert b"[DONE]" not in answer.raw


def test_when_nobody_else_is_left_the_client_is_told_and_a_readmitted_target_is_asked_again(twins: Pair) -> None:
    assert twins
    with saying(US) as liar:
        (only,) = targets_at(liar.port)
        only = msgspec.structs.replace(only, place=Place(("SE",), confirms=(REGION,)))
        with House(in_the_world(settings_of((only,), options=BRISK))) as house:
            first = exchange(house.port, chat())
            second = exchange(house.port, chat())
            assert [(one.status, one.code) for one in (first, second)] == [(502, "contradicted"), (503, "no_target")]
            house.tell(Hear(Readmitted("primary")))
            until(lambda: exchange(house.port, chat()).code == "contradicted")
        assert len(liar.log()) == 2


def test_who_is_suspended_is_asked_by_no_drill_whether_it_began_before_or_after(twins: Pair) -> None:
    settings = settings_of(targets_at(*(twin.port for twin in twins)), options=BRISK)
    canary = tuple(msgspec.structs.replace(key, drill=True) for key in settings.door.keys)
    settings = msgspec.structs.replace(settings, door=msgspec.structs.replace(settings.door, keys=canary))

    def answered_by(house: House) -> str:
        return exchange(house.port, chat()).head.partition(b"surefoot-target: ")[2].split(b"\r\n")[0].decode()

    with House(settings) as house:
        house.tell(Drill(1, 60.0, credentials=False, worlds={1: {}}))
        until(lambda: answered_by(house) == "primary")
        house.tell(Hear(Suspended("primary", "it is elsewhere")))
        until(lambda: answered_by(house) == "backup")
        house.tell(Drill(2, 60.0, credentials=False, worlds={2: {}}))
        for _ in range(5):
            assert answered_by(house) == "backup"
