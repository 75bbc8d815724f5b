"""No complaint is lost: each number that is listed here is worn by a test, in its name or in its docstring."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

STREAMS = (
    "litellm#40404", "litellm#29808", "litellm#19077", "litellm#25843", "litellm#27967", "litellm#31067",
    "litellm#18229", "bifrost#5395", "bifrost#2917", "portkey#1797", "pydantic-ai#4140",
)  # fmt: skip
SILENCE = (
    "litellm#5859", "litellm#19909", "bifrost#7034", "bifrost#7035", "bifrost#6472", "tensorzero#6328",
    "livekit-agents#6171", "otari#237", "hermes-agent#25689",
)  # fmt: skip
RETRIES = (
    "litellm#20722", "litellm#40130", "litellm#31876", "litellm#18060", "litellm#36148", "portkey#1289",
    "portkey#1012", "pydantic-ai#3267", "pydantic-ai#3439", "higress#4179", "apisix#13495", "envoy-ai-gateway#1855",
)  # fmt: skip
HEDGING = ("claude-code-hub#1281", "claude-code-hub#1339", "claude-code-hub#1254")

TESTS = Path(__file__).parent


def texts() -> Iterator[str]:
    """The name and the docstring of every test."""
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield f"{node.name} {ast.get_docstring(node) or ''}"


@pytest.fixture(scope="module")
def told() -> str:
    return "\n".join(texts())


@pytest.mark.parametrize("complaint", [*STREAMS, *SILENCE, *RETRIES, *HEDGING])
def test_each_is_worn_by_a_test(told: str, complaint: str) -> None:
    project, _, number = complaint.partition("#")
    worn = re.escape(project).replace(r"\-", "[-_]") + rf"[#_](pr_?#?)?{number}(?!\d)"
    assert re.search(worn, told, re.IGNORECASE), f"no test wears the number of {complaint}"
