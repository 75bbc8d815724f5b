"""Targets: what a profile brings, and what is refused before a request could find out."""

from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from surefoot.config.configuration import Configuration
from surefoot.config.profiles import dialects, profiles
from surefoot.domain.features import Feature
from surefoot.domain.target import Continues

Load = Callable[..., Configuration]
Faults = Callable[..., tuple[str, ...]]
Writing = Callable[[str], str]


def test_every_profile_can_be_used(load_text: Load, target: Writing) -> None:
    for name, profile in profiles().items():
        lines = f'provider = "{name}"\n'
        if not profile.base_url or name == "llama-cpp":
            lines += 'base_url = "https://models.example.com/v1"\n'
        got = load_text(target(lines)).targets[0]
        assert got.dialect in dialects()
        assert got.usage_in_stream is profile.usage_in_stream
        assert (got.continues, got.prefill) == (profile.continues, profile.prefill)
        assert got.deadline_header == profile.deadline_header
        assert profile.source
        assert profile.as_of


def test_another_surefoot_is_told_the_rest_of_the_deadline_and_nobody_else_is(load_text: Load, target: Writing) -> None:
    got = load_text(target('provider = "surefoot"\nbase_url = "https://other.example.com/v1"')).targets[0]
    assert (got.deadline_header, got.continues) == ("surefoot-deadline", Continues.PROMPT)
    assert [name for name, profile in profiles().items() if profile.deadline_header] == ["surefoot"]


def test_only_a_target_that_goes_on_by_prefill_carries_keys_for_it(load_text: Load, target: Writing) -> None:
    got = load_text(target('provider = "vllm"')).targets[0]
    assert (got.continues, got.prefill) == (
        Continues.PREFILL,
        {"continue_final_message": True, "add_generation_prompt": False},
    )
    assert all(profile.continues is Continues.PREFILL for profile in profiles().values() if profile.prefill)


def test_azure_takes_its_key_in_a_header_of_its_own(load_text: Load, target: Writing) -> None:
    base_url = "https://x.openai.azure.com/openai/v1"
    got = load_text(target(f'provider = "azure-openai"\nbase_url = "{base_url}"')).targets[0].endpoint
    assert (got.credential_header, got.credential_prefix, got.path) == ("api-key", "", "/openai/v1")


def test_features_are_what_is_declared_and_unknown_unless_said(load_text: Load, target: Writing) -> None:
    said = [
        load_text(target(lines)).targets[0].features for lines in ('features = ["image", "tools"]', "features = []", "")
    ]
    assert said == [frozenset({Feature.TOOLS, Feature.IMAGE}), frozenset(), None]


def test_a_static_target_declares_no_features(faults_of: Faults) -> None:
    real = '[targets.a]\nprovider = "ollama"\nmodel = "m"\n[routes.chat]\ntargets = ["a", "sorry"]\n'
    (fault,) = faults_of(real + '[targets.sorry]\nprovider = "static"\nmodel = "m"\ntext = "Later."\nfeatures = []\n')
    assert fault == "targets.sorry.features: has no meaning for a static target: nothing is reached"


def test_a_base_url_without_a_path_or_port_has_the_usual_ones(load_text: Load, target: Writing) -> None:
    got = load_text(target('base_url = "http://localhost"')).targets[0].endpoint
    assert (got.host, got.port, got.tls, got.path) == ("localhost", 80, False, "")


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ('provider = "opnai"', "targets.a.provider: unknown provider; did you mean `openai`?"),
        ('provider = "azure-openai"', "targets.a.base_url: is required: azure-openai has none of its own"),
        ('provider = "openai-compatible"', "targets.a.base_url: is required"),
        ('dialect = "openai-chatt"', "targets.a.dialect: unknown dialect; did you mean `openai-chat`?"),
        ('base_url = "api.example.com/v1"', "targets.a.base_url: must be like"),
        ('base_url = "ftp://api.example.com"', "targets.a.base_url: must be like"),
        ('base_url = "https://"', "targets.a.base_url: must be like"),
        ('base_url = "https://h:port/"', "targets.a.base_url: is not a URL"),
        ('base_url = "https://h:0/"', "targets.a.base_url: must not name port 0"),
        ('base_url = "https://u:secret@h/v1"', "targets.a.base_url: must not carry a user or password"),
        ('base_url = "https://h/v1?key=secret"', "targets.a.base_url: must end before `?` and `#`"),
        ('base_url = "https://h/v1/chat/completions"', "targets.a.base_url: must end before /chat/completions"),
        ('base_url = "http://127.0.0.1:8080/v1"', "targets.a.base_url: is this gateway's own listener"),
        ('key = "sk-secret"', "targets.a.key: say where the secret is, not the secret itself"),
        ('key = { env = "NONE" }', "targets.a.key.env: the environment variable NONE is not set; export it"),
        ('key = { file = "none" }', "targets.a.key.file: there is no file"),
        ('key = { env = "KEY", file = "f" }', "targets.a.key: needs exactly one of `env` and `file`"),
        ('key = { value = "sk-secret" }', "targets.a.key.value: unknown key"),
        ('ca = "none.pem"', "targets.a.ca: there is no file"),
        ('headers = { Authorization = "secret" }', "targets.a.headers.Authorization: looks like a credential"),
        ('headers = { x-api-key = "secret" }', "targets.a.headers.x-api-key: looks like a credential"),
        ('headers = { x-team = "Bearer secret" }', "targets.a.headers.x-team: looks like a credential"),
        ('headers = { host = "h" }', "targets.a.headers.host: is set by the gateway itself"),
        ('headers = { "x y" = "h" }', 'targets.a.headers."x y": is not a header name'),
        ('headers = { x-team = "ü" }', "targets.a.headers.x-team: must be plain ASCII"),
        ('headers = { x-team = "a\\r\\nb: c" }', "targets.a.headers.x-team: must be one line"),
        ("window = 0", "targets.a.window: 0 is out of range: at least 1"),
        ('window = "128k"', "targets.a.window: must be a whole number"),
        ("max_in_flight = 0", "targets.a.max_in_flight: 0 is out of range: at least 1"),
        ('price = { input = "$1/MTok" }', "targets.a.price.output: is required"),
        ('price = { input = "$1/token", output = "$1/MTok" }', "targets.a.price.input: a price is dollars per million"),
        ('place = "the moon"', 'targets.a.place: "the moon" is not a name'),
        ('features = ["tools", "imgae"]', "targets.a.features[1]: unknown feature; did you mean `image`?"),
        ('features = ["Tools"]', "targets.a.features[0]: unknown feature; did you mean `tools`?"),
        ("features = [1]", "targets.a.features[0]: must be text in quotes"),
        ('features = "tools"', "targets.a.features: must be a list"),
        ('model = ""', "targets.a.model: must not be empty"),
    ],
)
def test_a_wrong_target_is_refused(faults_of: Faults, target: Writing, lines: str, fault: str) -> None:
    (told,) = faults_of(target(lines))
    assert told.startswith(fault)
    assert "secret" not in told.replace("secret is", "").replace("secret itself", "")


def test_a_target_needs_a_name_that_fits_into_a_header(faults_of: Faults) -> None:
    text = '[routes.chat]\ntargets = ["a,b"]\n[targets."a,b"]\nprovider = "ollama"\nmodel = "m"\n'
    (fault,) = faults_of(text)
    assert fault.startswith('targets."a,b": a target\'s name must match')


def test_a_missing_word_does_not_hide_the_other_faults(faults_of: Faults) -> None:
    faults = faults_of('[routes.chat]\ntargets = ["a"]\n[targets.a]\nprovider = "openai"\nkey = { env = "NONE" }\n')
    assert [fault.split(": ")[0] for fault in faults] == ["targets.a.model", "targets.a.key.env"]


def test_a_file_of_authorities_must_hold_certificates(
    faults_of: Faults, load_text: Load, target: Writing, tmp_path: Path
) -> None:
    (tmp_path / "bad.pem").write_text("nothing here")
    (fault,) = faults_of(target('ca = "bad.pem"'))
    assert fault.startswith("targets.a.ca: the file")
    trustme.CA().cert_pem.write_to_path(tmp_path / "good.pem")
    assert load_text(target('ca = "good.pem"')).targets[0].endpoint.ca_file == str(tmp_path / "good.pem")


@pytest.mark.parametrize(
    ("lines", "warning"),
    [
        ('base_url = "http://10.0.0.1/v1"', "targets.a.base_url: is plain http to another machine"),
        (
            'price = { input = "$2000/MTok", output = "$2/MTok" }',
            "targets.a.price.input: $2,000 per million tokens is almost surely a price per thousand",
        ),
    ],
)
def test_what_is_likely_a_mistake_is_a_warning(load_text: Load, target: Writing, lines: str, warning: str) -> None:
    (told,) = load_text(target(lines)).warnings
    assert told.startswith(warning)


def test_a_cloud_without_a_key_is_a_warning_and_a_local_server_is_not(load_text: Load) -> None:
    text = '[routes.chat]\ntargets = ["a"]\n[targets.a]\nprovider = "{}"\nmodel = "m"\n'
    (warning,) = load_text(text.format("groq")).warnings
    assert 'usually key = { env = "GROQ_API_KEY" }' in warning
    assert load_text(text.format("ollama")).warnings == ()


def test_a_target_that_no_route_uses_is_a_warning(load_text: Load, target: Writing) -> None:
    text = target("") + '[targets.spare]\nprovider = "ollama"\nmodel = "m"\n'
    assert load_text(text).warnings == ("targets.spare: is used by no route",)
