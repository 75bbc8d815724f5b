"""`surefoot import`, as its user meets it: what it tells, what it refuses, and what it leaves behind."""

import json
from pathlib import Path

import pytest
from tests.intake.brought_in import COLUMNS, HEAD, table
from tests.intake.terminal import shown
from typer.testing import CliRunner

from surefoot.cli.main import app

GOOD = "1000,c-1,near,m,10,5,100,900,false,,0.5,anna"
KNOWN = "provider, model, prompt_tokens, completion_tokens, ttft, duration, failed, kind, first_failed, first_kind"
BAD = ("noon,,near,m,1,1,,,,,,", "1000,c-2,near,m,many,1,,,,,,", "1001,c-3,near,m,many,1,,,,,,")


@pytest.fixture
def log(tmp_path: Path) -> str:
    return table(tmp_path / "log.csv", GOOD, *BAD)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "traffic.parquet"


def surefoot(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["import", *arguments], catch_exceptions=False)
    return done.exit_code, done.stdout, done.stderr


def test_the_account_names_calls_columns_and_every_reason_with_its_lines(log: str, out: Path) -> None:
    code, told, _ = surefoot("csv", log, "-o", str(out), "--columns", COLUMNS)
    assert code == 0
    assert told.splitlines() == [
        f"{out}: 1 call, 1 attempt, from {log}",
        "  from 1970-01-01T00:16:40Z to 1970-01-01T00:16:40Z",
        "  0 calls of several attempts; 0 whose first attempt failed, 0 that failed",
        f"  known: {KNOWN}, cost, user",
        "  not told by the source: route, stream, max_tokens, key",
        "  end users are hashed, under a salt drawn for this file; with --salt they can be joined with others",
        f"3 lines could not be read; {out}.unreadable.csv lists all:",
        "  prompt_tokens: not a number: 2 (line 4, line 5)",
        "  at: not a number: 1 (line 3)",
    ]
    assert Path(f"{out}.unreadable.csv").read_text(encoding="utf-8").splitlines() == [
        "file,line,why",
        f"{log},3,at: not a number",
        f"{log},4,prompt_tokens: not a number",
        f"{log},5,prompt_tokens: not a number",
    ]


def test_as_json_it_says_the_same(log: str, out: Path) -> None:
    code, told, _ = surefoot("csv", log, "-o", str(out), "--columns", COLUMNS, "--json")
    account = json.loads(told)
    assert code == 0
    assert (account["rows"], account["unreadable"], account["calls"]["calls"], account["joined"]) == (1, 3, 1, "true")
    assert account["reasons"][0] == {"why": "prompt_tokens: not a number", "count": 2, "first": ["line 4", "line 5"]}


def test_nothing_is_written_over_without_force_and_an_old_list_goes_with_its_result(log: str, out: Path) -> None:
    arguments = ("csv", log, "-o", str(out), "--columns", COLUMNS)
    surefoot(*arguments)
    before = out.read_bytes()
    code, _, told = surefoot(*arguments)
    assert (code, told) == (2, f"{out} is there already; name another --out, or write over it with --force\n")
    assert out.read_bytes() == before
    table(Path(log), GOOD)
    code, told, _ = surefoot(*arguments, "--force")
    assert code == 0
    assert told.splitlines()[-1] == "every line was read"
    assert not Path(f"{out}.unreadable.csv").exists()


def test_a_file_of_which_no_line_can_be_read_is_refused_and_leaves_the_list_of_its_lines(
    tmp_path: Path, out: Path
) -> None:
    log = table(tmp_path / "log.csv", *BAD)
    code, _, told = surefoot("csv", log, "-o", str(out), "--columns", COLUMNS)
    assert code == 2
    assert told == (
        "no call could be read as csv: prompt_tokens: not a number: 2 (line 3, line 4); at: not a number: 1 (line 2). "
        f"{log} holds a table with the columns `t`, `call`, `provider`, `model`, `in`, `out`, `ttft`, `ms`, "
        "`failed`, `kind`, `usd`, `user`. "
        f"{out}.unreadable.csv lists every line.\n"
    )
    assert len(Path(f"{out}.unreadable.csv").read_text(encoding="utf-8").splitlines()) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.csv", f"{out.name}.unreadable.csv"]
    table(Path(log), GOOD)
    code, told, _ = surefoot("csv", log, "-o", str(out), "--columns", COLUMNS)
    assert (code, told.splitlines()[-1]) == (0, "every line was read"), "a list without its result is in nobody's way"
    assert not Path(f"{out}.unreadable.csv").exists()


FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize(
    ("form", "log", "told"),
    [
        ("helicone", "litellm.jsonl", ("records have `request_created_at`", "looks like `litellm`")),
        ("litellm", "langfuse.jsonl", ("records have `call_type`, `startTime`", "looks like `langfuse`")),
        ("langfuse", "helicone.jsonl", ("records have `type`, `traceId`", "looks like `helicone`")),
        ("otlp", "langfuse.jsonl", ("records have `resourceSpans`", "looks like `langfuse`")),
        ("helicone", "otlp.jsonl", ("holds records with `resourceSpans`", "looks like `otlp`")),
        ("langfuse", "openai_costs.csv", ("a table with the columns `start_time`", "looks like `openai-usage`")),
        ("litellm", "openai_usage.json", ("holds records with `object`", "looks like `openai-usage`")),
    ],
)
def test_a_file_of_another_tool_is_told_with_what_was_expected_and_what_was_seen(
    form: str, log: str, told: tuple[str, str], out: Path
) -> None:
    code, _, refused = surefoot(form, str(FIXTURES / log), "-o", str(out))
    assert code == 2
    assert refused.startswith(f"no call could be read as {form}, of which records have ")
    for words in told:
        assert words in refused
    for word in ("redacted", "gpt-x", "u-7"):
        assert word not in refused


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"SQLite format 3\0" + b"\0" * 90, "an SQLite database"),
        (b"PAR1" + b"\xff" * 90, "a Parquet file"),
        (b"PK\x03\x04" + b"\xff" * 90, "a ZIP archive; unpack it"),
        (b"once upon a time\n", "neither JSON nor a table"),
        (b"[1, 2]", "JSON without an object"),
    ],
)
def test_what_is_no_log_at_all_is_told_for_what_it_is(content: bytes, what: str, tmp_path: Path, out: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(content)
    assert f"{log} is {what}" in surefoot("helicone", str(log), "-o", str(out))[2]


@pytest.mark.parametrize(
    ("content", "what"),
    [("", "is empty"), (HEAD + "\n", "holds a table with the columns"), ("[]", "is JSON without an object")],
)
def test_a_log_without_calls_says_so_and_leaves_nothing(content: str, what: str, tmp_path: Path, out: Path) -> None:
    log = tmp_path / "log"
    log.write_text(content)
    code, _, told = surefoot("csv", "--columns", COLUMNS, str(log), "-o", str(out))
    if content == "[]":
        code, _, told = surefoot("litellm", str(log), "-o", str(out))
    assert code == 2
    assert f": there is none. {log} {what}" in told
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_what_cannot_be_done_is_refused_with_what_to_do(log: str, out: Path, tmp_path: Path) -> None:
    def refused(*arguments: str) -> str:
        code, _, told = surefoot(*arguments)
        assert code == 2
        return told

    assert refused("litelm", log) == ("there is no format `litelm`; did you mean `litellm`?\n")
    assert refused("csv", "nowhere.csv", "-o", str(out)) == "nowhere.csv: there is no such file\n"
    assert (
        refused("csv", str(tmp_path), "-o", str(out))
        == f"{tmp_path} is a folder: name the files in it, as {tmp_path}/*\n"
    )
    assert "say what its columns mean, as --columns at=" in refused("csv", log, "-o", str(out))
    assert "given twice" in refused("csv", log, log, "-o", str(out), "--columns", COLUMNS)
    assert "is there already" in refused("csv", log, "-o", log, "--columns", COLUMNS)
    assert "is one of the inputs" in refused("csv", log, "-o", log, "--columns", COLUMNS, "--force")
    mooncake = ("mooncake", log, "-o", str(out), "--columns", COLUMNS)
    assert refused(*mooncake) == "--columns is for csv; mooncake says itself what its columns mean\n"
    assert "is a folder; name a file in it" in refused("csv", log, "-o", str(tmp_path), "--columns", COLUMNS, "--force")
    assert "make it, or name another one" in refused("csv", log, "-o", str(tmp_path / "no" / "out"))
    assert "openssl rand -hex 32" in refused("csv", log, "-o", str(out), "--salt", log + ".salt")
    wrong = ("--time-zone", "Mars", "--start", "soon", "--columns", "when=t", "--memory", "1MB")
    told = refused("csv", log, "-o", str(out), *wrong).splitlines()
    assert [line.split(":", maxsplit=1)[0] for line in told] == [
        "--time-zone", "--start", "--columns", "--columns", "--memory",
    ]  # fmt: skip


def test_sums_are_refused_as_traffic(tmp_path: Path, out: Path) -> None:
    usage = Path(__file__).parent / "fixtures" / "openai_usage.json"
    code, _, told = surefoot("openai-usage", str(usage), "-o", str(out))
    assert code == 2
    assert told.startswith(f"{usage}: OpenAI's usage exports are sums")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("export", ["openai_costs.csv", "openai_completions.csv"])
@pytest.mark.parametrize("columns", [("--columns", "at=start_time:s"), ()])
def test_sums_are_refused_as_a_table_of_calls_too(
    export: str, columns: tuple[str, ...], tmp_path: Path, out: Path
) -> None:
    code, _, told = surefoot("csv", str(FIXTURES / export), "-o", str(out), *columns)
    assert code == 2
    assert told.startswith(f"{FIXTURES / export}: OpenAI's usage exports are sums")
    assert "In this one, 2026-01-01" in told
    assert list(tmp_path.iterdir()) == []


def test_a_table_of_calls_with_a_start_and_an_end_is_not_taken_for_sums(tmp_path: Path, out: Path) -> None:
    log = table(tmp_path / "log.csv", "1767225600,1767225601,5", head="start_time,end_time,amount")
    code, told, _ = surefoot("csv", log, "-o", str(out), "--columns", "at=start_time:s")
    assert (code, told.splitlines()[-1]) == (0, "every line was read")


def test_a_column_of_failed_that_holds_no_flags_stops_the_import_and_leaves_nothing(tmp_path: Path, out: Path) -> None:
    log = table(tmp_path / "log.csv", "1000,1", "1001,2", head="t,code")
    code, _, told = surefoot("csv", log, "-o", str(out), "--columns", "at=t:s,failed=code")
    assert code == 2
    assert told.startswith(f"{log}: line 3: failed: `code` holds here what is neither true nor false")
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]
    code, told, _ = surefoot("csv", log, "-o", str(out), "--columns", "at=t:s,failed=code:otel")
    assert "  0 calls of several attempts; 1 whose first attempt failed, 1 that failed" in told.splitlines()


def test_a_name_that_several_good_calls_have_is_told(tmp_path: Path, out: Path) -> None:
    session = [f"{second},c-1,near,m,10,5,100,900,false,,0.5,anna" for second in (1000, 2000, 3000)]
    log = table(tmp_path / "log.csv", *session, GOOD.replace("c-1", "c-2"))
    _, told, _ = surefoot("csv", log, "-o", str(out), "--columns", COLUMNS)
    assert "  2 attempts succeeded though another one of the same call had: the source may give" in told


@pytest.mark.parametrize("name", ["litellm", "langfuse", "helicone", "otlp"])
def test_a_log_of_every_known_tool_comes_in(name: str, out: Path) -> None:
    log = Path(__file__).parent / "fixtures" / f"{name}.jsonl"
    code, told, _ = surefoot(name, str(log), "-o", str(out), "--json")
    account = json.loads(told)
    assert code == 0
    assert account["calls"]["calls"] > 0
    retried = account["calls"]["retried"]
    assert retried == (0 if name == "helicone" else 1), "one failed attempt was made good, and Helicone cannot tell"


def test_a_salt_makes_the_same_users_of_two_files(tmp_path: Path, log: str) -> None:
    salt = tmp_path / "salt"
    salt.write_text("0123456789abcdef0123456789abcdef\n", encoding="utf-8")
    for name in ("a", "b"):
        surefoot("csv", log, "-o", str(tmp_path / name), "--columns", COLUMNS, "--salt", str(salt))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_terminal_is_shown_how_far_it_is(tmp_path: Path, out: Path) -> None:
    log = table(tmp_path / "log.csv", *(f"{n},,p,m,1,1,,,,,," for n in range(20_000)))
    seen, told = shown("import", "csv", log, "-o", str(out), "--columns", COLUMNS, width=100, lines_to="stderr")
    assert "reading" in seen
    assert "MB" in seen or "kB" in seen
    assert told.startswith(f"{out}: 20,000 calls")
