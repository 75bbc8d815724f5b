"""An alarm clock fit for a send schedule: it rings within microseconds, where the loop counts milliseconds.

Knows: Linux's timerfd, and the loop's own timers where there is none.
Must never: ring early.
"""

import asyncio
import contextlib
import ctypes
import os
import sys
import time
from collections.abc import Callable

_TFD_NONBLOCK = 0o4000
_TFD_CLOEXEC = 0o2000000
_TFD_TIMER_ABSTIME = 1


class _Timespec(ctypes.Structure):
    _fields_ = (("sec", ctypes.c_long), ("nsec", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class Alarm:
    """Calls `ring` at or just after the monotonic time set; one time at a time."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.Handle | None = None
        self._due = 0.0
        self._spec = _Itimerspec()
        self._libc = ctypes.CDLL(None) if sys.platform == "linux" else None
        self._fd = -1
        if self._libc is not None:
            self._fd = self._libc.timerfd_create(time.CLOCK_MONOTONIC, _TFD_NONBLOCK | _TFD_CLOEXEC)
        if self._fd >= 0:
            self._loop.add_reader(self._fd, self._expired)

    def set(self, when: float) -> None:
        """Ring at `when`, in seconds of time.monotonic(); a time that has passed rings at once."""
        self._due = when
        if self._fd < 0 or self._libc is None:
            self._handle = self._loop.call_later(max(0.0, when - time.monotonic()), self._expired)
            return
        # Zero would disarm the timer, and a time just behind us must still ring.
        nanoseconds = max(int(when * 1e9), 1)
        self._spec.value.sec, self._spec.value.nsec = divmod(nanoseconds, 1_000_000_000)
        self._libc.timerfd_settime(self._fd, _TFD_TIMER_ABSTIME, ctypes.byref(self._spec), None)

    def close(self) -> None:
        """Never ring again."""
        if self._handle is not None:
            self._handle.cancel()
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _expired(self) -> None:
        if self._fd >= 0:
            with contextlib.suppress(BlockingIOError):  # set anew between expiry and this call
                os.read(self._fd, 8)
        if time.monotonic() < self._due:
            self.set(self._due)
        else:
            self._ring()
