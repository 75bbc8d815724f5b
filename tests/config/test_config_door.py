"""Listeners and keys: what is refused at the front door, and that no key is kept."""

from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from surefoot.config.configuration import Configuration
from surefoot.config.door import digest_of
from surefoot.domain.front import Idempotency

Load = Callable[..., Configuration]
Faults = Callable[..., tuple[str, ...]]
KEY = '[[keys]]\nname = "app"\nenv = "CLIENT"\n'


def listener(lines: str) -> str:
    return f"[[listeners]]\n{lines}\n"


def pair(tmp_path: Path, name: str = "localhost") -> tuple[Path, Path]:
    issued = trustme.CA().issue_cert(name)
    certificate, key = tmp_path / f"{name}.pem", tmp_path / f"{name}.key"
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    return certificate, key


def test_an_open_listener_without_keys_is_refused(faults_of: Faults) -> None:
    for address in ("0.0.0.0:8080", "[::]:8080", "surefoot.example.com:8080"):
        (fault,) = faults_of(listener(f'address = "{address}"'))
        assert fault.startswith("listeners[0].address: anyone on the network could use this address: add [[keys]]")


def test_an_open_listener_with_keys_is_allowed(load_text: Load, target: Callable[[str], str]) -> None:
    got = load_text(listener('address = "0.0.0.0:8080"') + KEY + target(""))
    assert got.door.listeners[0].host == "0.0.0.0"


def test_of_a_key_only_the_salted_digest_is_kept(load_text: Load, target: Callable[[str], str]) -> None:
    (key,) = load_text(KEY + target("")).door.keys
    assert key.name == "app"
    assert key.digest == digest_of("client-key-0123456789", bytes(32))
    assert key.digest != digest_of("client-key-0123456789", b"\x01" * 32)


def test_a_short_key_is_refused_without_being_repeated(faults_of: Faults) -> None:
    (fault,) = faults_of(KEY, {"KEY": "k", "CLIENT": "tooshort"})
    assert fault == "keys[0]: the key has 8 characters; use at least 16, drawn at random"


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({}, "keys[0].env: the environment variable CLIENT is not set"),
        ({"CLIENT": "  "}, "keys[0].env: the environment variable CLIENT is empty"),
        ({"CLIENT": "two words of a key"}, "keys[0].env: the environment variable CLIENT holds signs that no key has"),
    ],
)
def test_a_key_that_is_not_there_or_cannot_be_one_is_a_fault(
    faults_of: Faults, environ: dict[str, str], sentence: str
) -> None:
    (fault,) = faults_of(KEY, {"KEY": "k", **environ})
    assert fault.startswith(sentence)


def test_a_key_file_that_is_missing_or_empty_is_a_fault(faults_of: Faults, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    text = '[[keys]]\nname = "a"\nfile = "none"\n[[keys]]\nname = "b"\nfile = "empty"\n'
    missing, empty = faults_of(text)
    assert missing.startswith("keys[0].file: there is no file")
    assert empty.startswith("keys[1].file: the file")
    assert empty.endswith("is empty")


def test_two_keys_need_two_names_and_two_secrets(faults_of: Faults) -> None:
    assert faults_of(KEY + KEY) == ('keys[1].name: another key is named "app" already',)
    (fault,) = faults_of(KEY + KEY.replace("app", "other"))
    assert fault.startswith('keys[1]: has the same secret as "app"')


def test_a_key_names_exactly_one_source(faults_of: Faults) -> None:
    assert faults_of('[[keys]]\nname = "a"\n') == ("keys[0]: needs exactly one of `env` and `file`",)
    assert faults_of('[[keys]]\nname = "a"\nenv = "CLIENT"\nfile = "f"\n') == (
        "keys[0]: needs exactly one of `env` and `file`",
    )


def test_a_fault_in_one_key_does_not_shift_the_number_of_the_next(faults_of: Faults) -> None:
    faults = faults_of('[[keys]]\nname = "a"\n[[keys]]\nname = "b"\nenv = "NONE"\n')
    assert [fault.split(": ")[0] for fault in faults] == ["keys[0]", "keys[1].env"]


def test_a_key_without_a_name_is_still_looked_for(faults_of: Faults) -> None:
    faults = faults_of('[[keys]]\nenv = "NONE"\n')
    assert [fault.split(": ")[0] for fault in faults] == ["keys[0].name", "keys[0].env"]


def test_two_listeners_cannot_share_an_address(faults_of: Faults) -> None:
    one = listener('address = "127.0.0.1:9000"')
    assert faults_of(one + one) == ("listeners[1].address: 127.0.0.1:9000 is taken by listeners[0].address",)


def test_the_admin_application_needs_an_address_of_its_own(faults_of: Faults) -> None:
    (fault,) = faults_of('[admin]\naddress = "127.0.0.1:8080"\n')
    assert fault == "admin.address: 127.0.0.1:8080 is taken by listeners[0].address"


def test_port_zero_may_be_asked_for_twice(load_text: Load, target: Callable[[str], str]) -> None:
    one = listener('address = "127.0.0.1:0"')
    assert len(load_text(one + one + target("")).door.listeners) == 2


def test_an_open_admin_application_is_a_warning(load_text: Load, target: Callable[[str], str]) -> None:
    (warning,) = load_text('[admin]\naddress = "0.0.0.0:8081"\n' + target("")).warnings
    assert warning.startswith("admin.address: can be reached by others")


def test_a_listener_speaks_tls_with_a_good_pair(load_text: Load, target: Callable[[str], str], tmp_path: Path) -> None:
    certificate, key = pair(tmp_path)
    text = listener(f'tls = {{ certificate = "{certificate.name}", key = "{key.name}" }}') + target("")
    got = load_text(text).door.listeners[0]
    assert (got.certificate, got.private_key) == (str(certificate), str(key))


def test_half_a_tls_pair_is_a_fault(faults_of: Faults) -> None:
    (fault,) = faults_of(listener('tls = { certificate = "cert.pem" }'))
    assert fault.startswith("listeners[0].tls.key: is required; it is: PEM file with the private key")


def test_missing_tls_files_are_faults(faults_of: Faults) -> None:
    faults = faults_of(listener('tls = { certificate = "none.pem", key = "none.key" }'))
    assert [fault.split(": ")[0] for fault in faults] == ["listeners[0].tls.certificate", "listeners[0].tls.key"]


def test_a_certificate_and_the_key_of_another_are_a_fault(faults_of: Faults, tmp_path: Path) -> None:
    certificate, _ = pair(tmp_path, "one.example")
    _, key = pair(tmp_path, "two.example")
    (fault,) = faults_of(listener(f'tls = {{ certificate = "{certificate.name}", key = "{key.name}" }}'))
    assert fault.startswith("listeners[0].tls: certificate and key cannot be used together")


def test_what_is_kept_for_retries_is_bounded_as_the_file_says(load_text: Load, target: Callable[[str], str]) -> None:
    lines = '[gateway.idempotency]\nwindow = "1m"\nkeys = 0\nmemory = "2MiB"\nanswer = "1MiB"\n'
    assert load_text(lines + target("")).door.idempotency == Idempotency(60.0, 0, 2 * 1024**2, 1024**2)
    assert load_text(target("")).door.idempotency == Idempotency()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('window = "0s"', "gateway.idempotency.window: "),
        ("keys = -1", "gateway.idempotency.keys: "),
        ("memory = 5", "gateway.idempotency.memory: "),
        ('answer = "65MiB"', "gateway.idempotency.answer: one answer may not take more than all of them: see `memory`"),
    ],
)
def test_what_is_kept_for_retries_needs_units_and_sense(faults_of: Faults, line: str, sentence: str) -> None:
    (fault,) = faults_of(f"[gateway.idempotency]\n{line}\n")
    assert fault.startswith(sentence)
