"""One worker as the supervisor sees it: a place that a process fills, and another one when that has died.

Knows: how a worker is started and spoken to.
Must never: decide what is told to it, or when it is replaced.
"""

import asyncio
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress

from surefoot.errors import ChannelError
from surefoot.gateway.channel import Channel, Frame, Up, attach, supervisor_end

GRACE = 1.0
"""Seconds that a worker gets to end after its channel was lost."""


class Worker:
    """One place. `on_frame` gets this worker's number and a frame of its."""

    def __init__(self, number: int, command: Sequence[str], on_frame: Callable[[int, Up], None]) -> None:
        self.number = number
        self.starts = 0
        """How many processes have filled this place."""
        self.fault: ChannelError | None = None
        """What was wrong with the last process's frames, if that is why it ended."""
        self._command = tuple(command)
        self._on_frame = on_frame
        self._process: asyncio.subprocess.Process | None = None
        self._channel: Channel[Up] | None = None
        self._silent = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The process that fills this place now, if one does."""
        return None if self._process is None else self._process.pid

    async def start(self, sockets: Sequence[socket.socket], frames: Sequence[Frame]) -> None:
        """Start a process with these listening sockets, and send it its first frames. Raises `OSError`."""
        self.fault = None
        ours, its = socket.socketpair()
        numbers = [its.fileno(), *(listening.fileno() for listening in sockets)]
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                *map(str, numbers),
                pass_fds=numbers,
                stdin=subprocess.DEVNULL,
                # A Ctrl-C in the terminal is for the supervisor: it drains the workers.
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
        finally:
            its.close()
        self.starts += 1
        process = self._process
        self._silent = silent = asyncio.Event()
        channel = supervisor_end(
            lambda frame: self._on_frame(self.number, frame), lambda error: self._lost(process, silent, error)
        )
        await attach(channel, ours)
        self._channel = channel
        self.send(*frames)

    async def ended(self) -> int:
        """Wait until the process has ended. Its exit code, or the negative number of the signal that ended it."""
        process = self._process
        if process is None:
            return 0
        code = await process.wait()
        self._process = None
        with suppress(TimeoutError):  # what it said last may still be on its way
            await asyncio.wait_for(self._silent.wait(), GRACE)
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        return code

    def send(self, *frames: Frame) -> None:
        """Send frames, if there is anyone to hear them."""
        if self._channel is not None:
            self._channel.send(*frames)

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None:
            _kill(self._process)

    def _lost(self, process: asyncio.subprocess.Process, silent: asyncio.Event, error: Exception | None) -> None:
        """A process that cannot be spoken to any more, and does not end by itself, is ended, so that it is replaced."""
        silent.set()
        if process is self._process:
            self.fault = error if isinstance(error, ChannelError) else None
            asyncio.get_running_loop().call_later(GRACE, self._end_if_still, process)

    def _end_if_still(self, process: asyncio.subprocess.Process) -> None:
        if process is self._process:
            _kill(process)


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()


def ending(code: int, fault: ChannelError | None) -> str:
    """How a process ended, in words."""
    how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return how if fault is None else f"{how}: {fault}"
