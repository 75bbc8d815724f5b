"""A terminal of its own for a command, for tests of what a person is shown."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

SUREFOOT = str(Path(sys.executable).with_name("surefoot"))
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def shown(*arguments: str, width: int, lines_to: str = "stdout") -> tuple[str, str]:
    """What `surefoot` shows on a terminal of so many columns, and what it writes to the other end, a pipe."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    ends = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, lines_to: theirs}
    environment = {**os.environ, "TERM": "xterm"}
    environment.pop("COLUMNS", None)
    running = subprocess.Popen([SUREFOOT, *arguments], env=environment, **ends)  # type: ignore[call-overload]
    os.close(theirs)
    seen = b""
    while piece := _piece(ours):
        seen += piece
    out, err = running.communicate(timeout=50)
    os.close(ours)
    return _COLOURS.sub("", seen.decode()).replace("\r\n", "\n"), (out or err or b"").decode()


def _piece(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux says so when the other end is closed
        return b""
