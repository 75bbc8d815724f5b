"""What the topologies are driven with: the shipped examples on other addresses, and the real gateway as a process.

Knows `surefoot serve`, its log and its admin port, and how a client of the OpenAI SDK asks. Must never change what an
example says of routes, order, places or conditions; and must never leave a process behind.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.error import HTTPError
from urllib.request import urlopen

import msgspec
from openai import DefaultHttpxClient, OpenAI
from tests.leaks import LEAKS

from surefoot.twin import TwinProcess

EXAMPLES = Path(__file__).parents[2] / "examples"
KEY = "sk-of-the-test-0123456789"
PATIENCE = 15.0
"""Seconds after which what should come about has not. Never waited out by a test that passes."""

OPEN_FOR = 0.5
"""Seconds that breakers stay open here: the examples' own times are too long for a test."""


def example(name: str, addresses: Mapping[str, str]) -> str:
    """A shipped example with other addresses: of its targets, its listener and its admin application.

    Everything else stays as it is written, but for how long breakers stay open, and the journal, which is not kept.
    """
    text = (EXAMPLES / f"{name}.toml").read_text(encoding="utf-8")
    for target, url in addresses.items():
        text = _readdressed(text, target, url)
    text, breakers = re.subn(r"(?m)^open_for = .*$", f'open_for = "{OPEN_FOR}s"', text)
    text, listeners = re.subn(r'(?m)^address = ".*"$', 'address = "127.0.0.1:0"', text)
    if not listeners:
        text += '\n[[listeners]]\naddress = "127.0.0.1:0"\n'
    if not breakers:
        text += f'\n[policy.breaker]\nopen_for = "{OPEN_FOR}s"\n'
    return text + QUIET


QUIET = '\n[admin]\naddress = "127.0.0.1:0"\n\n[journal]\nenabled = false\n'
"""An admin port that the system chooses, and no journal: the end of every file here."""


def _readdressed(text: str, target: str, url: str) -> str:
    head = f"[targets.{target}]\n"
    before, found, rest = text.partition(head)
    assert found, f"the example has no target {target}"
    table, bracket, after = rest.partition("\n[")
    table = re.sub(r"(?m)^base_url = .*\n", "", table)
    return f'{before}{head}base_url = "{url}/v1"\n{table}{bracket}{after}'


class Gateway:
    """`surefoot serve` on a file, as a context manager: ready when entered, gone when left.

    Every variable of the environment that the file names is set; `SUREFOOT_KEY` to `KEY`, as are those of `same`.
    """

    def __init__(self, file: Path, text: str, *, workers: int = 1, same: Sequence[str] = ()) -> None:
        self.file = file
        self.url = ""
        self.lines: list[str] = []
        self._workers = workers
        self._secrets = {name: f"{KEY}-{name}" for name in re.findall(r'env = "(\w+)"', text)}
        self._secrets |= dict.fromkeys(["SUREFOOT_KEY", *same], KEY)
        self._silent = False
        self._said = threading.Condition()
        self._admin = ""
        file.write_text(text, encoding="utf-8")

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "surefoot.cli.main", "serve", "-c", str(self.file)]
        self.process = subprocess.Popen(
            [*command, "--workers", str(self._workers)],
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | self._secrets,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        try:
            ready = re.search(r"serving on (\S+); admin on (\S+)", self.heard("ready: "))
            assert ready is not None
            self.url, self._admin = ready.groups()
            eventually(lambda: self.page("/readyz") == "ready\n")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        workers = self.worker_pids()
        for _ in range(2):  # the second one says: at once
            if self.process.poll() is None:
                self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            for pid in workers:
                os.kill(pid, signal.SIGKILL)
        self._reader.join(PATIENCE)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def heard(self, words: str, after: int = 0) -> str:
        """The first line of the log with these words, from line `after` on; waits for it."""
        with self._said:
            assert self._said.wait_for(lambda: self._line(words, after) or self._silent, PATIENCE), (
                f"nothing was said of {words!r}", self.lines
            )  # fmt: skip
            line = self._line(words, after)
        assert line is not None, ("the gateway has ended", self.lines)
        return line

    def page(self, path: str) -> str:
        """What the admin application says."""
        try:
            with urlopen(self._admin + path, timeout=PATIENCE) as answer:
                text = str(answer.read().decode())
                LEAKS.note(f"the admin application's {path}", text)
                return text
        except HTTPError as error:
            with error:
                return error.read().decode()

    def status(self) -> dict[str, Any]:
        return msgspec.json.decode(self.page("/status"), type=dict[str, Any])

    def worker_pids(self) -> list[int]:
        """The workers of now."""
        if self.process.poll() is not None:
            return []
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        return [int(pid) for pid in children.split()]

    def _line(self, words: str, after: int) -> str | None:
        return next((line for line in self.lines[after:] if words in line), None)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._said:
                self.lines.append(line.rstrip())
                LEAKS.note(f"the log of the gateway on {self.file}", line)
                self._said.notify_all()
        with self._said:
            self._silent = True
            self._said.notify_all()


class Answer(NamedTuple):
    """One whole answer, and whom the gateway says it is from."""

    target: str
    text: str
    finish: str | None
    tokens: int | None


class Client:
    """A client of the gateway: the OpenAI SDK without repeats of its own, plain and streamed by turns."""

    def __init__(self, gateway: Gateway) -> None:
        self.sdk = OpenAI(
            base_url=gateway.url + "/v1", api_key=KEY, max_retries=0, timeout=PATIENCE, http_client=DefaultHttpxClient()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sdk.close()

    def ask(self, route: str = "chat", prompt: str = "Where do I put my foot?", *, stream: bool = False) -> Answer:
        """One call. Raises what the SDK raises."""
        return self._streamed(route, prompt) if stream else self._plain(route, prompt)

    def both(self, route: str = "chat", prompt: str = "Where do I put my foot?") -> list[str]:
        """A plain and a streamed call, each answered whole; who answered them."""
        answers = [self.ask(route, prompt, stream=stream) for stream in (False, True)]
        assert all(answer.text and answer.finish in {"stop", "length"} for answer in answers), answers
        return [answer.target for answer in answers]

    def until_from(self, target: str, route: str = "chat", prompt: str = "And now?") -> None:
        """Ask, plain and streamed by turns, until this target answers. Every call on the way must be answered."""
        eventually(lambda: target in self.both(route, prompt))

    def _plain(self, route: str, prompt: str) -> Answer:
        raw = self.sdk.chat.completions.with_raw_response.create(
            model=route, messages=[{"role": "user", "content": prompt}], max_tokens=16
        )
        whole = raw.parse()
        first = whole.choices[0]
        tokens = None if whole.usage is None else whole.usage.completion_tokens
        return Answer(raw.headers["surefoot-target"], first.message.content or "", first.finish_reason, tokens)

    def _streamed(self, route: str, prompt: str) -> Answer:
        raw = self.sdk.chat.completions.with_raw_response.create(
            model=route,
            messages=[{"role": "user", "content": prompt}],
            max_tokens=16,
            stream=True,
            stream_options={"include_usage": True},
        )
        text, finish, tokens = "", None, None
        with raw.parse() as stream:
            for chunk in stream:
                if chunk.usage is not None:
                    tokens = chunk.usage.completion_tokens
                for choice in chunk.choices:
                    text += choice.delta.content or ""
                    finish = choice.finish_reason or finish
        return Answer(raw.headers["surefoot-target"], text, finish, tokens)


def eventually(look: Callable[[], bool]) -> None:
    """Look until it is so. Bounded; the look is a call on the wire, and the pause keeps two cores usable."""
    limit = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not look():
        assert time.monotonic() < limit, "it never came about"
        pause.wait(0.02)


def urls(names: Sequence[str], twins: Sequence[TwinProcess]) -> dict[str, str]:
    """A twin's address for each target, in order."""
    return {name: twin.url for name, twin in zip(names, twins, strict=False)}
