"""What `surefoot explain` and `/explain` answer: the stack's own words, on the state that workers report."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.control.served import Served

from surefoot.config.configuration import Configuration
from surefoot.config.loading import load
from surefoot.control.explaining import NOT_JUDGED, Question, explain
from surefoot.errors import ExplainError
from surefoot.gateway.channel import TargetReport
from surefoot.twin import HEALTHY, TwinProcess

FILE = """
[[keys]]
name = "app"
env = "CLIENT"
jurisdictions = ["eu"]
[jurisdiction.eu]
processes = ["EU"]
[jurisdiction.health]
subjects = { classes = ["health"], regions = ["DE"] }
operators = ["Alpha"]
[targets.us]
provider = "ollama"
model = "m"
place = "US"
[targets.eu]
provider = "ollama"
model = "m"
place = "DE"
max_in_flight = 2
[targets.alpha]
provider = "ollama"
model = "m"
place = { processes = ["FR"], operator = "Alpha" }
[routes.chat]
targets = ["us", "eu", "alpha"]
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    (tmp_path / "surefoot.toml").write_text(FILE, encoding="utf-8")
    return load(tmp_path / "surefoot.toml", {"CLIENT": "client-secret-0123456789"})


def ranked(answer: dict[str, object]) -> list[object]:
    targets = answer["targets"]
    assert isinstance(targets, list)
    return [each["target"] for each in targets if each["rank"]]


@pytest.mark.parametrize(
    ("question", "bound", "names"),
    [
        (Question("chat"), "anywhere", ["us", "eu", "alpha"]),
        (Question("chat", key="app"), "eu", ["eu", "alpha"]),
        (Question("chat", jurisdiction="eu,health"), "eu+health", ["alpha"]),
        (Question("chat", data_class="health"), "health", ["alpha"]),
        (Question("chat", data_region="EU"), "health", ["alpha"]),
        (Question("chat", place="us, fr"), "place:FR,US", ["us", "alpha"]),
    ],
)
def test_a_question_is_bound_as_a_request_would_be(
    configuration: Configuration, question: Question, bound: str, names: list[str]
) -> None:
    answer = explain(configuration, question)
    assert (answer["jurisdiction"], ranked(answer), answer["live"]) == (bound, names, False)


def test_what_no_rule_judges_is_said(configuration: Configuration) -> None:
    answer = explain(configuration, Question("chat", features=("tools", "image")))
    assert answer["features"] == {"tools": NOT_JUDGED, "image": NOT_JUDGED}


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (Question("chta"), 'there is no route "chta"; did you mean `chat`?'),
        (Question("chat", key="ap"), 'there is no key "ap"; did you mean `app`?'),
        (Question("chat", jurisdiction="ue"), "names 'ue', which is not known here"),
        (Question("chat", place="EU,"), "surefoot-place names ''"),
    ],
)
def test_a_question_about_what_is_not_there_is_refused(
    configuration: Configuration, question: Question, words: str
) -> None:
    with pytest.raises(ExplainError, match=words.replace("?", "[?]")):
        explain(configuration, question)


def test_the_example_of_the_documentation_is_judged_as_it_says(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "jurisdictions.md").read_text(encoding="utf-8")
    example = page.partition("## An example\n")[2].partition("As a lawyer")[0]
    models = "".join(f"[targets.{name}]\nprovider = 'ollama'\nmodel = 'm'\n" for name in ("house", "cloud"))
    text = example.replace("[targets.far]", "[targets.far]\nprovider = 'ollama'\nmodel = 'm'")
    text = "\n".join(line.strip() for line in text.splitlines()).replace("receipts = true", "receipts = false")
    (tmp_path / "surefoot.toml").write_text(f"{text}\n{models}[routes.chat]\ntargets = ['far', 'house', 'cloud']\n")
    example_of = load(tmp_path / "surefoot.toml", {})
    assert ranked(explain(example_of, Question("chat"))) == ["far", "house", "cloud"]
    assert ranked(explain(example_of, Question("chat", data_class="health"))) == ["house", "cloud"]


def report(
    target: str, breaker: str = "closed", in_flight: int = 0, until: float = 0.0, suspicion: int = 0
) -> TargetReport:
    return TargetReport(target, in_flight, breaker, until, [], 0, 1, suspicion)


def test_the_answer_is_on_the_state_that_workers_report(configuration: Configuration) -> None:
    reports = {
        "us": [report("us", "open", until=5.0), report("us")],
        "eu": [report("eu", in_flight=1), report("eu", in_flight=1)],
        "alpha": [report("alpha", "half_open")],
    }
    answer = explain(configuration, Question("chat"), reports, 100.0)
    assert answer["live"]
    assert [(each["target"], each["rule"], each["reason"]) for each in answer["targets"]] == [
        ("us", "health", "breaker open for another 5.0 s"),
        ("eu", "slots", "full: 2 of 2 attempts under way"),
        ("alpha", "health", "breaker half-open: its one probe is under way"),
    ]


def test_a_target_under_suspicion_stands_behind_the_others(configuration: Configuration) -> None:
    answer = explain(configuration, Question("chat"), {"us": [report("us", suspicion=1)]}, 100.0)
    assert ranked(answer) == ["eu", "alpha", "us"]


def test_who_is_suspended_is_asked_by_nobody(configuration: Configuration) -> None:
    answer = explain(configuration, Question("chat"), {}, suspended={"us": "declares processes = US; header h: DE"})
    assert ranked(answer) == ["eu", "alpha"]
    (us,) = [each for each in answer["targets"] if each["target"] == "us"]
    assert us["reason"] == "suspended until it is readmitted: declares processes = US; header h: DE"


def test_the_admin_port_answers_on_what_is_so_now(tmp_path: Path, twin: TwinProcess) -> None:
    with Served(tmp_path, twin.url, more='[jurisdiction.us]\nprocesses = ["US"]\n') as served:

        def verdict(query: str = "") -> dict[str, Any]:
            status, text = served.ask_admin(f"/explain?route=chat{query}")
            assert status == 200, text
            (told,) = json.loads(text)["targets"]
            return dict(told)

        assert verdict("&prompt_tokens=500")["rank"] == 1
        assert verdict("&jurisdiction=us")["reason"].startswith("us: does not say where it processes")
        twin.set_faults("status:503")
        while served.status()["targets"][0]["breaker"] == "closed":
            served.chat()
        assert verdict()["rule"] == "health"
        twin.set_faults(HEALTHY)
        for query in ("route=chta", "route=chat&places=EU", "route=chat&prompt_tokens=many", "key=app"):
            status, text = served.ask_admin(f"/explain?{query}")
            assert status == 400
            assert json.loads(text)["error"]
