"""Logs that are written, imported and read again, for the tests of `surefoot import`."""

from pathlib import Path
from typing import Any

import duckdb

from surefoot.intake.csv_map import read_columns
from surefoot.intake.importing import Imported, Order, import_traffic
from surefoot.intake.source import Told

COLUMNS = (
    "at=t:s,call=call,provider=provider,model=model,prompt_tokens=in,completion_tokens=out,"
    "ttft=ttft:ms,duration=ms:ms,failed=failed,kind=kind,cost=usd,user=user"
)
HEAD = "t,call,provider,model,in,out,ttft,ms,failed,kind,usd,user"


def table(path: Path, *lines: str, head: str = HEAD) -> str:
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return str(path)


def bring_in(out: Path, *files: str, columns: str = COLUMNS, start: float | None = None, **more: Any) -> Imported:
    """Import tables of these columns."""
    told = Told(columns=read_columns(columns), start=start)
    return import_traffic(Order(format="csv", files=files, out=out, told=told, **more))


def calls_in(out: Path) -> list[dict[str, Any]]:
    """Every row of a traffic file by column, in the order in which it stands there."""
    with duckdb.connect() as connection:
        found = connection.read_parquet(str(out))
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def metadata_of(out: Path) -> dict[str, str]:
    with duckdb.connect() as connection:
        pairs = connection.execute("SELECT key, value FROM parquet_kv_metadata(?)", [str(out)]).fetchall()
    return {bytes(key).decode(): bytes(value).decode() for key, value in pairs}
