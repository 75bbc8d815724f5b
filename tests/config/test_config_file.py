"""The file as a whole: all faults at once, what a good one becomes, and that secrets stay out of sight."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surefoot.config.configuration import Configuration
from surefoot.config.loading import load
from surefoot.domain.front import Door, Listener
from surefoot.domain.jurisdiction import Constraints, Deny, Jurisdiction
from surefoot.domain.place import Place, Transfer
from surefoot.domain.route import Limits, Order, Route, Rung, When
from surefoot.domain.units import Price
from surefoot.errors import ConfigError
from surefoot.policy.options import PolicyOptions

Load = Callable[..., Configuration]
Faults = Callable[..., tuple[str, ...]]

WHOLE = """
[[listeners]]
address = "127.0.0.1:8080"
[gateway]
body_limit = "1MiB"
drain = "5s"
trace = "trace.bin"
[admin]
address = "[::1]:9"
[journal]
path = "calls.db"
[[keys]]
name = "app"
env = "CLIENT"
[targets."gpt-4.1"]
provider = "openai"
model = "gpt-4.1"
base_url = "https://eu.api.openai.com:8443/v1/"
place = { processes = ["eu"], transfer = "none", seat = "IE" }
domains = { cloud = "openai", cdn = "cloudflare" }
window = 128_000
price = { input = "$0.25/MTok", output = "$0.002/1k" }
key = { env = "KEY" }
headers = { "X-Team" = "a" }
max_in_flight = 64
[targets.house]
provider = "llama-cpp"
model = "smollm2"
base_url = "http://127.0.0.1:8090/v1"
place = { processes = ["cellar"], stores = [], operator = "Us", seat = "de", transfer = "none", retention = "30d" }
[routes.chat]
targets = ["gpt-4.1", { target = "house", when = { prompt_tokens = "<= 800" } }]
order = "latency"
jurisdiction = "near"
limits = { deadline = "60s", attempts = 3 }
hedge = "5%"
[zones.cellar]
within = ["DE"]
[jurisdiction.near]
processes = ["EU"]
transfers = ["none"]
deny = { seats = ["US"] }
[policy.first_token]
hedge = "400ms"
"""


def test_a_good_file_becomes_what_it_says(load_text: Load, tmp_path: Path) -> None:
    got = load_text(WHOLE)
    assert got.door.listeners == (Listener("127.0.0.1", 8080),)
    assert (got.door.body_limit, got.door.drain) == (2**20, 5.0)
    assert (got.admin.host, got.admin.port) == ("::1", 9)
    assert got.journal == str(tmp_path / "calls.db")
    assert got.trace == str(tmp_path / "trace.bin")
    openai, house = got.targets
    assert (openai.endpoint.host, openai.endpoint.port, openai.endpoint.tls) == ("eu.api.openai.com", 8443, True)
    assert openai.endpoint.path == "/v1"
    assert openai.endpoint.headers == (("x-team", "a"),)
    assert openai.price == Price(0.25, 2.0)
    assert (openai.window, openai.max_in_flight, openai.place) == (
        128_000,
        64,
        Place(("EU",), seat="IE", transfer=Transfer.NONE),
    )
    assert house.place == Place(("cellar",), (), "Us", "DE", Transfer.NONE, retention=30 * 86_400.0)
    assert got.jurisdictions == (
        Jurisdiction("near", constraints=Constraints(("EU",), transfers=(Transfer.NONE,)), deny=Deny(seats=("US",))),
    )
    assert (house.endpoint.host, house.endpoint.port, house.endpoint.tls) == ("127.0.0.1", 8090, False)
    assert got.routes == (
        Route(
            "chat",
            (Rung("gpt-4.1"), Rung("house", When(0, 800))),
            Order.LATENCY,
            "near",
            Limits(deadline=60.0, attempts=3),
            0.05,
        ),
    )
    assert got.options.first_token.hedge == 0.4
    assert got.credentials == {"gpt-4.1": "provider-secret-1"}
    assert got.warnings == ()


def test_what_a_file_leaves_out_has_the_default_that_stands_beside_the_code(
    load_text: Load, target: Callable[[str], str]
) -> None:
    got = load_text(target(""))
    assert got.options == PolicyOptions()
    assert got.routes[0] == Route("chat", (Rung("a"),))
    assert got.door == Door((Listener("127.0.0.1", 8080),), salt=bytes(32))
    assert (got.admin.host, got.admin.port) == ("127.0.0.1", 8081)
    assert got.journal is not None
    assert got.journal.endswith("surefoot.db")


def test_an_empty_listener_listens_on_the_default_address(load_text: Load, target: Callable[[str], str]) -> None:
    assert load_text("[[listeners]]\n" + target("")).door.listeners == (Listener("127.0.0.1", 8080),)


def test_a_journal_can_be_turned_off(load_text: Load, target: Callable[[str], str]) -> None:
    assert load_text("[journal]\nenabled = false\n" + target("")).journal is None


def test_all_faults_are_told_at_once_each_with_its_path(faults_of: Faults) -> None:
    faults = faults_of("""
[gateway]
body_limit = 3
[targets.a]
provider = "opnai"
price = { input = "0.2", output = "$2/MTok" }
key = { env = "NOPE" }
windw = 3
[targets.b]
provider = "azure-openai"
model = "m"
key = { env = "KEY" }
[routes.chat]
targets = ["a", "bb"]
limits = { deadline = 60 }
[policy.breaker]
streak = 0
""")
    assert sorted(fault.split(": ")[0] for fault in faults) == [
        "gateway.body_limit",
        "policy.breaker.streak",
        "routes.chat.limits.deadline",
        "routes.chat.targets[1]",
        "targets.a.key.env",
        "targets.a.model",
        "targets.a.price.input",
        "targets.a.provider",
        "targets.a.windw",
        "targets.b.base_url",
    ]


def test_a_missing_file_is_one_fault_that_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file; `surefoot init -o .*none.toml` writes one"):
        load(tmp_path / "none.toml", {})


def test_a_directory_in_place_of_the_file_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, {})


def test_a_file_that_is_not_utf_8_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(ConfigError, match="not UTF-8 at byte 5"):
        load(tmp_path / "x.toml", {})


@pytest.mark.parametrize(("text", "line"), [("a = 1\nb = = 2\n", 2), ("\n\nkey = 'open", 3), ("[t\n", 1)])
def test_a_toml_error_names_its_line(load_text: Load, text: str, line: int) -> None:
    with pytest.raises(ConfigError, match=rf"surefoot\.toml:{line}: "):
        load_text(text)


def test_an_empty_file_needs_targets_and_routes(load_text: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text("")
    assert [fault.split(":")[0] for fault in caught.value.faults] == ["targets", "routes"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[[listener]]\n", "listener: unknown key; did you mean `listeners`?"),
        ("[gateway]\ndrian = '2s'\n", "gateway.drian: unknown key; did you mean `drain`?"),
        ("[policy.breakr]\n", "policy.breakr: unknown key; did you mean `breaker`?"),
        ("[policy.budget]\nbrust = 3\n", "policy.budget.brust: unknown key; did you mean `burst`?"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(faults_of: Faults, text: str, fault: str) -> None:
    assert faults_of(text) == (fault,)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("targets = 3\n", "targets"),
        ("gateway = 3\n[targets.a]\nprovider = 'openai'\nmodel = 'm'\n", "gateway"),
        ("keys = 3\n[targets.a]\nprovider = 'openai'\nmodel = 'm'\n", "keys"),
        ("[policy]\nbreaker = 3\n", "policy.breaker"),
        ("[journal]\nenabled = 'yes'\n", "journal.enabled"),
        ("[journal]\npath = 3\n", "journal.path"),
        ("[journal]\npath = 'nowhere/surefoot.db'\n", "journal.path"),
        ("[gateway]\ntrace = 'nowhere/trace'\n", "gateway.trace"),
        ("[gateway]\nread_timeout = '0s'\n", "gateway.read_timeout"),
        ("[gateway]\nread_timeout = '25h'\n", "gateway.read_timeout"),
        ("[gateway]\nheader_limit = '2GiB'\n", "gateway.header_limit"),
        ("[policy.first_token]\nmargin = 0.5\n", "policy.first_token.margin"),
        ("[policy.first_token]\nhedge_quantile = 1.0\n", "policy.first_token.hedge_quantile"),
        ("[policy.first_token]\nhedge = '4s'\n", "policy.first_token.hedge"),
        ("[policy.first_token]\nsamples = 2.5\n", "policy.first_token.samples"),
        ("[policy.breaker]\nstreak = 11\n", "policy.breaker.streak"),
        ("[policy.budget]\nshare = '200%'\n", "policy.budget.share"),
    ],
)
def test_a_value_of_the_wrong_form_or_range_is_a_fault(faults_of: Faults, text: str, path: str) -> None:
    if text == "targets = 3\n":
        text += "[routes.chat]\ntargets = ['a']\n# [targets.\n"
    faults = faults_of(text)
    assert [fault.split(": ")[0] for fault in faults] == [path]


def test_the_version_is_that_of_the_content_not_of_its_spelling(load_text: Load, target: Callable[[str], str]) -> None:
    plain = load_text(target("")).version
    assert len(plain) == 12
    assert int(plain, 16) >= 0
    assert load_text("# a comment\n" + target("window = 1")).version != plain
    assert load_text("# a comment\n[policy.breaker]\nopen_for = '10000ms'\n" + target("")).version == plain
    assert load_text(target(""), {"KEY": "another-secret"}).version == plain


def test_no_secret_is_seen_when_a_configuration_is_printed(load_text: Load) -> None:
    got = load_text(WHOLE)
    assert "provider-secret-1" not in repr(got) + str(got) + repr(got.credentials)
    assert "client-key" not in repr(got) + str(msgspec.to_builtins(got.door))


def test_relative_paths_start_where_the_file_is(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "key.txt").write_text("from-a-file\n")
    file = tmp_path / "deep" / "surefoot.toml"
    file.write_text(
        "[routes.chat]\ntargets = ['a']\n[targets.a]\nprovider = 'openai'\nmodel = 'm'\nkey = { file = 'key.txt' }\n"
    )
    assert load(file, {}).credentials == {"a": "from-a-file"}


def test_every_load_draws_a_salt_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "surefoot.toml"
    file.write_text("[routes.chat]\ntargets = ['a']\n[targets.a]\nprovider = 'ollama'\nmodel = 'm'\n")
    salts = {load(file, {}).door.salt for _ in range(2)}
    assert len(salts) == 2
    assert {len(salt) for salt in salts} == {32}


JUNK = [
    "3",
    "-1",
    "0.5",
    "true",
    '""',
    '"x"',
    "[]",
    "[1]",
    "{}",
    "{ x = 1 }",
    "[[]]",
    "1979-05-27",
    '"\\u0000"',
    "inf",
    "nan",
]
LINES = [number for number, line in enumerate(WHOLE.splitlines()) if " = " in line]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.sampled_from(LINES), st.sampled_from(JUNK), min_size=1, max_size=5))
def test_whatever_stands_in_the_file_it_loads_or_its_faults_are_told(load_text: Load, junk: dict[int, str]) -> None:
    lines = WHOLE.splitlines()
    for number, value in junk.items():
        lines[number] = f"{lines[number].split(' = ')[0]} = {value}"
    faults: tuple[str, ...] = ()
    try:
        load_text("\n".join(lines))
    except ConfigError as error:
        faults = error.faults
    assert all(": " in fault for fault in faults)
    assert "provider-secret-1" not in "".join(faults)
