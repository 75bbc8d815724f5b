"""The demo, small, as a user runs it: real processes, a real gateway, a report."""

import json
import os
import re
import signal
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest

from surefoot import facts

COMMAND = [sys.executable, "-m", "surefoot.cli.main", "demo"]
SMALL = ["--seconds-per-mode", "1", "--modes", "refuse,cut"]


class Links(HTMLParser):
    """Collects whatever in a page would fetch something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "link", "img", "iframe", "object", "embed", "audio", "video", "base"}:
            self.found.append(tag)
        self.found += [
            value
            for name, value in attrs
            if name in {"src", "href", "xlink:href", "srcset", "data", "action"} and value and not value.startswith("#")
        ]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("demo") / "report"
    done = subprocess.run(
        [*COMMAND, *SMALL, "--out", str(folder), "--json"], capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder, done


Report = tuple[Path, subprocess.CompletedProcess[str]]


def test_the_facts_say_that_the_gateway_answered_where_the_primary_did_not(report: Report) -> None:
    sheet = facts.read((report[0] / "facts.json").read_bytes())
    assert sheet.named("healthy.gateway.answered").value == 1.0
    assert sheet.named("refuse.gateway.answered_calls").value == 30
    assert sheet.named("refuse.direct.answered_calls").value == 0
    detect = sheet.named("refuse.gateway.detect.p50").value
    assert detect is not None
    assert detect < 0.5


def test_no_cut_answer_is_passed_off_as_whole_by_the_gateway_and_all_are_without_it(report: Report) -> None:
    sheet = facts.read((report[0] / "facts.json").read_bytes())
    assert sheet.named("cut.gateway.passed_off").value == 0
    assert sheet.named("cut.direct.passed_off").value == 30
    assert sheet.named("cut.gateway.told").value == 0
    assert sheet.named("cut.gateway.answered_calls").value == 30  # what was cut goes on at another site


def test_a_p99_of_few_samples_is_not_printed(report: Report) -> None:
    late = facts.read((report[0] / "facts.json").read_bytes()).named("refuse.gateway.ttft.p99")
    assert (late.value, late.n, late.note) == (None, 30, "n<100")


def test_every_number_carries_its_sample_and_method(report: Report) -> None:
    sheet = facts.read((report[0] / "facts.json").read_bytes())
    assert all(fact.method for fact in sheet.facts)
    assert all(fact.n > 0 or fact.value in {None, 0} for fact in sheet.facts)
    assert all(fact.note for fact in sheet.facts if fact.value is None)
    assert len({fact.name for fact in sheet.facts}) == len(sheet.facts)
    assert re.fullmatch("[0-9a-f]{64}", sheet.inputs)


def test_json_on_standard_output_is_the_same_facts(report: Report) -> None:
    folder, done = report
    assert json.loads(done.stdout) == json.loads((folder / "facts.json").read_bytes())


def test_the_page_loads_nothing_from_anywhere(report: Report) -> None:
    page = (report[0] / "index.html").read_text(encoding="utf-8")
    links = Links()
    links.feed(page)
    assert links.found == []
    assert not re.search(r"url\((?!#)|@import", page)
    assert page.count("<svg") == 2
    assert "refuse" in page


def test_an_unknown_mode_is_refused_with_the_known_ones() -> None:
    done = subprocess.run([*COMMAND, "--modes", "explode"], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "refuse" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_when_it_is_interrupted_nothing_is_left_behind(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [*COMMAND, "--out", str(tmp_path / "report")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        text=True,
    ) as demo:
        assert demo.stderr is not None
        assert "warming up" in demo.stderr.readline()
        children = psutil.Process(demo.pid).children(recursive=True)
        assert len(children) >= 5
        demo.send_signal(number)
        demo.wait(30)
        gone, alive = psutil.wait_procs(children, timeout=5)
        assert (len(gone), alive) == (len(children), [])
    assert demo.returncode != 0
    assert list(tmp_path.glob("surefoot-demo-*")) == []
