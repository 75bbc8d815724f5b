"""The formats of traffic that can be read in, by name. A reader is imported when its format is asked for.

Must never import a reader that nobody asked for.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import NamedTuple

from surefoot.config.faults import did_you_mean
from surefoot.errors import IntakeError
from surefoot.intake.row import Row, Unreadable
from surefoot.intake.source import Source

Read = Callable[[Source], Iterator[Row | Unreadable]]


class Format(NamedTuple):
    """One format: `module` has a function `read`."""

    module: str
    sentence: str
    marks: tuple[str, ...] = ()
    """Names that its records or columns have, and those of no other format have all of."""


PLAIN = "csv"
"""The one of which columns have to be told."""

FORMATS = {
    "surefoot": Format("surefoot.intake.surefoot_journal", "Surefoot's own journal: every attempt, with its kind."),
    "litellm": Format(
        "surefoot.intake.litellm",
        "LiteLLM: logged payloads (better), or the table of spend logs.",
        ("call_type", "startTime"),
    ),
    "langfuse": Format("surefoot.intake.langfuse", "Langfuse: exported observations.", ("type", "traceId")),
    "helicone": Format("surefoot.intake.helicone", "Helicone: exported requests.", ("request_created_at",)),
    "otlp": Format("surefoot.intake.otlp", "OpenTelemetry: GenAI spans as OTLP JSON.", ("resourceSpans",)),
    "openai-usage": Format(
        "surefoot.intake.openai_usage",
        "OpenAI usage and costs: sums, refused as traffic.",
        ("start_time", "end_time"),
    ),
    "azure": Format(
        "surefoot.intake.azure",
        "Azure LLM inference traces of 2023 and 2024: times and tokens.",
        ("TIMESTAMP", "ContextTokens"),
    ),
    "mooncake": Format(
        "surefoot.intake.mooncake",
        "Mooncake traces, JSONL or CSV: times and tokens; needs --start.",
        ("timestamp", "input_length"),
    ),
    "burstgpt": Format(
        "surefoot.intake.burstgpt",
        "BurstGPT: times, models, tokens, failures; needs --start.",
        ("Timestamp", "Request tokens"),
    ),
    PLAIN: Format("surefoot.intake.plain_csv", "Any CSV with a header; needs --columns."),
}


def reader_of(name: str) -> Read:
    """The reader of a format. Raises `IntakeError` if there is no such format."""
    if name not in FORMATS:
        raise IntakeError(f"there is no format `{name}`; {did_you_mean(name, FORMATS)}")
    read: Read = import_module(FORMATS[name].module).read
    return read
