"""`python -m surefoot.twin OPTIONS`: a twin in its own process, told by one JSON argument.

Knows: the argument is a `TwinOptions`; the twin ends when its standard input closes, with its parent.
Must never: grow options for people; `surefoot twin` has those.
"""

import sys

import msgspec

from surefoot.twin.program import run
from surefoot.twin.server import TwinOptions

if __name__ == "__main__":
    run(msgspec.json.decode(sys.argv[1], type=TwinOptions), until_stdin_closes=True)
