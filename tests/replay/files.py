"""Files of a small replay: a configuration of two targets, traffic of a few weeks, a list of incidents."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.replay.paired import HOUR, MONDAY
from tests.replay.planned import traffic

CONFIG = """
[targets.primary]
provider = "openai"
model = "gpt-5-mini"
key = { env = "NOT_SET" }
price = { input = "$1/MTok", output = "$10/MTok" }
place = "US"

[targets.spare]
provider = "openai-compatible"
model = "claude-sonnet-4-5"
base_url = "https://claude.example.com/v1"
key = { env = "NOT_SET_EITHER" }
price = { input = "$2/MTok", output = "$20/MTok" }
place = "DE"
domains = { cloud = "anthropic" }

[routes.chat]
targets = ["primary", "spare"]
hedge = "0%"
"""

MODELS = """
[targets.primary]
ttft = { p50 = "500ms" }
rate = { p50 = 100 }
requests_per_minute = 1000

[targets.spare]
ttft = { p50 = "1s" }
rate = { p50 = 100 }
requests_per_minute = 1000
"""

INCIDENTS = """id,provider,start,end,severity,title
one,openai,2024-06-03T01:00Z,2024-06-03T02:00Z,major,Elevated error rates
two,openai,2024-06-10T01:00Z,2024-06-10T03:00Z,minor,Elevated error rates
three,openai,2024-06-06T01:10Z,2024-06-06T01:20Z,major,Elevated error rates
"""
"""The second is mild; during the third nobody calls."""


class Files(NamedTuple):
    """Where they are."""

    folder: Path
    config: Path
    traffic: Path
    incidents: Path
    models: Path

    def options(self, *more: str, out: str = "out") -> list[str]:
        """Of `surefoot replay`."""
        named = {"-c": self.config, "--traffic": self.traffic, "--incidents": self.incidents, "--models": self.models}
        given = [str(part) for pair in named.items() for part in pair]
        return [*given, "-o", str(self.folder / out), *more]


def written(folder: Path, hours: Sequence[float] | None = None, **files: str) -> Files:
    """All four; calls come at so many hours after `MONDAY`, and every half hour of eight days unless told."""
    found = Files(folder, *(folder / name for name in ("surefoot.toml", "traffic.parquet", "incidents.csv", "m.toml")))
    found.config.write_text(files.get("config", CONFIG), encoding="utf-8")
    found.incidents.write_text(files.get("incidents", INCIDENTS), encoding="utf-8")
    found.models.write_text(files.get("models", MODELS), encoding="utf-8")
    at = [step / 2 for step in range(8 * 48)] if hours is None else hours
    lengths = {"prompt_tokens": 1000, "completion_tokens": 100}
    traffic(found.traffic, [{"at": MONDAY + one * HOUR, **lengths} for one in at])
    return found
