"""What holds for every test: under CI none is skipped, unless it is listed here with its reason; and none leaks.

All that is written while the tests run is searched for secrets and prompts (`tests.leaks`).
"""

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from tests.leaks import LEAKS

ALLOWED_TO_SKIP: dict[str, str] = {}
"""Test id to the reason why CI may pass without it. Empty: nothing may."""


BEGUN_FIRST = ("soak", "demo", "drill", "topologies", "agreement", "policy")
"""Folders whose files take longest: where several processes share the tests, one begun last would be waited for."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    first = [Path(__file__).parent / name for name in BEGUN_FIRST]
    items.sort(key=lambda item: not any(item.path.is_relative_to(folder) for folder in first))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real traffic and incidents, which is not part of the project: CI names it in `SUREFOOT_DATA`."""
    folder = os.environ.get("SUREFOOT_DATA")
    if not folder:
        pytest.skip("SUREFOOT_DATA names no folder of real data")
    return Path(folder)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    unlisted = item.nodeid not in ALLOWED_TO_SKIP
    if os.environ.get("CI") and report.skipped and unlisted and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped under CI without a listed reason: {item.nodeid}"
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    for name, text in report.sections:
        LEAKS.note(f"{report.nodeid}, {name}", text)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """One of several processes that share the tests has ended: what it found is ours."""
    LEAKS.found |= dict.fromkeys(getattr(node, "workeroutput", {}).get("leaks", ()))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):  # the process that gave us our tests searches the files of us all
        session.config.workeroutput["leaks"] = list(LEAKS.found)
        return
    LEAKS.search(session.config._tmp_path_factory.getbasetemp())  # type: ignore[attr-defined]
    if LEAKS.found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if LEAKS.found:
        terminalreporter.section("secrets or prompts were written")
        for line in LEAKS.found:
            terminalreporter.line(line)
