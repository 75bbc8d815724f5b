"""The twin as a program: start, say where, run until told to stop.

Knows: the first line of output is JSON with `url`, `control` and `pid`; SIGTERM and SIGINT end it.
Must never: print anything else on standard output.
"""

import asyncio
import os
import signal
import sys

import msgspec

from surefoot.twin.server import Twin, TwinOptions

try:
    import uvloop
except ImportError:  # not available on every platform; slower, not different
    _new_loop = asyncio.new_event_loop
else:
    _new_loop = uvloop.new_event_loop


class Announcement(msgspec.Struct, frozen=True):
    """The first line of output."""

    url: str
    control: str
    pid: int


def run(options: TwinOptions, *, until_stdin_closes: bool = False) -> None:
    """Serve until SIGTERM or SIGINT, or until standard input closes if so told.

    Raises TwinError when the twin cannot start.
    """
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        runner.run(_serve(options, until_stdin_closes=until_stdin_closes))


async def _serve(options: TwinOptions, *, until_stdin_closes: bool) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    async with Twin(options=options) as twin:
        said = Announcement(twin.url, twin.control_url, os.getpid())
        sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
        sys.stdout.flush()
        if until_stdin_closes:
            loop.add_reader(sys.stdin.fileno(), stop.set)
        await stop.wait()
        if until_stdin_closes:
            loop.remove_reader(sys.stdin.fileno())
