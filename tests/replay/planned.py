"""A configuration, traffic and incidents for the tests of planning, fitting and stresses, written to real files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from surefoot.config.configuration import Configuration
from surefoot.intake.incident import Incident, Severity
from surefoot.replay.arms import read_configuration
from surefoot.replay.models.model import Floats, TargetModel, constant
from surefoot.replay.virtual.batch import Batch

TARGETS = """
[targets.azure-eu]
provider = "azure-openai"
model = "gpt-5-mini"
base_url = "https://example.openai.azure.com/openai/v1"
place = { processes = ["SE"] }
domains = { cloud = "azure", region = "swedencentral" }
price = { input = "$0.25/MTok", output = "$2/MTok" }
key = { env = "NOT_SET_AZURE" }
max_in_flight = 8

[targets.openai-us]
provider = "openai"
model = "gpt-5-mini-2025-08-07"
place = { processes = ["US"], transfer = "DPF" }
domains = { cloud = "openai", region = "us" }
key = { env = "NOT_SET_OPENAI" }

[targets.claude-us]
provider = "openai-compatible"
model = "claude-sonnet-4-5"
base_url = "https://claude.example.com/v1"
place = { processes = ["US"], transfer = "SCC" }
domains = { cloud = "anthropic" }
key = { env = "NOT_SET_CLAUDE" }
"""

ROUTES = """
[routes.chat]
targets = ["openai-us", "claude-us", "azure-eu"]
order = "latency"
hedge = "10%"
resume = "text"
exercise = "1%"
"""

EU = """
[jurisdiction.eu]
processes = ["EEA"]

[[keys]]
name = "european"
env = "NOT_SET_KEY"
jurisdictions = ["eu"]

[[keys]]
name = "anybody"
env = "NOT_SET_OTHER_KEY"
"""
COLUMNS = (
    'call VARCHAR, "at" DOUBLE, route VARCHAR, provider VARCHAR, model VARCHAR, stream BOOLEAN, prompt_tokens INTEGER, '
    "completion_tokens INTEGER, max_tokens INTEGER, ttft DOUBLE, duration DOUBLE, failed BOOLEAN, kind VARCHAR, "
    'first_failed BOOLEAN, first_kind VARCHAR, attempts INTEGER, cost DOUBLE, "user" VARCHAR, "key" VARCHAR'
)
NAMES = [column.split()[0].strip('"') for column in COLUMNS.split(", ")]


def configured(folder: Path, text: str = ROUTES, targets: str = TARGETS) -> Configuration:
    """Read without any credential that it names."""
    file = folder / "surefoot.toml"
    file.write_text(targets + text, encoding="utf-8")
    return read_configuration(file, {})


def incident(**changed: Any) -> Incident:
    """An hour of elevated errors at OpenAI."""
    usual: dict[str, Any] = {
        "id": "a",
        "provider": "openai",
        "start": 1_000.0,
        "end": 4_600.0,
        "severity": Severity.MAJOR,
        "title": "Elevated errors on the API",
    }
    return Incident(**(usual | changed))


def traffic(path: Path, calls: Sequence[dict[str, Any]]) -> Path:
    """A traffic file with these calls; what a call does not say is usual."""
    usual: dict[str, Any] = dict.fromkeys(NAMES) | {
        "route": "chat",
        "provider": "openai",
        "model": "gpt-5-mini",
        "stream": True,
        "prompt_tokens": 500,
        "completion_tokens": 101,
        "failed": False,
        "first_failed": False,
        "attempts": 1,
    }
    rows = [usual | {"call": str(number)} | call for number, call in enumerate(calls)]
    with duckdb.connect() as base:
        base.execute(f"CREATE TABLE calls ({COLUMNS})")
        if rows:  # column by column: a row at a time takes a hundred times as long
            columns = {f"c{place}": [row[name] for row in rows] for place, name in enumerate(NAMES)}
            base.execute(f"INSERT INTO calls SELECT {', '.join(f'unnest(${name})' for name in columns)}", columns)
        base.table("calls").order('"at"').write_parquet(str(path))
    return path


def numbered(path: Path, at: Floats) -> Path:
    """A traffic file of many usual calls at these times."""
    traffic(path, [{"at": 0.0}])
    with duckdb.connect() as base:
        base.execute("CREATE TABLE usual AS SELECT * FROM read_parquet($file)", {"file": str(path)})
        base.execute("CREATE TABLE times AS SELECT unnest($at) t", {"at": at.tolist()})
        base.sql('SELECT usual.* REPLACE (t AS "at") FROM usual, times ORDER BY t').write_parquet(str(path))
    return path


def models(_configuration: object) -> dict[str, TargetModel]:
    """Half a second to the first token of every target, then a hundred tokens a second."""
    return {
        name: TargetModel(target=name, ttft=constant(0.5), rate=constant(100.0))
        for name in ("azure-eu", "openai-us", "claude-us")
    }


def batch(count: int, *, every: float = 1.0, key: str = "", stream: bool = True) -> Batch:
    """Short calls of the route `chat`, evenly spaced."""
    same = np.ones(count, np.int64)
    return Batch(
        first=0,
        at=1_700_000_000.0 + every * np.arange(count, dtype=np.float64),
        routes=("chat",),
        route=0 * same,
        keys=(key,),
        key=0 * same,
        stream=same * stream,
        prompt_tokens=100 * same,
        completion_tokens=10 * same,
        max_tokens=0 * same,
    )
