"""A mode after which only targets are left that may not serve: uncovered by law, and told so."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.drill.built import rates, repetition
from tests.drill.drilled import fact, run, told, written

from surefoot.drill.coverage import BY_LAW
from surefoot.drill.plan import DrillOptions
from surefoot.drill.runner import DrillRun, Played
from surefoot.drill.written import forbidden, sheet
from surefoot.report.drilled import remarks

ONLY_HERE = """
[jurisdiction.home]
processes = ["US"]

[routes.chat]
jurisdiction = "home"
"""


def ran(struck: tuple[str, ...], asked: tuple[str, ...], mode: str = "silence", **changed: Any) -> DrillRun:
    calls = [repetition(mode, mitigated=False, **changed) for _ in range(5)]
    return DrillRun(
        config="c", routes=("chat",), modes=(mode,), targets={"chat": 3}, asked={"chat": asked}, start=0.0, end=1.0,
        status="completed", repetitions=calls, played={("chat", mode): Played("chat", mode, struck[0], struck)},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("struck", "asked", "by_law"),
    [
        (("a", "b"), ("a", "b"), ("silence",)),
        (("a",), ("a", "b"), ()),  # b may serve, and did not
        (("a", "b", "c"), ("a", "b"), ()),  # nobody was left, law or no law
        (("a", "b", "c"), ("a", "b", "c"), ()),
    ],
)
def test_a_mode_is_uncovered_by_law_if_only_those_are_left_who_may_not_serve(
    struck: tuple[str, ...], asked: tuple[str, ...], by_law: tuple[str, ...]
) -> None:
    assert forbidden(ran(struck, asked), "chat") == by_law


def test_what_the_struck_target_survived_or_nobody_has_to_answer_is_not_for_the_law_to_cover() -> None:
    survived = ran(("a",), ("a",), "no_done")
    survived.repetitions.append(repetition("no_done", mitigated=True, answered_by="a", attempts=1))
    assert forbidden(survived, "chat") == ()
    assert forbidden(ran(("a",), ("a",), "bad_request"), "chat") == ()
    assert forbidden(ran(("a",), ("a",), delivered=False), "chat") == ()


def test_it_weighs_as_none_with_certainty_and_is_named() -> None:
    facts = sheet(ran(("a",), ("a",)), DrillOptions(), "chat", rates({"silence": (20.0, 30.0)}))
    risk = facts.named("coverage.risk")
    assert (risk.value, risk.low, risk.high) == (0.0, 0.0, 0.0)
    assert facts.named("mode.silence.cold.mitigated").note == BY_LAW
    assert "Uncovered by law, because targets that are left may not serve: silence." in list(remarks(facts))


def test_a_drill_on_a_route_whose_law_leaves_one_target_says_so(tmp_path: Path) -> None:
    file = written(tmp_path)
    text = file.read_text(encoding="utf-8").replace("\n[routes.chat]\n", ONLY_HERE)
    file.write_text(text, encoding="utf-8")
    drill = told(run(file, "--modes", "refuse,no_done", "--repeat", "3", "--json"))
    assert (fact(drill, "forbidden")["value"], fact(drill, "forbidden")["note"]) == (1, "refuse")
    assert fact(drill, "mode.refuse.cold.mitigated")["note"] == BY_LAW
    assert fact(drill, "mode.no_done.cold.mitigated")["value"] == 1
    label = json.loads((Path(drill["routes"]["chat"]["folder"]) / "run.json").read_text(encoding="utf-8"))
    assert label["forbidden"] == ["refuse"]
