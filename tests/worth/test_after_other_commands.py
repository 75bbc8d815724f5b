"""What `surefoot import` and `surefoot replay` really write is what exposure and churn read."""

from pathlib import Path

import pytest
from tests.replay.files import written
from typer.testing import CliRunner

from surefoot.cli.main import app
from surefoot.evidence import Cases, Events, Sample
from surefoot.worth.reading import read_risks

RUNNER = CliRunner()


def run(*told: str) -> str:
    done = RUNNER.invoke(app, list(told))
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_replay_becomes_a_risk(tmp_path: Path) -> None:
    files = written(tmp_path)
    run("replay", *files.options("--processes", "1", "--no-vary", "--readings", "any"))
    risks = tmp_path / "risk.toml"
    risks.write_text('source = "x"\nas_of = "2026-11"\n[[risks]]\nname = "a"\nreplay = "any.all"\n')
    (hazard,) = read_risks(risks, files.folder / "out").stake.hazards
    assert isinstance(hazard.rate, Events)
    assert hazard.rate.events == 2
    assert hazard.rate.years == pytest.approx(384 / 48 / 365.25, rel=0.02)  # 384 calls, one each half hour
    assert hazard.minutes == Sample((60, 120))
    assert hazard.coverage == Cases(2, 2)


def test_users_of_an_import_are_found_under_its_salt(tmp_path: Path) -> None:
    (tmp_path / "salt").write_text("0123456789abcdef0123\n")
    calls = "".join(f"2026-01-01T00:00:{n:02}Z,u{n % 20},{'true' if n < 5 else 'false'}\n" for n in range(40))
    (tmp_path / "log.csv").write_text("at,who,bad\n" + calls)
    told = ["--salt", str(tmp_path / "salt")]
    traffic = str(tmp_path / "t.parquet")
    columns = "at=at,user=who,failed=bad"
    run("import", "csv", str(tmp_path / "log.csv"), "--columns", columns, "-o", traffic, *told)
    survey = tmp_path / "survey.csv"
    survey.write_text("user,cancelled\n" + "".join(f"u{n},no\n" for n in range(25)))
    text = run("churn", "--survey", str(survey), "--traffic", traffic, *told)
    assert "5 users are in neither group: not in the traffic before the answer." in text
    rows = [line.split() for line in text.splitlines() if "affected" in line and "%" in line]
    assert [row[-1] for row in rows] == ["5", "15"]
