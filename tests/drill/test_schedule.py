"""What is printed for cron and systemd is what they would run."""

import configparser
import shlex
from pathlib import Path

import pytest

from surefoot.drill.schedule import Every, schedule

COMMAND = ["/opt/sure foot/bin/surefoot", "drill", "-c", "surefoot.toml", "--exercise", "1%"]


@pytest.mark.parametrize(("every", "days", "calendar"), [("weekly", "* * 1", "Mon "), ("daily", "* * *", "*-*-*")])
def test_it_is_run_once_a_day_or_week(every: Every, days: str, calendar: str) -> None:
    text = schedule(every, COMMAND, Path("/srv/app"))
    cron = text.splitlines()[1]
    assert cron.startswith(f"17 4 {days} cd /srv/app && ")
    assert f"\nOnCalendar={calendar}" in text


def test_words_with_spaces_and_percent_signs_reach_the_command_as_they_are() -> None:
    text = schedule("weekly", COMMAND, Path("/srv/my app"))
    cron = text.splitlines()[1].split(maxsplit=5)[5]
    assert "1\\%" in cron
    words = shlex.split(cron.replace("\\%", "%"))
    assert words == ["cd", "/srv/my app", "&&", *COMMAND]
    service = text[text.index("[Unit]") : text.index("# and ")]
    unit = configparser.RawConfigParser()
    unit.optionxform = str  # type: ignore[method-assign,assignment]
    unit.read_string(service)
    assert shlex.split(unit["Service"]["ExecStart"].replace("%%", "%")) == COMMAND
    assert unit["Service"]["WorkingDirectory"] == "/srv/my app"
