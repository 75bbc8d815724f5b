"""What a receipt says: made from a record and the configuration that it ran under."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.receipts.made import FILE, attempt, call, configuration

from surefoot.config.configuration import Configuration
from surefoot.control.notary import EVIDENCE, VERSIONS, Notary, declared, moment, note
from surefoot.domain.front import ClientKey
from surefoot.domain.jurisdiction import Circumstances
from surefoot.domain.place import Place, Subprocessor, Transfer
from surefoot.journal.link import canonical
from surefoot.policy.jurisdictions import Jurisdictions
from surefoot.policy.zones import Zones


@pytest.fixture
def known(tmp_path: Path) -> Configuration:
    return configuration(tmp_path)


@pytest.fixture
def notary(known: Configuration) -> Notary:
    made = Notary()
    made.know(known)
    return made


def receipts(notary: Notary, *attempts: list[object], **facts: Any) -> list[dict[str, Any]]:
    return [json.loads(one) for one in notary.receipts(call(*attempts, **facts))]


def test_each_attempt_has_one_receipt_with_what_was_said_of_every_target(notary: Notary, known: Configuration) -> None:
    failed = attempt(0, "near", kind="silence")
    first, second = receipts(notary, failed, attempt(1, "far"), config=known.version)
    assert (first["call"], first["attempt"], first["attempts"], first["target"]) == ("c-1", 0, 2, "near")
    assert (first["outcome"], first["call_outcome"], first["reason"]) == ("silence", "ok", "first")
    assert (first["at"], second["at"]) == ("2026-01-01T00:00:00.250Z", "2026-01-01T00:00:00.750Z")
    assert first["candidates"] == [
        {"target": "near", "verdict": "chosen"},
        {"target": "far", "verdict": "admitted"},
    ]
    assert second["candidates"] == [
        {"target": "near", "verdict": "tried"},
        {"target": "far", "verdict": "chosen"},
    ]


def test_what_the_rules_of_the_request_say_depends_on_its_lengths(notary: Notary, known: Configuration) -> None:
    long, longest = (
        receipts(notary, attempt(0, "far"), config=known.version, prompt_tokens=n)[0] for n in (2000, 9000)
    )
    refused = {one["target"]: (one["verdict"], one.get("rule")) for one in long["candidates"]}
    assert refused == {"far": ("chosen", None), "near": ("refused", "window")}
    assert {one["target"]: one.get("rule") for one in longest["candidates"]} == {"far": None, "near": "window"}
    (wordy,) = receipts(notary, attempt(0, "far"), config=known.version, prompt_tokens=500, max_tokens=600)
    assert {one["target"]: one.get("rule") for one in wordy["candidates"]} == {"far": None, "near": "window"}


def test_what_the_rules_say_depends_on_the_features_that_a_call_needed(tmp_path: Path) -> None:
    known = configuration(tmp_path, FILE.replace('"m-near"', '"m-near"\nfeatures = ["tools"]'))
    notary = Notary()
    notary.know(known)
    for features, near in (("", "admitted"), ("image,tools", "refused"), ("tools", "admitted"), ("image", "refused")):
        (receipt,) = receipts(notary, attempt(0, "far"), config=known.version, features=features)
        said = {one["target"]: one for one in receipt["candidates"]}
        assert (said["near"]["verdict"], said["far"]["verdict"]) == (near, "chosen")
        if near == "refused":
            assert (said["near"]["rule"], said["near"]["reason"]) == (
                "capability",
                "cannot do image; it declares tools",
            )


def test_what_the_rules_of_the_moment_said_is_taken_from_the_record(notary: Notary, known: Configuration) -> None:
    (receipt,) = receipts(notary, attempt(0, "far", rules="near:health"), config=known.version)
    assert {"target": "near", "verdict": "passed over", "rule": "health"} in receipt["candidates"]


def test_an_attempt_that_got_no_connection_was_not_sent(notary: Notary, known: Configuration) -> None:
    lost, sent = attempt(0, sent=None, kind="connect_failed"), attempt(1, "far")
    assert [one["sent"] for one in receipts(notary, lost, sent, config=known.version)] == [False, True]


def test_a_call_for_which_nobody_was_asked_leaves_a_receipt_too(notary: Notary, known: Configuration) -> None:
    (receipt,) = receipts(notary, config=known.version, kind="too_long", prompt_tokens=9000)
    assert (receipt["attempt"], receipt["target"], receipt["call_outcome"]) == (None, None, "too_long")
    assert all(one["verdict"] == "refused" for one in receipt["candidates"])


def test_what_cannot_be_told_is_left_open(notary: Notary, known: Configuration) -> None:
    (receipt,) = receipts(notary, attempt(), config="another")
    assert (receipt["candidates"], receipt["declared"], receipt["tenant"]) == (None, None, None)
    for law in ({"jurisdiction": "long-gone"}, {"jurisdiction_version": "another"}):
        (foreign,) = receipts(notary, attempt(), config=known.version, **law)
        assert foreign["candidates"] is None
        assert foreign["declared"]["model"] == "m-near"


def test_what_a_jurisdiction_says_of_each_target_is_told(tmp_path: Path) -> None:
    places = FILE.replace('"m-near"', '"m-near"\nplace = "US"').replace('"m-far"', '"m-far"\nplace = "DE"')
    known = configuration(tmp_path, f'{places}\n[receipts]\n[jurisdiction.eu]\nprocesses = ["EEA"]\n')
    notary, laws = Notary(), Jurisdictions(Zones(known.zones), known.jurisdictions)
    notary.know(known)
    for zones, far in (((), "chosen"), (("DE",), "chosen"), (("FR",), "refused")):
        applied = laws.bind(known.routes[0], Circumstances(names=("eu",), zones=zones))
        law = {"jurisdiction": applied.name, "jurisdiction_version": applied.version}
        attempts = [attempt(0, "far")] if far == "chosen" else []
        (receipt,) = receipts(notary, *attempts, config=known.version, **law)
        said = {one["target"]: one for one in receipt["candidates"]}
        assert (said["near"]["verdict"], said["near"]["rule"]) == ("refused", "jurisdiction")
        assert "US" in said["near"]["reason"]
        assert said["far"]["verdict"] == far


def test_an_attempt_by_way_of_an_inner_route_names_what_bound_it_there(tmp_path: Path) -> None:
    inside = """
[jurisdiction.eu]
processes = ["EEA"]
[routes.strict]
targets = ["near"]
jurisdiction = "eu"
[routes.outer]
targets = [{ route = "strict" }, "far"]
"""
    places = FILE.replace('"m-near"', '"m-near"\nplace = "DE"')
    known = configuration(tmp_path, f"{places}\n[receipts]\n{inside}")
    notary, laws = Notary(), Jurisdictions(Zones(known.zones), known.jurisdictions)
    notary.know(known)
    outer = next(route for route in known.routes if route.name == "outer")
    applied = laws.bind(outer, Circumstances())
    law = {"route": "outer", "jurisdiction": applied.name, "jurisdiction_version": applied.version}
    tried = attempt(0, "near", kind="silence")
    first, second = receipts(notary, tried, attempt(1, "far"), config=known.version, **law)
    eu = laws.together(laws.named(["eu"]))
    assert (first["inner_jurisdiction"], first["inner_jurisdiction_version"]) == ("eu", eu.version)
    assert (second["inner_jurisdiction"], second["inner_jurisdiction_version"]) == (None, None)
    assert first["jurisdiction"] == second["jurisdiction"] == "anywhere"


def test_the_tenant_is_that_of_the_key(known: Configuration) -> None:
    notary = Notary()
    notary.know(known)
    notary.meet([ClientKey("app", b"", tenant="acme")])
    notary.meet([ClientKey("other", b"")])  # one that was revoked may have calls under way
    assert receipts(notary, attempt(), config=known.version)[0]["tenant"] == "acme"
    assert receipts(notary, attempt(), config=known.version, key="other")[0]["tenant"] is None


def test_evidence_is_kept_short_and_printable(notary: Notary, known: Configuration) -> None:
    said = {"model": "x" * 1_000, "processes": "eu\ud800"}
    (receipt,) = receipts(notary, attempt(evidence=said), config=known.version)
    assert receipt["evidence"] == {"model": "x" * EVIDENCE, "processes": "eu?"}


def test_what_is_declared_of_a_target_is_told_and_unknown_is_not_none(known: Configuration) -> None:
    bare = declared(known.targets[0])
    assert (bare["operator"], bare["processes"], bare["subprocessors"]) == (None, None, None)
    others = (Subprocessor("Helper", "FR"), Subprocessor("Other"))
    place = Place(("DE",), (), "Example GmbH", "DE", Transfer.SCC, 90.5, zero_retention=False, subprocessors=others)
    told = json.loads(canonical(declared(replace(known.targets[0], place=place))))
    assert told["stores"] == []
    assert (told["operator"], told["transfer"], told["retention_seconds"]) == ("Example GmbH", "SCC", 91)
    assert told["subprocessors"] == [{"name": "Helper", "seat": "FR"}, {"name": "Other", "seat": None}]


def test_configurations_long_gone_are_forgotten(known: Configuration, tmp_path: Path) -> None:
    notary = Notary()
    notary.know(known)
    for number in range(VERSIONS):
        notary.know(configuration(tmp_path, FILE.replace("m-far", f"m-{number}")))
    assert receipts(notary, attempt(), config=known.version)[0]["declared"] is None


def test_a_note_says_what_and_when() -> None:
    assert json.loads(note("lost", 0.0, calls=3)) == {"note": "lost", "at": "1970-01-01T00:00:00.000Z", "calls": 3}
    assert moment(1.9999) == "1970-01-01T00:00:01.999Z"
