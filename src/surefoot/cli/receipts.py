"""`surefoot receipts`: make a key, verify a chain, export a checkpoint or the record of processing.

Knows how options are spelled and how a finding is shown. Must never hold a rule, or need a secret to verify.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from surefoot.config.receipts import read_processing
from surefoot.errors import StartError, SurefootError
from surefoot.journal.chain import checkpoints_of
from surefoot.journal.checkpoint import Checkpoint, make_key, read_checkpoints, read_public_key
from surefoot.journal.extract import extract
from surefoot.journal.verifying import Finding
from surefoot.journal.verifying import verify as verify_chain

FOUND = 1
"""Exit code when a chain is not what was written."""

receipts = typer.Typer(
    no_args_is_help=True, help="Verify and export receipts.", add_completion=False, rich_markup_mode=None
)

Chain = Annotated[Path, typer.Option(help="The chain, as `path` in [receipts] names it.")]
CHAIN = Path("surefoot-receipts.jsonl")


@receipts.command()
def init(
    key: Annotated[Path, typer.Option(help="File for the private key.")] = Path("surefoot-receipts.key"),
) -> None:
    """Make the key that signs checkpoints, and print its public half.

    The private key is for this machine's gateway alone. Keep the public one, also in the file beside it with `.pub`,
    where whoever verifies can trust it.
    """
    public = make_key(key)
    typer.echo(f"private key: {key} (name it in the configuration: [receipts] key)")
    typer.echo(f"public key:  {public} (also in {key}.pub)")


@receipts.command()
def checkpoint(
    out: Annotated[Path, typer.Option(help="File to write it to.")],
    chain: Chain = CHAIN,
) -> None:
    """Export the newest checkpoint, to be held somewhere else.

    Only a checkpoint that whoever can write the chain cannot write shows that its end was cut off or made anew.
    """
    made = _beside(chain)
    if not made:
        raise StartError(f"there is no checkpoint beside {chain}: name a `key` in [receipts], and let the gateway run")
    newest = made[-1]
    try:
        out.write_bytes(newest.line())
    except OSError as error:
        raise StartError(f"{out} cannot be written: {error.strerror}") from error
    typer.echo(f"{out}: {newest.n} records, as of {newest.at}")


@receipts.command()
def verify(
    chain: Chain = CHAIN,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="File with exported checkpoints; may be given several times.")
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option(help="File with the public key that must have signed them.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find out whether a chain is what was written, and name the first record that is not.

    Exits with 0 if it is, with 1 if not. The checkpoints beside the chain are used as well as those that are given.
    """
    finding = _verified(chain, [*(checkpoint or ())], public_key, quiet=as_json)
    if as_json:
        typer.echo(msgspec.json.encode(finding))
    else:
        for line in _lines(chain, finding):
            typer.echo(line)
    if not finding.ok:
        raise typer.Exit(FOUND)


@receipts.command()
def export(
    first: Annotated[str, typer.Option("--from", help="First day, in UTC: 2026-01-01.")],
    last: Annotated[str, typer.Option("--to", help="Last day, included.")],
    out: Annotated[Path, typer.Option(help="Directory for the page and the tables.")],
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = Path("surefoot.toml"),
    chain: Annotated[Path | None, typer.Option(help="The chain; the configuration's unless given.")] = None,
    public_key: Annotated[Path | None, typer.Option(help="File with the public key of the checkpoints.")] = None,
) -> None:
    """Write the record of processing activities (GDPR, Art. 30) and the list of transfers of a span of days.

    Both as CSV, and on one page. The chain is verified first. Of the configuration only the table [receipts] is read.
    """
    from surefoot.report.processing import Span, write_processing  # noqa: PLC0415 - the others need no templates

    processing, configured = read_processing(config)
    path = Path(configured) if chain is None else chain
    since, until = _day(first, "--from"), _day(last, "--to") + timedelta(days=1)
    if until <= since:
        raise SurefootError("--to is before --from")
    finding = _verified(path, [], public_key, quiet=False)
    if not finding.ok:
        raise SurefootError("\n".join(_lines(path, finding)) + "\nnothing is exported from a chain that was changed")
    found = extract(path, f"{since:%Y-%m-%d}", f"{until:%Y-%m-%d}")
    span = Span(f"{since:%Y-%m-%d}", f"{until - timedelta(days=1):%Y-%m-%d}", _lines(path, finding)[0] + ".")
    for written in write_processing(found, processing, span, out):
        typer.echo(written)


def _verified(chain: Path, files: list[Path], public_key: Path | None, *, quiet: bool) -> Finding:
    checkpoints = [*_beside(chain), *(one for file in files for one in read_checkpoints(file))]
    public = None if public_key is None else read_public_key(public_key)
    console = Console(stderr=True)
    if quiet or not console.is_terminal or not chain.is_file():
        return verify_chain(chain, checkpoints, public)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("verifying", total=chain.stat().st_size)
        return verify_chain(chain, checkpoints, public, lambda _, done: progress.update(task, completed=done))


def _beside(chain: Path) -> list[Checkpoint]:
    beside = Path(checkpoints_of(str(chain)))
    return read_checkpoints(beside) if beside.is_file() else []


def _lines(chain: Path, finding: Finding) -> list[str]:
    fault = finding.fault
    if fault is not None:
        where = "" if fault.line is None else f" (line {fault.line})"
        return [f"{chain}: record {fault.n}{where} {fault.what}"]
    lines = [f"{chain}: {finding.records} records follow from one another, as they were written"]
    if finding.torn:
        lines.append(
            f"after them stand {finding.torn} bytes of a line that is not whole: a kill leaves such, and so does a hand"
        )
    if not finding.confirmed:
        lines.append("no checkpoint speaks for them: nobody could tell if the end was cut off or all was made anew")
    else:
        signed = "signatures checked" if finding.signatures else "signatures not checked: give --public-key"
        lines.append(f"checkpoints speak for the first {finding.confirmed} of them ({signed})")
    return lines


def _day(text: str, option: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise SurefootError(f"{option} takes a day such as 2026-01-31, not {text!r}") from None
