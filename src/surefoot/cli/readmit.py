"""`surefoot readmit`: let a target be asked again that was suspended because its own answer contradicted it.

Knows the admin application's address. Must never decide whether that is wise.
"""

from typing import Annotated
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

import msgspec
import typer

from surefoot.errors import SurefootError

_PATIENCE = 10.0
"""Seconds."""


def readmit(
    target: Annotated[str, typer.Argument(help="The target's name.")],
    admin: Annotated[str, typer.Option(help="The gateway's admin address.")] = "http://127.0.0.1:8081",
) -> None:
    """Lift the suspension of a target, in all workers of a running gateway.

    If its next answer contradicts what is declared again, it is suspended again. Exits with 0 if it was lifted, with 2
    if not.
    """
    if not admin.startswith(("http://", "https://")):
        raise SurefootError(f"{admin} is no address of an admin application: it begins with http:// or https://")
    order = Request(f"{admin.rstrip('/')}/readmit?target={quote(target, safe='')}", method="POST")  # noqa: S310 - checked above
    try:
        with urlopen(order, timeout=_PATIENCE):  # noqa: S310 - likewise
            typer.echo(f"{target} is asked again")
    except HTTPError as error:
        with error:
            raise SurefootError(_told(error.read(), error.code)) from error
    except URLError as error:
        raise SurefootError(f"no gateway answers at {admin}: {error.reason}; name it with --admin") from error


def _told(body: bytes, status: int) -> str:
    try:
        return msgspec.json.decode(body, type=dict[str, str])["error"]
    except (msgspec.DecodeError, KeyError):
        return f"the gateway refused with status {status}"
