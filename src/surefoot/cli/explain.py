"""`surefoot explain ROUTE`: what the rules make of each target, told by the same stack that the gateway runs.

Knows how options are spelled and how a verdict is shown. Must never hold a rule.
"""

import os
from pathlib import Path
from random import Random
from typing import Annotated

import msgspec
import typer

from surefoot.config.loading import load
from surefoot.domain.request import Request
from surefoot.errors import SurefootError
from surefoot.policy.fleet import Fleet
from surefoot.policy.stack import Verdict


def explain(
    route: Annotated[str, typer.Argument(help="The route, as a client would name it in `model`.")],
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = Path("surefoot.toml"),
    tokens: Annotated[int, typer.Option(min=0, help="Length of the prompt, in tokens.")] = 0,
    place: Annotated[str | None, typer.Option(help="A place that the request is narrowed to.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say in which order a route's targets would be asked, and why the others would not.

    Every target is taken to be well, as at the start of the gateway; `/status` of a running one tells how they are.
    """
    configuration = load(config, os.environ)
    fleet = Fleet(configuration.targets, configuration.routes, configuration.options, Random(0))  # noqa: S311 - unused
    stack = fleet.stacks.get(route)
    if stack is None:
        raise SurefootError(f"no route is called '{route}'; there are: {', '.join(sorted(fleet.stacks))}")
    verdicts = stack.explain(Request(route, stream=True, prompt_tokens=tokens, place=place), 0.0)
    if as_json:
        answer = {
            "route": route,
            "order": stack.route.order,
            "prompt_tokens": tokens,
            "place": place,
            "targets": verdicts,
        }
        typer.echo(msgspec.json.encode(answer))
        return
    asked = f" in {place}" if place else ""
    typer.echo(f"{route}, {tokens} prompt tokens{asked}, order {stack.route.order}:")
    width = max(len(verdict.target) for verdict in verdicts)
    for verdict in verdicts:
        typer.echo(f"  {_line(verdict, width)}")


def _line(verdict: Verdict, width: int) -> str:
    name = verdict.target.ljust(width)
    if verdict.rank is not None:
        return f"{verdict.rank}. {name}"
    return f"-  {name}  {verdict.rule}: {verdict.reason}"
