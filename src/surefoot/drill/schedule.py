"""A drill by the clock: what to hand to cron or systemd.

Must never: install anything. A person does, and sees what it is.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

Every = Literal["daily", "weekly"]

_CRON = {"daily": "17 4 * * *", "weekly": "17 4 * * 1"}  # not on the hour, when everybody else's jobs start
_CALENDAR = {"daily": "*-*-* 04:17:00", "weekly": "Mon *-*-* 04:17:00"}


def schedule(every: Every, command: Sequence[str], folder: Path) -> str:
    """A cron line, and a systemd service with its timer, that run a command in a folder once a day or week.

    The command's first word has to be an absolute path: neither knows the shell's PATH.
    """
    line = shlex.join(command)
    cron = f"cd {shlex.quote(str(folder))} && {line}".replace("%", r"\%")  # a bare % would end cron's line
    service, place = (text.replace("%", "%%") for text in (line, str(folder)))
    return "\n".join(
        [
            "# cron; add with `crontab -e`:",
            f"{_CRON[every]} {cron}",
            "",
            "# or systemd; ~/.config/systemd/user/surefoot-drill.service:",
            "[Unit]",
            "Description=Surefoot drill",
            "[Service]",
            "Type=oneshot",
            f"WorkingDirectory={place}",
            f"ExecStart={service}",
            "",
            "# and ~/.config/systemd/user/surefoot-drill.timer;",
            "# then `systemctl --user enable --now surefoot-drill.timer`:",
            "[Unit]",
            f"Description=Surefoot drill, {every}",
            "[Timer]",
            f"OnCalendar={_CALENDAR[every]}",
            "Persistent=true",
            "[Install]",
            "WantedBy=timers.target",
            "",
        ]
    )
