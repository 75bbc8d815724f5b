"""The page about twins, held against one: its plan is taken, its paths answer, its lists are whole."""

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import openai
import pytest
from tests.twin.conftest import Ask

from surefoot.cli.faults import faults_page
from surefoot.twin import KINDS, AttemptRecord, Fault, FaultPlan, Rule, TwinProcess
from surefoot.twin.spelling import plan

PAGE = (Path(__file__).parents[2] / "docs" / "twin.md").read_text(encoding="utf-8")


def test_the_plan_on_the_page_is_taken_as_it_stands_there(twin: TwinProcess) -> None:
    (written,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    expected = FaultPlan(
        (
            Rule(Fault("silence"), skip=10, count=3),
            Rule(Fault("stall", after_tokens=4), start=30.0, stop=90.0),
            Rule(Fault("status:429", retry_after=5.0), probability=0.1),
        )
    )
    assert plan(written) == expected
    twin.set_faults(plan(written))
    assert twin.faults() == expected


def test_every_field_of_the_log_is_on_the_page() -> None:
    table = PAGE.rpartition("| field | meaning |")[2]
    told = {
        name
        for line in table.splitlines()
        for name in re.findall(r"`(\w+)`", line.split("|")[1] if "|" in line else "")
    }
    assert told == set(AttemptRecord.__struct_fields__)


def test_help_and_reference_name_every_fault() -> None:
    command = [sys.executable, "-m", "surefoot.cli.main", "twin", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    words = set(re.findall(r"\w+", shown))
    assert {kind.removeprefix("status:") for kind in KINDS} <= words
    assert all(f"`{kind}`" in faults_page() for kind in KINDS if not kind.startswith("status:"))
    fields = {name for struct in (Fault, Rule, FaultPlan) for name in struct.__struct_fields__}
    assert all(f"| `{name}` |" in faults_page() for name in fields)


@pytest.mark.parametrize("path", ["", "/v1/v1", "/v2"])
def test_a_client_whose_base_url_is_wrong_is_told_where_the_api_is(twin: TwinProcess, path: str) -> None:
    with (
        openai.OpenAI(base_url=twin.url + path, api_key="k", max_retries=0) as client,
        pytest.raises(openai.NotFoundError) as caught,
    ):
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hello"}])
    assert f"There is nothing at POST {path}/chat/completions." in caught.value.message
    assert "has to end in /v1" in caught.value.message
    assert not twin.log()


def test_a_404_that_was_ordered_says_nothing_of_paths(twin: TwinProcess, ask: Ask) -> None:
    twin.set_faults("status:404")
    answer = ask()
    assert answer.status == 404
    assert msgspec.json.decode(answer.body)["error"]["code"] == "model_not_found"
