"""The key file: whole or not at all, of its owner only, and nothing is lost when two change it at once."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from surefoot.config.configuration import Configuration
from surefoot.config.door import digest_of
from surefoot.config.keyfile import KeyFile, add_key, read_keys, revoke_key, ring_of, write_keys
from surefoot.control.keys import KeyWatch
from surefoot.domain.front import ClientKey, KeyLimits
from surefoot.errors import ConfigError

Load = Callable[..., Configuration]
Faults = Callable[..., tuple[str, ...]]
FILE = '[gateway]\nkeys_file = "keys.json"\n'


def added(path: Path, name: str = "app", **scope: object) -> str:
    return add_key(path, ClientKey(name, b"", **scope), 1000.0)  # type: ignore[arg-type]


def test_a_key_is_an_id_and_a_secret_and_only_its_hash_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    shown = added(path, tenant="acme", routes=("chat",), limits=KeyLimits(3, 60), expires=2000.0)
    mark, key_id, secret = shown.split("_", 2)
    assert mark == "sf"
    assert len(key_id) >= 8
    assert len(secret) >= 43  # 256 bits in base64
    file = read_keys(path)
    (entry,) = file.keys
    assert entry.key.digest == digest_of(shown, file.salt)
    assert entry.key.tenant == "acme"
    assert entry.key.routes == ("chat",)
    assert entry.key.limits == KeyLimits(3, 60)
    assert (entry.key.id, entry.key.expires, entry.made) == (key_id, 2000.0, 1000.0)
    assert secret not in path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o777 == 0o600


def test_every_key_is_another_one_and_the_salt_stays(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    shown = {added(path, f"key-{number}") for number in range(20)}
    salt = read_keys(path).salt
    assert len({key.split("_")[1] for key in shown}) == len(shown) == 20
    added(path, "one-more")
    assert read_keys(path).salt == salt


def test_of_many_changes_at_once_none_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    added(path, "old")

    def change(number: int) -> None:
        if number == 0:
            revoke_key(path, "old")
        else:
            added(path, f"key-{number}")

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(change, range(25)))
    assert {entry.key.name for entry in read_keys(path).keys} == {f"key-{number}" for number in range(1, 25)}
    assert {file.name for file in tmp_path.iterdir()} == {"keys.json", "keys.json.lock"}


def test_a_key_is_revoked_by_its_name_by_its_id_or_by_itself_without_being_repeated(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    by_name, by_id, by_itself = (added(path, name) for name in ("one", "two", "three"))
    assert revoke_key(path, "one").name == "one"
    assert revoke_key(path, by_id.split("_")[1]).name == "two"
    assert revoke_key(path, by_itself).name == "three"
    assert read_keys(path).keys == ()
    with pytest.raises(ConfigError) as refused:
        revoke_key(path, by_name)
    assert by_name.split("_")[1] in str(refused.value)
    assert by_name.rpartition("_")[2] not in str(refused.value)


def test_a_name_that_looks_like_a_key_stands_for_itself_only(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    for name in ("prod", "sf_prod", "sf_prod_2"):
        added(path, name)
    assert revoke_key(path, "sf_prod").name == "sf_prod"
    assert revoke_key(path, "sf_prod_2").name == "sf_prod_2"
    for gone in ("sf_prod", "sf_prod_2"):
        with pytest.raises(ConfigError):
            revoke_key(path, gone)
    assert [entry.key.name for entry in read_keys(path).keys] == ["prod"]


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    added(path)
    with pytest.raises(ConfigError, match='a key is named "app" already; revoke it, or take another name'):
        added(path)


def test_keys_whose_time_is_over_are_in_the_file_and_not_in_force(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    added(path, "short", expires=2000.0)
    added(path, "long")
    assert [key.name for key in ring_of(read_keys(path), 1999.0).keys] == ["short", "long"]
    assert [key.name for key in ring_of(read_keys(path), 2000.0).keys] == ["long"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "this is no whole key file"),
        ('{"version": 1, "salt": "YQ==", "keys": [{"key": {"name": "a"', "this is no whole key file"),
        ('{"version": 1, "keys": [{"key": {"name": "a"}, "made": 1}]}', "this is no whole key file"),
        ('{"version": 1, "keys": [{"key": {"name": "a", "digest": "", "id": "b"}, "made": 1}]}', "keys and no salt"),
        (
            '{"version": 1, "salt": "YQ==", "keys": [{"key": {"name": "a", "digest": ""}, "made": 1}]}',
            "an id is missing",
        ),
        ('{"version": 2, "something": "else"}', "is of version 2, and this program reads 1; update it"),
    ],
)
def test_a_broken_or_newer_file_is_told_and_is_not_written_over(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(text, encoding="utf-8")
    for deed in (lambda: read_keys(path), lambda: added(path), lambda: revoke_key(path, "a")):
        with pytest.raises(ConfigError, match=words):
            deed()
    assert path.read_text(encoding="utf-8") == text


def test_a_file_that_cannot_be_put_in_place_leaves_the_old_one_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "keys.json").mkdir()
    with pytest.raises(ConfigError, match="cannot be written: Is a directory"):
        write_keys(tmp_path / "keys.json", KeyFile())
    assert [file.name for file in tmp_path.iterdir()] == ["keys.json"]
    with pytest.raises(ConfigError, match="cannot be changed: No such file or directory"):
        added(tmp_path / "nowhere" / "keys.json")


def test_the_configuration_brings_the_keys_of_the_file(
    tmp_path: Path, load_text: Load, target: Callable[[str], str]
) -> None:
    added(tmp_path / "keys.json")
    got = load_text(FILE + target(""))
    assert [key.name for key in got.ring.keys] == ["app"]
    assert got.door.keys_file == str(tmp_path / "keys.json")
    assert load_text(target("")).ring.keys == ()
    assert load_text('[[listeners]]\naddress = "0.0.0.0:8080"\n' + FILE + target("")).door.keys == ()


def test_a_key_of_the_file_that_the_configuration_contradicts_is_a_fault(tmp_path: Path, faults_of: Faults) -> None:
    added(tmp_path / "keys.json")
    added(tmp_path / "keys.json", "bound", jurisdictions=("gdpr",))
    named, bound = faults_of(FILE + '[[keys]]\nname = "app"\nenv = "CLIENT"\n')
    assert named.startswith('gateway.keys_file: the key "app" cannot be used: a key of the configuration has the same')
    assert bound.startswith('gateway.keys_file: the key "bound" cannot be used: there is no jurisdiction "gdpr"')
    assert bound.endswith("`surefoot keys revoke bound` takes it out")


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ({"classes": ("helth",)}, 'no jurisdiction that binds the class "helth"'),
        ({"regions": ("EUU",)}, 'no zone "EUU"'),
    ],
)
def test_a_key_of_the_file_that_nothing_would_bind_is_a_fault_and_is_not_admitted_while_the_gateway_runs(
    tmp_path: Path, faults_of: Faults, load_text: Load, target: Callable[[str], str], scope: dict[str, Any], words: str
) -> None:
    clinic = '[jurisdiction.clinic]\nsubjects = { classes = ["health"], regions = ["EU"] }\n'
    watch = KeyWatch(load_text(FILE + clinic + target("")))
    added(tmp_path / "keys.json", "bound", **scope)
    watch.look()
    assert watch.ring.keys == ()
    (fault,) = faults_of(FILE + clinic)
    assert words in fault
    assert fault.endswith("`surefoot keys revoke bound` takes it out")


def test_a_key_file_in_no_directory_or_of_broken_text_is_a_fault(tmp_path: Path, faults_of: Faults) -> None:
    (fault,) = faults_of('[gateway]\nkeys_file = "nowhere/keys.json"\n')
    assert fault.startswith("gateway.keys_file: there is no directory")
    (tmp_path / "keys.json").write_text("no", encoding="utf-8")
    (fault,) = faults_of(FILE)
    assert "this is no whole key file" in fault


def test_a_key_file_that_others_can_write_is_warned_of(
    tmp_path: Path, load_text: Load, target: Callable[[str], str]
) -> None:
    added(tmp_path / "keys.json")
    assert not load_text(FILE + target("")).warnings
    os.chmod(tmp_path / "keys.json", 0o660)  # noqa: PTH101 - the mode that is warned of
    (warning,) = load_text(FILE + target("")).warnings
    assert warning.startswith("gateway.keys_file: others than its owner can put keys into")


def test_scopes_of_keys_in_the_configuration_are_read_and_checked(
    load_text: Load, faults_of: Faults, target: Callable[[str], str]
) -> None:
    scope = 'tenant = "acme"\nroutes = ["chat"]\nclasses = ["health"]\nregions = ["DE"]\n'
    key = '[[keys]]\nname = "app"\nenv = "CLIENT"\n'
    clinic = '[jurisdiction.clinic]\nsubjects = { classes = ["health"] }\n'
    (got,) = load_text(key + scope + "limits = { in_flight = 3, per_minute = 60 }\n" + clinic + target("")).door.keys
    assert (got.tenant, got.routes, got.classes, got.regions) == ("acme", ("chat",), ("health",), ("DE",))
    assert got.limits == KeyLimits(3, 60)
    assert faults_of(key + 'routes = ["chatt"]\njurisdictions = ["gdpr"]\n') == (
        'keys[0].routes: there is no route "chatt"; did you mean `chat`?',
        'keys[0].jurisdictions: there is no jurisdiction "gdpr"; there is none',
    )
    (fault,) = faults_of(key + "limits = { in_flight = 0 }\n")
    assert fault.startswith("keys[0].limits.in_flight: ")
