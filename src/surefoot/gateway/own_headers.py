"""The gateway's own headers in a request: which there are, what each takes, and what a client wishes by them.

A name that is not known is refused, for its client believes in it: who writes `surefoot-deadlin: 500` counts on a
deadline. Knows the words. Must never be asked about a request that has none of them: that is nearly every one.
"""

from collections.abc import Callable
from difflib import get_close_matches
from typing import NamedTuple

from surefoot.dialects.dialect import Complaint
from surefoot.gateway.complaints import refusal
from surefoot.wire.names import OWN

DEADLINE, RESUME, DRILL = b"surefoot-deadline", b"surefoot-resume", b"surefoot-drill"
JURISDICTION, PLACE = b"surefoot-jurisdiction", b"surefoot-place"
CLASS, REGION = b"surefoot-data-class", b"surefoot-data-region"

LONGEST_DEADLINE = 86_400_000
"""Milliseconds: a day."""


def _are_names(value: bytes) -> bool:
    """Whether it is a list of names without a gap. Which names there are, the configuration knows."""
    return all(map(bytes.strip, value.split(b",")))


MOST_WORLDS = 1_000_000
"""Far above any number of worlds that a drill has."""

_SHOWN = 64
"""Characters of a name or value that an error repeats."""


def _whole(value: bytes, most: int) -> bool:
    """Whether it is a whole number from 1 to so many; its length is looked at first, for `int` refuses a long one."""
    return value.isdigit() and len(value) <= len(str(most)) and 0 < int(value) <= most


HEADERS: dict[bytes, tuple[str, Callable[[bytes], bool]]] = {
    JURISDICTION: ("names of jurisdictions, with commas between", _are_names),
    PLACE: ("names of zones, with commas between", _are_names),
    CLASS: ("classes of data, with commas between", _are_names),
    REGION: ("names of zones, with commas between", _are_names),
    DEADLINE: (
        f"whole milliseconds, from 1 to {LONGEST_DEADLINE}",
        lambda value: _whole(value, LONGEST_DEADLINE),
    ),
    RESUME: ("'off' or 'text'", lambda value: value in {b"off", b"text"}),
    DRILL: (f"the number of a drill's world, from 1 to {MOST_WORLDS}", lambda value: _whole(value, MOST_WORLDS)),
}
"""By name: what it takes, in words, and whether a value is that."""


class Wishes(NamedTuple):
    """What a client asks for beside its request."""

    deadline: float | None = None
    """Seconds from its arrival."""
    resume: bool | None = None
    """Whether a broken answer may be continued; None leaves that to the route."""


NO_WISHES = Wishes()


def wrong_header(headers: dict[bytes, bytes], *, canary: bool) -> Complaint | None:
    """400, if one of the gateway's own headers is not known, has no business here, or cannot be read."""
    for name, value in headers.items():
        if not name.startswith(OWN):
            continue
        if name not in HEADERS:
            return _unknown(name)
        takes, is_right = HEADERS[name]
        if not is_right(value):
            return refusal(
                400, code_of("invalid", name), f"The header {name.decode()} takes {takes}, and not '{_shown(value)}'."
            )
    if DRILL in headers and not canary:
        message = "The header surefoot-drill is for calls under a canary key (`drill = true`), and this key is none."
        return refusal(400, "invalid_drill", message)
    return None


def code_of(fault: str, name: bytes) -> str:
    """The code of an error about one of these headers: `invalid_data_class`."""
    return f"{fault}_{name[len(OWN) :].decode().replace('-', '_')}"


def wishes_of(headers: dict[bytes, bytes]) -> Wishes:
    """What the headers ask for. They have been found right."""
    deadline, resume = headers.get(DEADLINE), headers.get(RESUME)
    if deadline is None and resume is None:
        return NO_WISHES
    return Wishes(
        None if deadline is None else int(deadline) / 1000,
        None if resume is None else resume == b"text",
    )


def _unknown(name: bytes) -> Complaint:
    own = OWN.decode()
    known = [one.decode().removeprefix(own) for one in HEADERS]
    shown = _shown(name)
    near = get_close_matches(shown.removeprefix(own), known, n=1)
    guess = f" Did you mean {own}{near[0]}?" if near else ""
    listed = ", ".join(own + one for one in known)
    return refusal(400, "unknown_header", f"There is no header {shown}.{guess} Known are {listed}.")


def _shown(said: bytes) -> str:
    return said[:_SHOWN].decode("latin-1")
