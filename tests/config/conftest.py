"""What the tests of the configuration share: writing a file and loading it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from surefoot.config.configuration import Configuration
from surefoot.config.loading import load
from surefoot.errors import ConfigError

ENVIRON = {"KEY": "provider-secret-1", "CLIENT": "client-key-0123456789"}
SALT = bytes(32)

Load = Callable[..., Configuration]
Faults = Callable[..., tuple[str, ...]]


@pytest.fixture
def load_text(tmp_path: Path) -> Load:
    def loading(text: str, environ: Mapping[str, str] = ENVIRON) -> Configuration:
        file = tmp_path / "surefoot.toml"
        file.write_text(text, encoding="utf-8")
        return load(file, environ, SALT)

    return loading


@pytest.fixture
def faults_of(load_text: Load) -> Faults:
    """The faults of a file; the rest of a good file is added where the text has no targets or routes."""

    def telling(text: str, environ: Mapping[str, str] = ENVIRON) -> tuple[str, ...]:
        if "[targets." not in text:
            text += '\n[targets.a]\nprovider = "openai"\nmodel = "m"\nkey = { env = "KEY" }\n'
        if "[routes." not in text:
            text += '\n[routes.chat]\ntargets = ["a"]\n'
        with pytest.raises(ConfigError) as caught:
            load_text(text, environ)
        return caught.value.faults

    return telling


@pytest.fixture
def target() -> Callable[[str], str]:
    """A file with one target, `a`, that has these lines too, and a route to it."""

    def writing(lines: str) -> str:
        base = {"provider": '"openai"', "model": '"m"', "key": '{ env = "KEY" }'}
        given = {line.split("=")[0].strip() for line in lines.splitlines()}
        rest = "\n".join(f"{name} = {value}" for name, value in base.items() if name not in given)
        return f'[routes.chat]\ntargets = ["a"]\n[targets.a]\n{rest}\n{lines}\n'

    return writing
