"""`surefoot churn`: scores and cancellations of end users who met failures, against those of users who did not.

Knows: how options are spelled and where output goes.
Must never: hold logic, or print who a user is; `surefoot.worth` does the work, `surefoot.report` writes it down.
"""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from surefoot.cli.screen import print_json, screen
from surefoot.errors import IntakeError, StartError
from surefoot.facts import Facts, hash_of, write
from surefoot.intake.pseudonym import Pseudonyms, read_salt
from surefoot.intake.row import Unreadable
from surefoot.report import churning
from surefoot.worth.affected import by_list, by_traffic
from surefoot.worth.churned import sheet_of
from surefoot.worth.survey import Pseudonym, read_survey

FACTS, UNREADABLE = "facts.json", "unreadable.csv"


def churn(
    survey: Annotated[str, typer.Option(help="CSV with columns user, score (0 to 10) or cancelled, and at; .gz too.")],
    traffic: Annotated[Path | None, typer.Option(help="Traffic file of `surefoot import`.")] = None,
    affected: Annotated[str | None, typer.Option(help="In its place a CSV of failures met: user, and at.")] = None,
    salt: Annotated[
        Path | None, typer.Option(help="File with the key that `surefoot import --salt` was given.")
    ] = None,
    hashed: Annotated[bool, typer.Option("--hashed", help="The survey's users are hashed already.")] = False,
    least: Annotated[int, typer.Option(min=1, help="Failed calls from which on a user counts as affected.")] = 1,
    power: Annotated[float, typer.Option(min=0.06, max=0.999, help="Of the smallest difference that is told.")] = 0.8,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the facts and the lines that were not counted.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object in place of the table.")] = False,
) -> None:
    """Join a survey with traffic: is there a difference, with its interval, and which could this sample have shown?

    Users are joined by the hash that the traffic has; nobody's name is written.
    """
    if survey == affected == "-":
        raise IntakeError("--survey and --affected cannot both be standard input: name a file for one of them")
    pseudonym = _pseudonym(traffic, affected, salt, hashed=hashed)
    answered = read_survey(survey, pseudonym)
    if traffic is not None:
        found, source = by_traffic(traffic, answered.answers, least), str(traffic)
    else:
        source = str(affected)
        found = by_list(source, answered.answers, least, pseudonym)
    inputs = hash_of(*(_digest(one) for one in (survey, source)), f"{least} {power}".encode())
    made = datetime.now(UTC).isoformat(timespec="seconds")
    facts = msgspec.structs.replace(sheet_of(found, power, inputs), made=made)
    left_out = {survey: answered.unreadable, source: found.unreadable}
    told = any(answer.at is not None for answer in answered.answers)
    remarks = list(churning.remarks(facts, found.joined, told=told))
    if out is not None:
        _keep(out, facts, left_out)
    if as_json:
        print_json(_told(facts, remarks, left_out))
        return
    _print(facts, remarks, left_out)
    if out is not None:
        typer.echo(f"kept: {out}")


def _pseudonym(traffic: Path | None, affected: str | None, salt: Path | None, *, hashed: bool) -> Pseudonym:
    if (traffic is None) == (affected is None):
        raise IntakeError("name one of --traffic and --affected: it says who met failures")
    if salt is not None and hashed:
        raise IntakeError("--salt and --hashed exclude one another: users are hashed here, or are already")
    if traffic is not None and salt is None and not hashed:
        raise IntakeError(
            "--traffic names users by hash: give --salt FILE, the one that `surefoot import` was given, or --hashed if "
            "the survey's users are hashed so already"
        )
    return str if salt is None else Pseudonyms(read_salt(salt)).of


def _digest(file: str) -> bytes:
    """Of a file that may be larger than memory; of standard input, which was read once, nothing."""
    if file == "-":
        return b""
    with Path(file).open("rb") as content:
        return file_digest(content, "sha256").digest()


def _told(facts: Facts, remarks: Sequence[str], left_out: dict[str, tuple[Unreadable, ...]]) -> dict[str, Any]:
    listed = {name: [msgspec.to_builtins(one) for one in lines] for name, lines in left_out.items()}
    said = [line.strip() for line in remarks]
    return {"facts": msgspec.to_builtins(facts), "remarks": said, "not_counted": listed}


def _print(facts: Facts, remarks: Sequence[str], left_out: dict[str, tuple[Unreadable, ...]]) -> None:
    console = screen()
    table = churning.table_of(facts)
    if table.row_count:
        console.print(table)
    for line in remarks:
        console.print(line, highlight=False, markup=False)
    for name, lines in left_out.items():
        for line in churning.lines_of(lines, name):
            console.print(line, highlight=False, markup=False)


def _keep(out: Path, facts: Facts, left_out: dict[str, tuple[Unreadable, ...]]) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / FACTS).write_bytes(write(facts) + b"\n")
        with (out / UNREADABLE).open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("file", "line", "why"))
            rows.writerows((name, one.line, one.why) for name, lines in left_out.items() for one in lines)
    except OSError as error:
        raise StartError(f"--out: {out} cannot be written: {error.strerror}; name another folder") from error
