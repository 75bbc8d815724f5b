"""Sheets of probes: what is read of them, and which are refused."""

from pathlib import Path
from typing import Any

import pytest

from surefoot.candidates.probed import probed
from surefoot.errors import ReplayError
from surefoot.facts import Fact, Facts, write


def fact(name: str = "target.azure-eu.end_to_end.p99", value: float = 2.5, **changed: Any) -> Fact:
    usual: dict[str, Any] = {"name": name, "value": value, "unit": "s", "n": 1000, "low": 2.0, "high": 3.0}
    return Fact(**(usual | changed))


def sheet(folder: Path, *facts: Fact, until: float = 100.0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "facts.json"
    told = Facts(made="", program="probe 1", seed=1, window=(0.0, until), inputs="", facts=facts)
    path.write_bytes(write(told))
    return path


def test_the_newest_sheet_speaks_for_a_target(tmp_path: Path) -> None:
    sheet(tmp_path / "new", fact(value=2.0), until=200.0)
    sheet(tmp_path / "old", fact(value=9.0), fact("target.azure-eu.ttft.p99", 0.5), fact("target.other.ttft.p99"))
    found = probed(tmp_path, ["azure-eu", "mistral-eu"])
    assert [(one.name, one.value) for one in found.facts] == [
        ("probe.azure-eu.end_to_end.p99", 2.0),
        ("probe.azure-eu.ttft.p99", 0.5),
    ]
    assert found.said == ("not probed: mistral-eu",)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"name": "any.all.calls"}, "has no fact target.NAME.ttft.p99"),
        ({"unit": "ms"}, "is in `ms`; it has to be in seconds"),
        ({"n": 99}, "is of 99 samples; a p99 needs 100"),
    ],
)
def test_another_sheet_is_refused_with_a_sentence(tmp_path: Path, wrong: dict[str, Any], why: str) -> None:
    path = sheet(tmp_path, fact(**wrong))
    with pytest.raises(ReplayError) as refused:
        probed(tmp_path, ["azure-eu"])
    assert str(refused.value).startswith(f"--probes: {path}")
    assert why in str(refused.value)


def test_what_is_no_sheet_and_a_folder_without_any_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match=r"holds no facts\.json"):
        probed(tmp_path, [])
    (tmp_path / "facts.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ReplayError, match="is no sheet of facts"):
        probed(tmp_path, [])
