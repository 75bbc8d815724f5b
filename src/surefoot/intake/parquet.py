"""The traffic file: one row per call in the order of arrival, as Parquet. What its columns and its metadata are.

Durations are seconds from the call's arrival. NULL is "the source does not say". Written by `intake.joining`, read by
the replay. A change of a column or of its meaning is a new `VERSION`.

Must never know where traffic comes from.
"""

VERSION = 1

COLUMNS = {
    "call": ("VARCHAR", "identity in the source; where it has none, the numbers of file and line"),
    "at": ("DOUBLE", "Unix time of its first attempt"),
    "route": ("VARCHAR", "what the client asked for, where that has a name of its own"),
    "provider": ("VARCHAR", "of the attempt that answered; of the last one if none did"),
    "model": ("VARCHAR", "likewise"),
    "stream": ("BOOLEAN", "whether the answer was streamed"),
    "prompt_tokens": ("INTEGER", "cached ones included"),
    "completion_tokens": ("INTEGER", "of the attempt that answered, reasoning included"),
    "max_tokens": ("INTEGER", "what the client allowed the answer to take"),
    "ttft": ("DOUBLE", "to the first content of the attempt that answered"),
    "duration": ("DOUBLE", "to its end; to the last end if none answered"),
    "failed": ("BOOLEAN", "the call as a whole: no attempt of it succeeded"),
    "kind": ("VARCHAR", "how the attempt that answered ended, or the last one ([outcomes](outcomes.md))"),
    "first_failed": ("BOOLEAN", "its first attempt"),
    "first_kind": ("VARCHAR", "likewise"),
    "attempts": ("INTEGER", "0 if the call ended before a provider was asked"),
    "cost": ("DOUBLE", "US dollars of all attempts; nothing if that of any is unknown"),
    "user": ("VARCHAR", "keyed hash of the end user"),
    "key": ("VARCHAR", "name of the client key, team or project"),
}
"""By name: DuckDB's type, and what it means. Only `call`, `at` and `attempts` are never NULL."""

PREFIX = "surefoot.traffic."

VERSION_KEY = PREFIX + "version"
FORMAT_KEY = PREFIX + "format"
JOINED_KEY = PREFIX + "joined"
ROWS_KEY = PREFIX + "rows"
UNREADABLE_KEY = PREFIX + "unreadable"
"""Key-value metadata, all of it text: version, format of the source, `true`, `false` or `partly` (whether the source
names calls; where it does not, a failed attempt and its repeat are two calls), rows read, lines that gave none."""
