"""`surefoot explain ROUTE`: what the rules make of each target, told by the same stack that the gateway runs.

Knows how options are spelled and how a verdict is shown. Must never hold a rule.
"""

import os
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from surefoot.config.credentials import Placeholders
from surefoot.config.loading import load
from surefoot.control.explaining import Question
from surefoot.control.explaining import explain as explained


def explain(
    route: Annotated[str, typer.Argument(help="The route, as a client would name it in `model`.")],
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = Path("surefoot.toml"),
    tokens: Annotated[int, typer.Option(min=0, help="Length of the prompt, in tokens.")] = 0,
    key: Annotated[str | None, typer.Option(help="Name of the client's key.")] = None,
    jurisdiction: Annotated[str | None, typer.Option(help="Jurisdictions that the request names.")] = None,
    place: Annotated[str | None, typer.Option(help="Zones that the request is narrowed to.")] = None,
    data_class: Annotated[str | None, typer.Option(help="Classes of data that the request names.")] = None,
    data_region: Annotated[str | None, typer.Option(help="Zones of the people whom the data is about.")] = None,
    features: Annotated[str, typer.Option(help="What the request needs beside text: `tools,image`.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say in which order a route's targets would be asked, and why the others would not.

    Every target is taken to be well, as at the start of the gateway; `/explain` on the admin port of a running one
    answers on how they are. Several names are separated by commas.
    """
    needed = tuple(word.strip() for word in features.split(",") if word.strip())
    question = Question(route, key, jurisdiction, place, data_class, data_region, tokens, needed)
    answer = explained(load(config, Placeholders(os.environ)), question)
    if as_json:
        typer.echo(msgspec.json.encode(answer))
        return
    needs = f", needs {', '.join(answer['features'])}" if answer["features"] else ""
    typer.echo(f"{route}, {tokens} prompt tokens{needs}, order {answer['order']}, bound by {answer['jurisdiction']}:")
    width = max(len(verdict["target"]) for verdict in answer["targets"])
    for verdict in answer["targets"]:
        typer.echo(f"  {_line(verdict, width, unknown=bool(needs) and verdict['features'] is None)}")


def _line(verdict: dict[str, Any], width: int, *, unknown: bool) -> str:
    name = verdict["target"].ljust(width)
    if verdict["rank"] is not None:
        return f"{verdict['rank']}. {name}" + ("  declares no features: whether it can is unknown" if unknown else "")
    return f"-  {name}  {verdict['rule']}: {verdict['reason']}"
