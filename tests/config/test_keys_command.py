"""`surefoot keys`, as its user meets it: what it prints where, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from surefoot.cli.keys import keys
from surefoot.errors import ConfigError

FILE = '[gateway]\nkeys_file = "keys.json"\n'


@pytest.fixture
def file(tmp_path: Path, target: Callable[[str], str]) -> Path:
    """A configuration with a key file; the credential of its target is nowhere set."""
    path = tmp_path / "surefoot.toml"
    clinic = '[jurisdiction.clinic]\nsubjects = { classes = ["health"] }\n'
    path.write_text(FILE + '[[keys]]\nname = "own"\nenv = "NOT_SET_HERE"\n' + clinic + target(""), encoding="utf-8")
    return path


def surefoot_keys(file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(keys, [*arguments, "-c", str(file)], catch_exceptions=False)


def faults(file: Path, *arguments: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refused:
        surefoot_keys(file, *arguments)
    return refused.value.faults


def test_the_secret_is_the_only_line_of_stdout_and_needs_no_providers_credential(file: Path) -> None:
    done = surefoot_keys(file, "add", "app")
    assert done.exit_code == 0
    shown = done.stdout.removesuffix("\n")
    assert shown.startswith("sf_")
    assert shown not in done.stderr
    assert "made the key app; it is shown this once, and kept nowhere" in done.stderr


def test_what_was_given_is_listed_and_neither_secret_nor_hash_is(file: Path) -> None:
    shown = surefoot_keys(
        file, "add", "app", "--tenant", "acme", "--route", "chat", "--data-class", "health", "--data-region", "DE",
        "--in-flight", "4", "--per-minute", "90", "--expires", "90d",
    ).stdout.strip()  # fmt: skip
    listed = surefoot_keys(file, "list", "--json").stdout
    (row,) = json.loads(listed)["keys"]
    assert (row["name"], row["id"], row["tenant"]) == ("app", shown.split("_")[1], "acme")
    assert (row["routes"], row["classes"], row["regions"]) == (["chat"], ["health"], ["DE"])
    assert (row["in_flight"], row["per_minute"], row["expired"]) == (4, 90, False)
    assert row["expires"][:10] > row["made"][:10]
    table = surefoot_keys(file, "list").stdout
    assert "app" in table
    assert "4 in flight, 90 per minute" in table
    assert shown.split("_", 2)[2] not in listed + table
    assert "digest" not in listed


def test_all_that_is_wrong_with_a_scope_is_told_at_once_and_no_key_is_made(file: Path) -> None:
    wrong = ("--route", "chatt", "--jurisdiction", "gdpr", "--tenant", "a b", "--data-class", "helth")
    assert faults(file, "add", "own", *wrong, "--data-region", "Yurop")[:-1] == (
        '--tenant: "a b" is not a name: it must match [A-Za-z0-9][A-Za-z0-9._-]{0,63}',
        'NAME: a key of the configuration is named "own" already',
        '--route: there is no route "chatt"; did you mean `chat`?',
        '--jurisdiction: there is no jurisdiction "gdpr"; known: clinic',
        '--data-class: there is no jurisdiction that binds the class "helth"; did you mean `health`?',
    )
    assert not (file.parent / "keys.json").exists()


@pytest.mark.parametrize("expires", ["90", "0d", "-1d", "soon", "40000d"])
def test_a_time_that_is_none_is_refused(file: Path, expires: str) -> None:
    (fault,) = faults(file, "add", "app", "--expires", expires)
    assert fault.startswith('--expires: write a time from now, "90d" or "12h", not "')


def test_a_key_can_be_revoked_whatever_else_is_wrong_with_the_configuration(file: Path) -> None:
    surefoot_keys(file, "add", "app")
    file.write_text(FILE, encoding="utf-8")
    done = surefoot_keys(file, "revoke", "app")
    assert done.exit_code == 0
    assert "revoked the key app" in done.stderr
    assert json.loads(surefoot_keys(file, "list", "--json").stdout) == {"keys": []}
    assert "no key has the name or id" in faults(file, "revoke", "app")[0]


def test_a_configuration_without_a_key_file_is_told_what_to_add(file: Path, target: Callable[[str], str]) -> None:
    file.write_text(target(""), encoding="utf-8")
    for command in (["add", "app"], ["list"], ["revoke", "app"]):
        (fault,) = faults(file, *command)
        assert 'names no key file; add keys_file = "surefoot-keys.json" to [gateway]' in fault
