"""What an answer says of its target, held against what is declared of it."""

import pytest
from tests.policy.world import target

from surefoot.config.faults import Faults
from surefoot.config.places import ZoneTable
from surefoot.config.zones import ZoneReader
from surefoot.domain.place import Confirmation, Fact, Place
from surefoot.policy.witness import Witness, by_name
from surefoot.policy.zones import Zones

REGION = Confirmation(Fact.PROCESSES, header="x-region", means={"here": "DE", "there": "US", "global": "WORLD"})
MODEL = Confirmation(Fact.MODEL, body=("model",), means={"deployed": "gpt-5-mini"})
USAGE = Confirmation(Fact.PROCESSES, body=("usage", "inference_geo"), means={"here": "DE", "us": "US"})


def witness(
    *confirms: Confirmation, processes: tuple[str, ...] | None = ("DE", "FR"), model: str = "gpt-5-mini"
) -> Witness:
    return Witness(target("a", model=model, place=Place(processes, confirms=confirms)))


@pytest.mark.parametrize(
    ("word", "finding"),
    [
        ("here", "confirmed: here"),
        ("HERE", "confirmed: HERE"),
        ("there", "contradicted: there"),
        ("global", "contradicted: global"),
        ("not_available", "unknown: not_available"),
    ],
)
def test_a_known_word_has_to_lie_within_what_is_declared(word: str, finding: str) -> None:
    evidence, why = witness(REGION).hold(None, ((0, word),))
    assert evidence == {"processes": finding}
    assert (why is not None) is finding.startswith("contradicted")


def test_silence_is_noted_and_contradicts_nothing() -> None:
    assert witness(REGION, MODEL).hold(None, ()) == ({"processes": "silent", "model": "silent"}, None)


def test_where_nothing_is_declared_nothing_is_contradicted() -> None:
    assert witness(REGION, processes=None).hold(None, ((0, "there"),)) == ({"processes": "unknown: there"}, None)


@pytest.mark.parametrize(
    ("told", "same"),
    [
        ("gpt-5-mini", True),
        ("GPT-5-mini", True),
        ("gpt-5-mini-2025-08-07", True),
        ("gpt-5-mini@20250807", True),
        ("deployed", True),
        ("gpt-5-mini-high", False),
        ("gpt-5-minimal", False),
        ("gpt-5", False),
        ("another", False),
    ],
)
def test_a_model_is_the_same_by_its_name_or_as_a_dated_version_of_it(told: str, same: bool) -> None:  # noqa: FBT001
    assert (witness(MODEL).hold(None, ((0, told),))[1] is None) is same


def test_the_sentence_says_what_is_declared_where_the_word_stood_and_what_it_was() -> None:
    assert witness(REGION).hold(None, ((0, "there"),))[1] == "declares processes = DE, FR; header x-region: there"
    assert witness(MODEL).hold(None, ((0, "other"),))[1] == "declares model = gpt-5-mini; model: other"
    assert witness(USAGE).hold(None, ((0, "us"),))[1] == "declares processes = DE, FR; usage.inference_geo: us"


def test_of_two_words_for_one_fact_the_graver_counts_whichever_came_first() -> None:
    both = witness(REGION, USAGE)
    confirmed, _ = both.hold(None, ((0, "here"),))
    assert both.hold(confirmed, ((1, "us"),)) == (
        {"processes": "contradicted: us"},
        "declares processes = DE, FR; usage.inference_geo: us",
    )
    contradicted, _ = both.hold(None, ((1, "us"),))
    assert both.hold(contradicted, ((0, "here"),)) == ({"processes": "contradicted: us"}, None)
    assert both.hold(None, ((0, "there"), (1, "us")))[1] == "declares processes = DE, FR; header x-region: there"


def zones(**own: tuple[str, str]) -> Zones:
    """Those that ship, and some of one's own: whether it is made of another or lies within it, and of which."""
    tables = {name: ZoneTable.model_validate({how: [of]}) for name, (how, of) in own.items()}
    return Zones(ZoneReader(tables, Faults()).read())


OWN = zones(
    frankfurt=("within", "DE"), somewhere=("within", "EU"), rooms=("members", "frankfurt"), germany=("members", "DE")
)
COARSE = {"de": "DE", "eu": "EU", "us": "US", "global": "WORLD"}
WITHOUT_DE = {word: zone for word, zone in COARSE.items() if word != "de"}


@pytest.mark.parametrize(
    ("processes", "means", "word", "finding"),
    [
        (("frankfurt",), COARSE, "de", "unknown"),  # the nearest that it can say
        (("rooms",), COARSE, "de", "unknown"),
        (("frankfurt", "SE"), COARSE, "de", "unknown"),
        (("frankfurt",), WITHOUT_DE, "eu", "unknown"),
        (("somewhere",), COARSE, "eu", "unknown"),
        (("frankfurt",), COARSE, "eu", "contradicted"),  # it could have said Germany
        (("frankfurt",), COARSE, "us", "contradicted"),
        (("frankfurt",), COARSE, "global", "contradicted"),
        (("frankfurt",), {"us": "US", "global": "WORLD"}, "global", "contradicted"),  # no place at all
        (("frankfurt",), {**COARSE, "fra": "frankfurt"}, "de", "contradicted"),  # it could have said so
        (("frankfurt",), {**COARSE, "fra": "frankfurt"}, "fra", "confirmed"),
        (("germany",), WITHOUT_DE, "eu", "contradicted"),  # another name for a country
        (("DE",), WITHOUT_DE, "eu", "contradicted"),
        (("US",), COARSE, "global", "contradicted"),
        (("EU",), COARSE, "de", "confirmed"),
    ],
)
def test_a_word_that_holds_a_place_of_ones_own_is_unknown_only_where_no_nearer_one_could_be_said(
    processes: tuple[str, ...], means: dict[str, str], word: str, finding: str
) -> None:
    confirms = (Confirmation(Fact.PROCESSES, header="x-region", means=means),)
    judge = Witness(target("a", place=Place(processes, confirms=confirms)), OWN)
    evidence, why = judge.hold(None, ((0, word),))
    assert evidence == {"processes": f"{finding}: {word}"}
    assert (why is not None) is (finding == "contradicted")


def test_two_judge_alike_who_make_the_same_of_every_word_about_the_same_target() -> None:
    place = Place(("lab",), confirms=(Confirmation(Fact.PROCESSES, header="x-region", means=COARSE),))
    here = Witness(target("a", place=place), zones(lab=("members", "DE")))
    assert here.alike(Witness(target("a", place=place), zones(lab=("members", "DE"), other=("within", "DE"))))
    assert not here.alike(Witness(target("a", place=place), zones(lab=("members", "EU"))))
    assert not here.alike(Witness(target("a", model="another", place=place), zones(lab=("members", "DE"))))


def test_without_zones_a_place_lies_within_those_of_its_name() -> None:
    assert by_name(["de"], ["DE", "FR"])
    assert not by_name(["DE", "US"], ["DE"])
