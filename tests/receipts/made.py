"""Records and configurations as the notary gets them, for the tests of receipts."""

import os
from pathlib import Path

from surefoot.config.configuration import Configuration
from surefoot.config.loading import load
from surefoot.domain.record import ATTEMPT_FIELDS, CALL_FIELDS, CallRecord

FILE = """
[targets.near]
provider = "openai-compatible"
base_url = "http://127.0.0.1:1/v1"
model = "m-near"
window = 1000
[targets.far]
provider = "openai-compatible"
base_url = "http://127.0.0.1:2/v1"
model = "m-far"
[routes.chat]
targets = ["near", { target = "far", when = { prompt_tokens = "<= 5000" } }]
"""

AT = 1_767_225_600.25
"""2026-01-01, a quarter of a second after midnight, in UTC."""


def configuration(folder: Path, text: str = FILE) -> Configuration:
    file = folder / "surefoot.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, os.environ)


def attempt(number: int = 0, target: str = "near", **known: object) -> list[object]:
    told: dict[str, object] = dict.fromkeys(ATTEMPT_FIELDS)
    told |= {"number": number, "target": target, "reason": "fallback" if number else "first", "kind": "ok"}
    told |= {"started": 0.5 * number, "sent": 0.5 * number, "rules": "", **known}
    return [told[name] for name in ATTEMPT_FIELDS]


def call(*attempts: list[object], config: str, **known: object) -> CallRecord:
    told: dict[str, object] = dict.fromkeys(CALL_FIELDS)
    told |= {"call": "c-1", "at": AT, "route": "chat", "key": "app", "config": config, "drill": 0, "stream": False}
    told |= {"prompt_tokens": 10, "max_tokens": 0, "features": "", "kind": "ok"}
    told |= {"jurisdiction": "anywhere", "jurisdiction_version": ""}
    told |= {"attempts": list(attempts), **known}
    return tuple(told[name] for name in CALL_FIELDS)
