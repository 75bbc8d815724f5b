"""`surefoot twin`: a provider that misbehaves on order.

Knows: how options are spelled.
Must never: hold logic; `surefoot.twin` does the work.
"""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from surefoot.cli.faults import faults_in_short
from surefoot.errors import SurefootError
from surefoot.twin.behaviour import Behaviour
from surefoot.twin.faults import HEALTHY
from surefoot.twin.program import run
from surefoot.twin.server import Tls, TwinOptions
from surefoot.twin.spelling import distribution, duration
from surefoot.twin.spelling import plan as fault_plan


def twin(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the provider; 0 lets the system choose.")] = 0,
    control_port: Annotated[int, typer.Option(help="Port of the control door; 0 lets the system choose.")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of every draw.")] = 0,
    ttft: Annotated[
        str, typer.Option(help="Time to first token: 200ms, lognormal:MEDIAN:P99 or file:PATH[:COLUMN].")
    ] = "0ms",
    tokens: Annotated[str, typer.Option(help="Tokens of an answer, likewise.")] = "50",
    rate: Annotated[str | None, typer.Option(help="Tokens per second, likewise; without, all at once.")] = None,
    gap: Annotated[str | None, typer.Option(help="Time between tokens, likewise, in place of --rate.")] = None,
    text: Annotated[str | None, typer.Option(help="What the answer says, over and over.")] = None,
    keepalive: Annotated[str | None, typer.Option(help="Time between comments while nothing has been said.")] = None,
    events_per_segment: Annotated[int, typer.Option(help="Tokens written together.")] = 1,
    fault: Annotated[str | None, typer.Option(help=f"A fault that strikes every request: {faults_in_short()}.")] = None,
    faults: Annotated[Path | None, typer.Option(help="A file with a fault plan, in JSON.")] = None,
    cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM); needs --key.")] = None,
    key: Annotated[Path | None, typer.Option(help="Key of the certificate (PEM).")] = None,
    log_size: Annotated[int, typer.Option(min=1, help="Attempts the log remembers.")] = 100_000,
) -> None:
    """Serve the OpenAI chat completions API below /v1 and fail as told, until SIGTERM or SIGINT.

    The first line of output is JSON with url, control and pid. What each fault does, and how a plan of several is
    written, is in docs/twin.md.
    """
    if (cert is None) is not (key is None):
        raise typer.BadParameter("--cert and --key go together")
    try:
        behaviour = Behaviour(
            ttft=distribution(ttft, duration),
            tokens=distribution(tokens),
            rate=None if rate is None else distribution(rate),
            gap=None if gap is None else distribution(gap, duration),
            keepalive=None if keepalive is None else duration(keepalive),
            seed=seed,
            events_per_segment=events_per_segment,
        )
        if text is not None:
            behaviour = msgspec.structs.replace(behaviour, text=text)
        said = faults.read_text(encoding="utf-8") if faults is not None else fault
        options = TwinOptions(
            behaviour=behaviour,
            faults=HEALTHY if said is None else fault_plan(said),
            tls=None if cert is None or key is None else Tls(str(cert), str(key)),
            host=host,
            port=port,
            control_port=control_port,
            log_size=log_size,
        )
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    try:
        run(options)
    except SurefootError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
