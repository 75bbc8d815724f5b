"""Traces of Azure's LLM inference services, 2023 and 2024: one row a request, with its time and its tokens.

https://github.com/Azure/AzurePublicDataset, AzureLLMInferenceDataset2023.md and …2024.md. Both have the same columns;
the times of 2023 have no zone and seven decimals, those of 2024 end with their offset from UTC. The trace of 2025 has
a column more, NumImages, which we do not read. Nothing is said of failures, models or how long an answer took.
"""

from collections.abc import Iterator

from surefoot.intake.csv_map import column, mapped
from surefoot.intake.row import Row, Unreadable
from surefoot.intake.source import Source


def read(source: Source) -> Iterator[Row | Unreadable]:
    """One request a row. Raises `IntakeError` if times have no zone and none was named."""
    columns = {
        "at": column("at", "TIMESTAMP"),
        "prompt_tokens": column("prompt_tokens", "ContextTokens"),
        "completion_tokens": column("completion_tokens", "GeneratedTokens"),
    }
    yield from mapped(source.table(), columns, source.told)
