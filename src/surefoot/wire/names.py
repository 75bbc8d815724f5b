"""Names of headers as clients write them, and in lower case: they repeat, and looking one up costs less than making it.

The gateway's own are never among them, so that a request which has any is noticed at no cost to all the others.
"""

OWN = b"surefoot-"
"""How the names of the gateway's own headers begin."""

NAMES: dict[bytes, bytes] = {}
"""What `lowered` remembers: within bounds, for names are whatever clients send."""

MOST, LONGEST = 1024, 64
"""Names, and bytes of one."""


def lowered(written: bytes) -> bytes:
    """A name that is not in `NAMES`, in lower case; remembered from now on, unless it is one of the gateway's own."""
    name = written.lower()
    if len(NAMES) < MOST and len(written) <= LONGEST and not name.startswith(OWN):
        NAMES[written] = name
    return name
