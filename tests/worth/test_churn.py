"""`surefoot churn`: users are joined by their hash, every line is accounted for, nothing is found that cannot be."""

import io
import json
from math import sqrt
from pathlib import Path
from statistics import NormalDist

import duckdb
import numpy as np
import pytest
from rich.console import Console
from scipy.stats import ttest_ind
from tests.config.test_cli_commands import surefoot

from surefoot.errors import IntakeError
from surefoot.evidence import newcombe, share_detectable
from surefoot.facts import Facts
from surefoot.intake.pseudonym import Pseudonyms
from surefoot.intake.row import Unreadable
from surefoot.report.churning import lines_of, remarks, table_of
from surefoot.worth.affected import ABSENT, UNTOLD, Affected, by_list, by_traffic
from surefoot.worth.churned import DETECTED, NOT_DETECTABLE, even, sheet_of, verdict
from surefoot.worth.survey import Answer, read_survey

SALT = "0123456789abcdef0123456789abcdef"


def survey(folder: Path, text: str, name: str = "survey.csv") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def traffic(folder: Path, rows: list[tuple[float, str, bool | None]], joined: str = "true") -> Path:
    path = folder / "traffic.parquet"
    with duckdb.connect() as database:
        database.execute('CREATE TABLE t ("at" DOUBLE, "user" VARCHAR, failed BOOLEAN)')
        database.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        database.execute(f"COPY t TO '{path}' (FORMAT parquet, KV_METADATA {{'surefoot.traffic.joined': '{joined}'}})")
    return path


def answers(scores: list[int], cancelled: list[bool], first: int = 0) -> tuple[Answer, ...]:
    told = zip(scores, cancelled, strict=True)
    return tuple(Answer(n, f"u{n}", score, gone, None) for n, (score, gone) in enumerate(told, first))


def facts(yes: tuple[Answer, ...], no: tuple[Answer, ...], power: float = 0.8) -> Facts:
    return sheet_of(Affected(yes, no, {}), power, "")


def test_lines_that_give_no_answer_are_listed_with_their_reason(tmp_path: Path) -> None:
    text = (
        "user,score,cancelled\nanna,9,no\n,5,no\nbert,eleven,no\ncarl,11,no\ndora,,\nemil,,perhaps\n"
        "fred,0,\ngina,,yes\nanna,2,yes\nhugo,7\n"
    )
    found = read_survey(survey(tmp_path, text), str)
    assert [(one.line, one.why) for one in found.unreadable] == [
        (2, "another answer of the same user counts, the later one"),
        (3, "no user"),
        (4, "score is no whole number from 0 to 10"),
        (5, "score is no whole number from 0 to 10"),
        (6, "neither score nor cancelled"),
        (7, "cancelled is none of true, yes, 1, false, no, 0"),
        (11, "2 fields under a header of 3"),
    ]
    assert {(one.user, one.score, one.cancelled) for one in found.answers} == {
        ("anna", 2, True),
        ("fred", 0, None),
        ("gina", None, True),
    }


def test_of_two_answers_the_later_one_counts_wherever_it_stands(tmp_path: Path) -> None:
    text = "user,score,at\nanna,9,2026-02-01T00:00:00Z\nanna,2,2026-01-01T00:00:00Z\nbert,3,2026-01-01\n"
    found = read_survey(survey(tmp_path, text), str)
    assert [(one.score, one.line) for one in found.answers] == [(9, 2)]
    assert [(one.line, one.why.split()[0]) for one in found.unreadable] == [(3, "another"), (4, "at")]


def test_a_survey_without_its_columns_says_which(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="no column user; its columns are name, score"):
        read_survey(survey(tmp_path, "name,score\na,1\n"), str)
    with pytest.raises(IntakeError, match="no column score or cancelled"):
        read_survey(survey(tmp_path, "user,stars\na,1\n"), str)


def test_who_failed_before_the_answer_is_affected_and_who_is_unknown_is_in_neither_group(tmp_path: Path) -> None:
    rows = [
        (10.0, "a", True),
        (10.0, "b", False),
        (99.0, "b", True),
        (10.0, "c", None),
        (99.0, "d", True),
        (5.0, "e", False),
    ]
    told = [Answer(n, user, 5, None, 50.0) for n, user in enumerate("abcdx")]
    found = by_traffic(traffic(tmp_path, rows), told, 1)
    assert [answer.user for answer in found.yes] == ["a"]
    assert [answer.user for answer in found.no] == ["b"]
    assert {why: [answer.user for answer in group] for why, group in found.apart.items()} == {
        ABSENT: ["d", "x"],
        UNTOLD: ["c"],
    }
    assert found.joined == "true"
    late = by_traffic(tmp_path / "traffic.parquet", [Answer(0, "b", 5, None, None)], 1)
    assert [answer.user for answer in late.yes] == ["b"]


def test_the_threshold_of_failed_calls_is_held(tmp_path: Path) -> None:
    path = traffic(tmp_path, [(1.0, "a", True), (2.0, "a", True), (1.0, "b", True)])
    told = [Answer(0, "a", 5, None, None), Answer(1, "b", 5, None, None)]
    assert [answer.user for answer in by_traffic(path, told, 2).yes] == ["a"]


def test_a_file_that_is_no_traffic_says_so(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match=r"is no file; `surefoot import` writes one"):
        by_traffic(tmp_path / "none.parquet", [], 1)
    (tmp_path / "text.parquet").write_text("hello")
    with pytest.raises(IntakeError, match="is no traffic file"):
        by_traffic(tmp_path / "text.parquet", [], 1)


def test_a_list_of_failures_serves_in_place_of_traffic(tmp_path: Path) -> None:
    told = [Answer(n, user, 5, None, 1_767_225_600.0) for n, user in enumerate("abc")]
    listed = survey(tmp_path, "user,at\na,2025-12-31T00:00:00Z\nb,2026-01-02T00:00:00Z\n,2026-01-02T00:00:00Z\n")
    found = by_list(listed, told, 1, str)
    assert [answer.user for answer in found.yes] == ["a"]
    assert [answer.user for answer in found.no] == ["b", "c"]
    assert [(one.line, one.why) for one in found.unreadable] == [(4, "no user")]


def test_the_difference_of_scores_is_about_welchs_by_scipy_and_the_smallest_is_by_the_formula() -> None:
    yes, no = answers([2, 3, 9, 7, 1, 10] * 10, [False] * 60), answers([9, 10, 8, 10, 6] * 30, [False] * 150, 60)
    found = facts(yes, no)
    points = [[100 if s >= 9 else 0 if s >= 7 else -100 for s in (a.score or 0 for a in group)] for group in (yes, no)]
    theirs = ttest_ind(points[0], points[1], equal_var=False).confidence_interval(0.95)
    difference = found.named("nps.difference")
    assert difference.value == pytest.approx(np.mean(points[0]) - np.mean(points[1]))
    assert (difference.low, difference.high) == pytest.approx((theirs.low, theirs.high), abs=6)  # three answers added
    assert difference.note == DETECTED
    z = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)
    n = even(60, 150)
    assert n == 85
    assert found.named("nps.detectable").value == pytest.approx(z * sqrt(2 * np.var(points[0] + points[1]) / n))


def test_the_difference_of_cancellations_is_newcombes() -> None:
    found = facts(answers([5] * 80, [True] * 30 + [False] * 50), answers([5] * 90, [True] * 9 + [False] * 81, 80))
    difference = found.named("cancelled.difference")
    assert (difference.low, difference.high) == newcombe((30, 80), (9, 90))
    assert difference.note == DETECTED
    assert found.named("cancelled.affected").note == "30 of 80"
    assert found.named("nps.detectable").value is None  # all are detractors: no variance


def test_a_difference_that_this_sample_cannot_show_is_not_detectable_and_is_said_so_plainly() -> None:
    found = facts(answers([3, 9, 8, 9], [True, False, False, False]), answers([9, 9, 8, 2], [False] * 4, 4))
    assert found.named("nps.difference").note == NOT_DETECTABLE
    assert found.named("cancelled.difference").note == NOT_DETECTABLE
    told = " ".join(remarks(found, "false", told=False))
    assert "NPS: the difference is not detectable with this n (8 users). It could have shown one of" in told
    assert "Cancellations: the difference is not detectable with this n" in told
    assert "no column `at`" in told
    assert "retry mended" in told
    assert "no proof of a cause" in told


def test_two_answers_that_are_alike_are_not_taken_for_certain() -> None:
    found = facts(answers([0, 0], [True, True]), answers([10] * 298, [False] * 298, 2))
    for name in ("nps.affected", "nps.difference"):
        fact = found.named(name)
        assert fact.low is not None
        assert fact.high is not None
        assert fact.high - fact.low > 100


def test_a_fall_is_held_against_the_smallest_fall_that_could_be_found_and_not_against_a_rise() -> None:
    """Nearly all who met no failure cancelled: from there no rise can be found, and a fall easily."""
    found = facts(answers([5] * 100, [False] * 100), answers([5] * 100, [True] * 100, 100))
    assert found.named("cancelled.difference").note == DETECTED
    smallest = found.named("cancelled.detectable")
    assert smallest.value == pytest.approx(share_detectable(100, 0.0))
    assert "smallest fall from 100.0%" in smallest.method
    (line,) = (line for line in remarks(found, "true", told=True) if line.startswith("Cancellations"))
    assert line.startswith("Cancellations: a difference of -100.0 percentage points (95 %: -100.0 … -94.")
    assert "; 200 users) was detected: " in line


def test_a_file_without_any_row_is_no_survey_and_no_list_of_failures(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="no answer could be read; it has no rows"):
        read_survey(survey(tmp_path, ""), str)
    with pytest.raises(IntakeError, match=r"no answer could be read: no user \(line 2\)"):
        read_survey(survey(tmp_path, "user,score\n,1\n"), str)
    with pytest.raises(IntakeError, match="no failure could be read; it has no rows"):
        by_list(survey(tmp_path, "user\n"), [], 1, str)


def test_a_list_that_names_users_otherwise_than_the_survey_is_noticed(tmp_path: Path) -> None:
    told = [Answer(n, f"hash{n}", 5, None, None) for n in range(4)]
    found = by_list(survey(tmp_path, "user\nanna\nbert\n"), told, 1, str)
    said = list(remarks(sheet_of(found, 0.8, ""), "", told=True))
    assert "2 users of the list met failures and did not answer." in said
    assert any("do both files name users alike" in line for line in said)
    one = by_list(survey(tmp_path, "user\nanna\nhash1\n"), told, 1, str)
    said = list(remarks(sheet_of(one, 0.8, ""), "", told=True))
    assert "1 user of the list met failures and did not answer." in said
    assert not any("name users alike" in line for line in said)


def test_the_table_fits_into_eighty_columns() -> None:
    out = io.StringIO()
    found = facts(answers([1] * 40, [True] * 40), answers([9] * 60, [False] * 60, 40))
    Console(file=out, width=80).print(table_of(found))
    assert max(map(len, out.getvalue().splitlines())) <= 80
    (low, high) = newcombe((40, 40), (0, 60))
    assert f"{100 * low:+.1f} … {100 * high:+.1f}" in out.getvalue()


@pytest.mark.parametrize(
    ("value", "low", "high", "smallest", "expected"),
    [
        (-20, -30, -10, 15, DETECTED),
        (-20, -30, -10, 25, NOT_DETECTABLE),
        (20, -1, 41, 15, NOT_DETECTABLE),
        (20, 10, 30, None, NOT_DETECTABLE),
    ],
)
def test_a_verdict_asks_for_both_the_interval_and_the_size(
    value: float, low: float, high: float, smallest: float | None, expected: str
) -> None:
    assert verdict(value, low, high, smallest) == expected


def test_an_empty_group_gives_no_difference_and_says_why() -> None:
    found = facts((), answers([9, 9, 3], [True, False, False]))
    assert found.named("nps.difference").value is None
    assert found.named("cancelled.difference").value is None
    assert table_of(found).row_count == 6
    assert "Cancellations: no difference can be told: a group is empty." in list(remarks(found, "", told=True))


def test_long_lists_of_lines_are_cut_on_the_screen_with_their_number() -> None:
    found = [Unreadable(number, "no user") for number in range(1, 31)]
    (line,) = lines_of(found, "survey.csv")
    assert line.startswith("survey.csv: 30 not counted: no user: line 1, 2, 3")
    assert line.endswith(" and 18 more")


def test_the_command_joins_by_the_salt_of_the_import_and_names_nobody(tmp_path: Path) -> None:
    pseudonym = Pseudonyms(SALT.encode()).of
    rows: list[tuple[float, str, bool | None]] = [(1.0, pseudonym(f"user{n}@example.com"), n < 40) for n in range(120)]
    path = traffic(tmp_path, rows, "partly")
    lines = "".join(f"user{n}@example.com,{2 if n < 40 else 9},{'yes' if n % 7 == 0 else 'no'}\n" for n in range(121))
    (tmp_path / "salt").write_text(SALT + "\n")
    told = ["churn", "--survey", survey(tmp_path, "user,score,cancelled\n" + lines + ",9,no\n"), "--traffic", str(path)]
    done = surefoot(*told, "--salt", str(tmp_path / "salt"), "-o", str(tmp_path / "kept"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "NPS: a difference of -200.0 points (95 %:" in done.stdout
    assert "1 user is in neither group: not in the traffic before the answer." in done.stdout
    assert "1 not counted: no user: line 123" in done.stdout
    kept = "".join(file.read_text() for file in (tmp_path / "kept").iterdir())
    assert "example.com" not in done.stdout + kept
    assert pseudonym("user1@example.com") not in done.stdout + kept
    assert "123,no user" in (tmp_path / "kept" / "unreadable.csv").read_text()
    (tmp_path / "other").write_text("another" + SALT)
    wrong = surefoot(*told, "--salt", str(tmp_path / "other")).stdout
    assert wrong.startswith("121 users are in neither group")
    assert "is --salt the file that the import was given" in wrong
    as_json = json.loads(surefoot(*told, "--salt", str(tmp_path / "salt"), "--json").stdout)
    assert any("retry mended" in line for line in as_json["remarks"])
    assert as_json["not_counted"][told[2]] == [{"line": 123, "why": "no user"}]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "name one of --traffic and --affected"),
        (["--traffic", "t", "--affected", "a"], "name one of --traffic and --affected"),
        (["--traffic", "t"], "give --salt FILE, the one that `surefoot import` was given, or --hashed"),
        (["--traffic", "t", "--salt", "s", "--hashed"], "exclude one another"),
        (["--affected", "nowhere.csv"], "cannot be read"),
        (["--affected", "-", "--survey", "-"], "cannot both be standard input"),
    ],
)
def test_what_cannot_be_joined_says_what_is_missing(tmp_path: Path, options: list[str], words: str) -> None:
    done = surefoot("churn", "--survey", survey(tmp_path, "user,score\nanna,9\n"), *options)
    assert done.returncode == 2
    assert words in done.stderr
