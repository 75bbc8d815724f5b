"""What holds for every test: under CI none is skipped, unless it is listed here with its reason."""

import os
from collections.abc import Generator

import pytest

ALLOWED_TO_SKIP: dict[str, str] = {}
"""Test id to the reason why CI may pass without it. Empty: nothing may."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    unlisted = item.nodeid not in ALLOWED_TO_SKIP
    if os.environ.get("CI") and report.skipped and unlisted and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped under CI without a listed reason: {item.nodeid}"
    return report
