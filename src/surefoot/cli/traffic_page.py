"""`docs/reference/traffic.md`: formats, column maps and the traffic file, from the code that reads and writes them."""

from surefoot.cli.tables import table
from surefoot.config.reference import HEADER
from surefoot.intake import parquet
from surefoot.intake.csv_map import UNITS
from surefoot.intake.formats import FORMATS

MEANINGS = {
    "iso": "ISO 8601; without a zone it needs `--time-zone`",
    "s, ms, us, ns": "seconds and their parts; of `at`: since 1970 in UTC",
    "+s, +ms": "since `--start`",
    "flag": "true or false, yes or no, t or f, 1 or 0; of `failed` also error or ok, and else the import stops",
    "http": "an HTTP status; of `failed`: 400 and above has failed, and it is the `status` unless another column is",
    "otel": "a status code of OpenTelemetry: 2 (Error) has failed, 1 (Ok) and 0 (Unset) have not",
    "zero": "0 has failed",
    "count": "a whole number",
    "nonzero": "likewise, and 0 means unknown",
    "kind": "a kind as in [outcomes](outcomes.md)",
    "usd, cents": "of the US dollar",
    "text": "as it stands there",
}
"""Units, several that are alike in one line."""


def traffic_page() -> str:
    """The whole page."""
    formats = ((f"`{name}`", entry.sentence) for name, entry in FORMATS.items())
    fields = ((f"`{field}`", ", ".join(f"`{unit}`" for unit in units)) for field, units in UNITS.items())
    columns = ((f"`{name}`", kind, meaning) for name, (kind, meaning) in parquet.COLUMNS.items())
    meanings = ((", ".join(f"`{unit}`" for unit in units.split(", ")), text) for units, text in MEANINGS.items())
    return f"""{HEADER}
# Traffic

What `surefoot import` reads and writes. How it does is in [traffic.md](../traffic.md), what each log of another tool
can tell in [traffic-formats.md](../traffic-formats.md).

## Formats

{table(("format", "what it is"), formats)}

## Column maps

`--columns at=TIMESTAMP,ttft=ttft_ms:ms`: field, column, unit. The first unit of a field is meant if none is written.
`provider='openai'`: what stands in single quotes is no column but the same in every row; never for `at` and `call`.

{table(("field", "units"), fields)}

{table(("unit", "meaning"), meanings)}

## The traffic file

Version {parquet.VERSION}. One row per call in the order of arrival; durations are seconds from the call's arrival, and
an empty field is what the source does not say.

{table(("column", "type", "meaning"), columns)}

Its metadata: `{parquet.VERSION_KEY}`, `{parquet.FORMAT_KEY}`, `{parquet.JOINED_KEY}` (`true`, `false` or `partly`:
whether attempts name their call or a parent), `{parquet.ROWS_KEY}` (attempts read), `{parquet.UNREADABLE_KEY}` (lines
that gave none).
"""
