"""The traffic file as batches for the driver, and what had to be assumed of calls of which it does not tell everything.

A call asks for the route that the file names, if the configuration has it, and else for the configuration's first one.
Where the file does not say how long a prompt or an answer is, it is as long as the middle one of those that it tells;
where it does not say whether a call is streamed, it is. Each of these is told, with how many calls it is of.

Must never: hold more than one batch, or assume in silence.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from msgspec import Struct

from surefoot.config.configuration import Configuration
from surefoot.errors import ReplayError
from surefoot.replay.traffic import Batch

BATCH = 20_000
"""Calls that are held at once, in each arm."""

USUAL_PROMPT, USUAL_ANSWER = 500, 150
"""Tokens where the file tells no length at all."""

_ACCOUNT = """SELECT coalesce(route, '') r, count(*) calls, count(*) FILTER (stream IS NULL) stream,
    count(*) FILTER (prompt_tokens IS NULL) prompt, count(*) FILTER (completion_tokens IS NULL) answer
    FROM read_parquet($file) GROUP BY r ORDER BY r"""
_MIDDLES = "SELECT quantile_disc(prompt_tokens, 0.5), quantile_disc(completion_tokens, 0.5) FROM read_parquet($file)"
_KEYS = """SELECT DISTINCT coalesce("key", '') k FROM read_parquet($file) ORDER BY k"""
_CALLS = """SELECT "at", coalesce(route, ''), coalesce("key", ''), coalesce(stream, TRUE)::INTEGER,
    coalesce(prompt_tokens, $prompt), greatest(coalesce(completion_tokens, $answer), 1), coalesce(max_tokens, 0)
    FROM read_parquet($file)"""


class TrafficFile(Struct, frozen=True, kw_only=True):
    """A traffic file as a configuration takes it."""

    path: str
    calls: int
    routes: tuple[str, ...]
    """Of the configuration."""
    asked: dict[str, int]
    """Position in `routes` by what the file names."""
    keys: tuple[str, ...]
    prompt: int
    """Tokens of a prompt that is not told, and of an answer."""
    answer: int
    said: tuple[str, ...]
    """What was assumed, a sentence each."""

    def batches(self) -> Iterator[Batch]:
        """In the order of arrival. Raises `ReplayError` if the file is in no order of time."""
        key_of = {name: number for number, name in enumerate(self.keys)}
        first, last = 0, -np.inf
        with duckdb.connect() as base:
            told = {"file": self.path, "prompt": self.prompt, "answer": self.answer}
            cursor = base.execute(_CALLS, told)
            while rows := cursor.fetchmany(BATCH):
                batch = self._batch(first, rows, key_of)
                if batch.at[0] < last or (np.diff(batch.at) < 0).any():
                    raise ReplayError(f"{self.path} is not in the order of time; `surefoot import` writes it so")
                first, last = first + len(rows), batch.at[-1]
                yield batch

    def _batch(self, first: int, rows: list[tuple[Any, ...]], key_of: dict[str, int]) -> Batch:
        at, route, key, *numbers = zip(*rows, strict=True)
        stream, prompt, completion, most = (np.array(column, np.int64) for column in numbers)
        return Batch(
            first=first,
            at=np.array(at, np.float64),
            routes=self.routes,
            route=np.array([self.asked[name] for name in route], np.int64),
            keys=self.keys,
            key=np.array([key_of[name] for name in key], np.int64),
            stream=stream,
            prompt_tokens=prompt,
            completion_tokens=completion,
            max_tokens=most,
        )


def open_traffic(path: Path, configuration: Configuration) -> TrafficFile:
    """Look the file through. Raises `ReplayError` if it cannot be read, is no traffic, or has no calls."""
    named = {"file": str(path)}
    try:
        with duckdb.connect() as base:
            account = base.execute(_ACCOUNT, named).fetchall()
            middles = base.execute(_MIDDLES, named).fetchall()
            keys = tuple(row[0] for row in base.execute(_KEYS, named).fetchall())
    except duckdb.Error as error:
        why = str(error).partition("\n")[0]
        raise ReplayError(f"{path} is no traffic file: {why}; `surefoot import` writes one") from error
    if not account:
        raise ReplayError(f"{path} has no calls: there is nothing to replay")
    routes = tuple(route.name for route in configuration.routes)
    prompt, answer = middles[0]
    lengths = prompt or USUAL_PROMPT, answer or USUAL_ANSWER
    return TrafficFile(
        path=str(path),
        calls=sum(row[1] for row in account),
        routes=routes,
        asked={row[0]: routes.index(row[0]) if row[0] in routes else 0 for row in account},
        keys=keys,
        prompt=lengths[0],
        answer=lengths[1],
        said=tuple(_said(account, routes, lengths)),
    )


def _said(account: Sequence[tuple[Any, ...]], routes: tuple[str, ...], lengths: tuple[int, int]) -> Iterator[str]:
    for name, calls, *_ in account:
        if name not in routes:
            whose = f'that ask for "{name}"' if name else "that name no route"
            yield f'{calls:,} calls {whose} are taken to ask for "{routes[0]}"'
    columns = [sum(row[number] for row in account) for number in (2, 3, 4)]
    what = (
        "do not say whether they are streamed; they are taken to be",
        f"do not tell their prompt's length; it is taken to be {lengths[0]:,} tokens",
        f"do not tell their answer's length; it is taken to be {lengths[1]:,} tokens",
    )
    for missing, sentence in zip(columns, what, strict=True):
        if missing:
            yield f"{missing:,} calls {sentence}"
