"""`surefoot init`: a first configuration file, from the provider keys that the environment holds.

Knows where to write. Must never write or print the value of a variable, nor overwrite a file unasked.
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from surefoot.config.profiles import profiles
from surefoot.config.starter import found_providers, looked_for, starter_file
from surefoot.errors import StartError


def init(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("surefoot.toml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it is there.")] = False,
) -> None:
    """Write a commented configuration file.

    It names a target for every provider whose key is in the environment, by the variable's name, never its value.
    """
    text = starter_file(os.environ)
    try:
        with output.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise StartError(f"{output} is there already; --force overwrites it, -o FILE writes another") from None
    except OSError as error:
        raise StartError(f"{output} cannot be written: {error.strerror}") from error
    found = found_providers(os.environ)
    if found:
        variables = ", ".join(str(profiles()[name].env) for name in found)
        typer.echo(f"{output}: written, with {', '.join(found)} from {variables}")
    else:
        typer.echo(f"{output}: written for a model server on this machine; no key found in {', '.join(looked_for())}")
    typer.echo(f"next: surefoot check -c {output}")
