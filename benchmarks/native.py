"""The two C programs: building them, the mock provider as a process, one run of the load generator.

Knows: their command lines and what they print. Must never: load another host than 127.0.0.1.
"""

import array
import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import placing
from benchmarks.certificates import Certificate

CLIENT_KEY = "bench-client-key"
PATH = "/v1/chat/completions"
_SOURCES = Path(__file__).parent / "native"
_TLS_HEADER = Path("/usr/include/openssl/ssl.h")
_PATIENCE_SECONDS = 60.0


class ToolMissingError(Exception):
    """A program that the benchmark needs is not installed; the message names it and its Debian package."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the built programs are, and whether the mock can speak TLS."""

    mock: Path
    generator: Path
    tls: bool


@dataclass(frozen=True, slots=True)
class Upstream:
    """A running mock provider. `ca` is set when it speaks TLS."""

    port: int
    pid: int
    ca: Path | None


@dataclass(frozen=True, slots=True)
class Load:
    """What the generator is asked for; `rate` 0 is the closed loop, else requests per second."""

    body: Path
    seconds: float
    connections: int = 64
    rate: float = 0.0
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back: whole answers with status 200, everything else, and times in seconds."""

    count: int
    faults: int
    content_chunks: int
    seconds: float
    latencies: list[float]
    first_content: list[float]


def build(folder: Path) -> Programs:
    """Compile mock and generator into `folder`.

    Raises:
        ToolMissingError: there is no C compiler.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise ToolMissingError("cc (Debian: gcc)")
    folder.mkdir(parents=True, exist_ok=True)
    tls = _TLS_HEADER.exists()
    flags = ["-DWITH_TLS", "-lssl", "-lcrypto"] if tls else []
    programs = Programs(folder / "bench-mock", folder / "bench-generator", tls)
    for program, source, extra in (
        (programs.mock, "mock.c", flags),
        (programs.generator, "generator.c", []),
    ):
        subprocess.run([compiler, "-O2", "-o", program, _SOURCES / source, *extra], check=True)
    return programs


@contextlib.contextmanager
def mock(
    programs: Programs, *, chunks: int, interval_us: int = 0, certificate: Certificate | None = None
) -> Iterator[Upstream]:
    """A mock provider on the tools' core, for as long as the context lasts."""
    command = [str(programs.mock), "--chunks", str(chunks), "--interval", str(interval_us)]
    if certificate is not None:
        command += ["--tls", str(certificate.chain), str(certificate.key)]
    with placing.on_core(placing.TOOLS):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        port = int(line.removeprefix("listening "))
        yield Upstream(port, process.pid, certificate.ca if certificate else None)
    finally:
        process.kill()
        process.communicate()


def run(programs: Programs, port: int, load: Load) -> Outcome:
    """Put `load` on 127.0.0.1:`port` from the tools' core and wait for its end.

    Raises:
        RuntimeError: the generator gave up; the message says why.
    """
    raw = programs.generator.with_suffix(f".{os.getpid()}.raw")
    options: dict[str, object] = {
        "port": port,
        "path": PATH,
        "body": load.body,
        "key": CLIENT_KEY,
        "stream": int(load.stream),
        "connections": load.connections,
        "seconds": load.seconds,
        "rate": load.rate,
        "raw": raw,
    }
    command = [str(programs.generator)]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    with placing.on_core(placing.TOOLS):
        done = subprocess.run(command, check=False, capture_output=True, timeout=_PATIENCE_SECONDS)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode(errors="replace").strip())
    samples = array.array("Q")
    samples.frombytes(raw.read_bytes())
    raw.unlink()
    told = json.loads(done.stdout)
    return Outcome(
        count=told["count"],
        faults=told["errors"] + told["non_200"],
        content_chunks=told["content_chunks"],
        seconds=told["seconds"],
        latencies=[value / 1e9 for value in samples[0::2]],
        first_content=[value / 1e9 for value in samples[1::2]],
    )
