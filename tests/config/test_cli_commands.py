"""The command line, as its user meets it: as a process, with what it prints and the code it exits with."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.leaks import LEAKS

from surefoot.cli.main import COMMANDS
from surefoot.config.configuration import Configuration
from surefoot.config.loading import load
from surefoot.config.profiles import profiles
from surefoot.config.reference import configuration_page
from surefoot.config.starter import found_providers, starter_file

EXAMPLES = Path(__file__).parents[2] / "examples"
ENVIRON = {
    "SUREFOOT_KEY": "client-key-0123456789",
    "SUREFOOT_KEY_BATCH": "client-key-9876543210",
    "UPSTREAM_SUREFOOT_KEY": "upstream-key-012345",
    "OPENAI_API_KEY": "openai-secret",
    "MISTRAL_API_KEY": "mistral-secret",
    "GROQ_API_KEY": "groq-secret",
    "AZURE_OPENAI_API_KEY": "azure-secret",
    "AZURE_OPENAI_API_KEY_SWEDEN": "sweden-secret",
    "AZURE_OPENAI_API_KEY_FRANCE": "france-secret",
}


def surefoot(*arguments: str, environ: Mapping[str, str] = {}) -> subprocess.CompletedProcess[str]:
    base = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    base |= {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}  # the code under test
    command = [sys.executable, "-m", "surefoot.cli.main", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**base, **environ}, check=False, timeout=50)
    LEAKS.note(f"what `surefoot {arguments[0]}` has printed", done.stdout + done.stderr)
    return done


def test_every_example_passes_the_check_given_its_variables_and_without_a_warning() -> None:
    files = sorted(set(EXAMPLES.glob("*.toml")) - {EXAMPLES / "risk.toml"})  # which `surefoot exposure` reads
    assert len(files) >= 5
    for file in files:
        assert load(file, ENVIRON).warnings == (), file.name


def test_the_minimal_example_is_twenty_lines_at_most() -> None:
    lines = (EXAMPLES / "minimal.toml").read_text().splitlines()
    assert len([line for line in lines if line and not line.startswith("#")]) <= 20


def test_the_edge_router_sends_short_prompts_to_the_near_model_first() -> None:
    first, second = load(EXAMPLES / "edge-router.toml", ENVIRON).routes[0].rungs
    assert (first.target, first.when.holds(800), first.when.holds(801)) == ("near", True, False)
    assert (second.target, second.when.holds(800), second.when.holds(801)) == ("upstream", True, True)


def test_check_sums_up_a_good_file_and_exits_with_0() -> None:
    done = surefoot("check", "-c", str(EXAMPLES / "edge-router.toml"), environ=ENVIRON)
    assert done.returncode == 0, done.stderr
    assert "chat: near (<= 800 tokens) → upstream [listed, anywhere]" in done.stdout


def test_check_says_what_binds_each_route_and_what_keys_add() -> None:
    done = surefoot("check", "-c", str(EXAMPLES / "multi-cloud.toml"), environ=ENVIRON)
    assert "  chat: azure-eu → mistral-eu → openai-us → groq-us [latency, anywhere]" in done.stdout
    assert "  eu: azure-eu → mistral-eu [listed, eu]" in done.stdout


def test_explain_says_what_binds_and_why_others_are_not_asked() -> None:
    more = ("--data-class", "personal", "--jurisdiction", "eu", "--features", "tools,image", "--key", "app")
    done = surefoot("explain", "chat", "-c", str(EXAMPLES / "multi-cloud.toml"), *more, environ=ENVIRON)
    assert done.returncode == 0, done.stderr
    first, *lines = done.stdout.splitlines()
    assert first == "chat, 0 prompt tokens, needs image, tools, order latency, bound by eu+personal:"
    assert lines[0].split(maxsplit=2) == ["1.", "azure-eu", "declares no features: whether it can is unknown"]
    assert lines[2].endswith("jurisdiction: eu: processes in US; allowed: EEA")
    asked = surefoot("explain", "chat", "--json", "-c", str(EXAMPLES / "multi-cloud.toml"), environ=ENVIRON)
    assert json.loads(asked.stdout)["features"] == []
    best = {"target": "azure-eu", "rank": 1, "rule": None, "reason": None, "features": None}
    assert json.loads(asked.stdout)["targets"][0] == best


def test_check_in_json_names_routes_and_targets_in_order() -> None:
    done = surefoot("check", "--json", "-c", str(EXAMPLES / "minimal.toml"), environ=ENVIRON)
    told = json.loads(done.stdout)
    assert told["ok"] is True
    assert [rung["target"] for rung in told["routes"]["chat"]["targets"]] == ["openai", "mistral"]


def test_check_prints_every_fault_on_a_line_and_exits_with_2() -> None:
    done = surefoot("check", "-c", str(EXAMPLES / "minimal.toml"))
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "targets.openai.key.env: the environment variable OPENAI_API_KEY is not set; export it before the start",
        "targets.mistral.key.env: the environment variable MISTRAL_API_KEY is not set; export it before the start",
    ]
    assert done.stdout == ""


def test_check_in_json_tells_faults_as_a_list_and_exits_with_2(tmp_path: Path) -> None:
    done = surefoot("check", "--json", "-c", str(tmp_path / "none.toml"))
    assert done.returncode == 2
    told = json.loads(done.stdout)
    assert told["ok"] is False
    assert "no such file" in told["faults"][0]


def test_a_wrong_option_is_told_with_the_usage_and_exits_with_2() -> None:
    done = surefoot("check", "--jsno")
    assert done.returncode == 2
    assert "--jsno" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_lists_every_command_and_imports_none() -> None:
    code = """
import sys
from surefoot.cli.main import app
sys.argv[1:] = ["--help"]
try:
    app()
finally:
    print("LOADED", {"pydantic", "uvicorn", "msgspec", "rich", "surefoot.config"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=50)
    assert "LOADED set()" in done.stdout
    for name in COMMANDS:
        assert f"  {name} " in done.stdout


def test_version_prints_the_version() -> None:
    assert surefoot("--version").stdout.startswith("surefoot 0.")


STARTERS: list[dict[str, str]] = [
    {},
    {"OPENAI_API_KEY": "openai-secret", "SUREFOOT_KEY": "client-key-0123456789"},
    {"AZURE_OPENAI_API_KEY": "azure-secret", "SUREFOOT_KEY": "short"},
    {"OPENAI_API_KEY": "", "GROQ_API_KEY": "two words"},
    {str(profile.env): "some-provider-secret" for profile in profiles().values() if profile.env},
]


@pytest.mark.parametrize("environ", STARTERS)
def test_what_init_writes_passes_check_in_the_same_environment(environ: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "surefoot.toml"
    text = starter_file(environ)
    file.write_text(text)
    got: Configuration = load(file, environ)
    assert got.warnings == ()
    assert [target.provider for target in got.targets] == (found_providers(environ) or ["ollama"])
    for secret in environ.values():
        assert not secret or secret not in text


def test_init_names_what_it_found_and_never_its_value(tmp_path: Path) -> None:
    file = tmp_path / "surefoot.toml"
    done = surefoot("init", "-o", str(file), environ=ENVIRON)
    assert done.returncode == 0
    assert "openai" in done.stdout
    assert "secret" not in done.stdout + done.stderr + file.read_text()
    assert surefoot("check", "-c", str(file), environ=ENVIRON).returncode == 0


def test_init_without_any_key_says_what_it_looked_for(tmp_path: Path) -> None:
    done = surefoot("init", "-o", str(tmp_path / "surefoot.toml"))
    assert "OPENAI_API_KEY, MISTRAL_API_KEY" in done.stdout


def test_init_does_not_overwrite_unless_forced(tmp_path: Path) -> None:
    file = tmp_path / "surefoot.toml"
    file.write_text("mine")
    refused = surefoot("init", "-o", str(file))
    assert (refused.returncode, file.read_text()) == (2, "mine")
    assert refused.stderr == f"{file} is there already; --force overwrites it, -o FILE writes another\n"
    assert surefoot("init", "--force", "-o", str(file)).returncode == 0
    assert file.read_text() != "mine"


def test_the_reference_describes_every_key_with_its_range_and_default() -> None:
    page = configuration_page()
    assert page == configuration_page()
    assert "| `streak` | whole number | at least 1, at most 1_000_000 | `3` | Failures in a row" in page
    assert "## `[[listeners]]`" in page
    assert "## `routes.NAME.targets[].when`" in page
    assert all(f"| `{name}` |" in page for name in profiles())
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert all(line.rstrip(" |").count("|") >= 4 or "| table |" in line for line in rows)


def test_docs_writes_what_its_check_then_accepts_and_names_what_is_stale(tmp_path: Path) -> None:
    made = surefoot("docs", "--to", str(tmp_path))
    assert made.returncode == 0, made.stderr
    kept = Path(__file__).parents[2] / "docs" / "reference"
    assert {file.name for file in tmp_path.iterdir()} == {file.name for file in kept.iterdir()}
    assert surefoot("docs", "--check", "--to", str(tmp_path), environ={"COLUMNS": "40"}).returncode == 0
    (tmp_path / "outcomes.md").write_text("old")
    stale = surefoot("docs", "--check", "--to", str(tmp_path))
    assert (stale.returncode, stale.stderr) == (
        1,
        f"{tmp_path / 'outcomes.md'} is stale; `surefoot docs` writes it anew\n",
    )
