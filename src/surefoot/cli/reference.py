"""The pages of `docs/reference`, each from the part of the program that it describes.

Knows how a command, an outcome and a record are put into words. Must never depend on the width of a terminal or on
the day.
"""

import ast
import inspect
import io
import tokenize
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

import typer

from surefoot.cli.faults import faults_page
from surefoot.cli.main import COMMANDS, command_app
from surefoot.cli.signals import consequences, signals_page
from surefoot.cli.tables import table
from surefoot.cli.traffic_page import traffic_page
from surefoot.config.reference import HEADER, configuration_page
from surefoot.domain import record
from surefoot.domain.outcome import OUTCOMES
from surefoot.errors import StartError


def pages() -> dict[str, str]:
    """Every page by the name of its file. Raises `StartError` if a command cannot be imported."""
    return {
        "cli.md": _cli_page(),
        "configuration.md": configuration_page(),
        "faults.md": faults_page(),
        "journal.md": _journal_page(),
        "outcomes.md": _outcomes_page(),
        "signals.md": signals_page(),
        "traffic.md": traffic_page(),
    }


def _cli_page() -> str:
    parts = [HEADER, "# Command line\n"]
    for name in COMMANDS:
        try:
            command = typer.main.get_command(command_app(name))
        except ImportError as error:
            raise StartError(f"the command {name} cannot be described: {error}") from error
        parts += _command(f"surefoot {name}", command, COMMANDS[name].sentence)
    return "\n".join(parts)


def _command(title: str, command: Any, sentence: str = "") -> list[str]:
    """A command, and those inside it."""
    parts = [f"## `{title}`\n\n{inspect.cleandoc(command.help or sentence)}\n"]
    shown = [one for one in command.params if one.name != "help" and not getattr(one, "hidden", False)]
    rows = [_parameter(parameter) for parameter in shown]
    if rows:
        parts.append(table(("option", "default", "meaning"), iter(rows)) + "\n")
    for name, inner in getattr(command, "commands", {}).items():
        parts += _command(f"{title} {name}", inner)
    return parts


def _parameter(parameter: Any) -> tuple[str, str, str]:
    """One option or argument. What typer gives is not part of its typed surface."""
    names = ", ".join(f"`{name}`" for name in sorted(parameter.opts, key=len, reverse=True))
    if parameter.param_type_name == "argument":
        names = f"`{str(parameter.name).upper()}`"
    return names, _default(parameter), getattr(parameter, "help", None) or ""


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    default = parameter.default
    if isinstance(default, Callable):  # type: ignore[arg-type]
        return ""
    if default is None or default is False or default == ():
        return ""
    return f"`{default.as_posix() if isinstance(default, PurePath) else default}`"


def _outcomes_page() -> str:
    head = ("kind", "meaning", "retry", "fall back", "blame", "billed", "counted")
    rows = ((f"`{kind}`", row.meaning, *consequences(kind)) for kind, row in OUTCOMES.items())
    return f"""{HEADER}
# Outcomes

How an attempt can end, and what follows. How each is seen on the wire is in [signals.md](signals.md).

- **retry**: may the same target be asked again when no other is left?
- **fall back**: is another target asked?
- **blame**: does the target's breaker count it?
- **billed**: is the provider likely to charge for it?
- **counted**: is it a failure mode that coverage counts?

{table(head, rows)}
"""


def _journal_page() -> str:
    parts = [HEADER, f"# Journal\n\n{inspect.cleandoc(record.__doc__ or '')}\n\nVersion {record.VERSION}.\n"]
    for title, name in (("A call", "CALL_FIELDS"), ("An attempt", "ATTEMPT_FIELDS")):
        rows = ((f"`{field}`", comment) for field, comment in _commented(name))
        parts.append(f"## {title}\n\n{table(('field', 'meaning'), rows)}\n")
    return "\n".join(parts)


def _commented(name: str) -> list[tuple[str, str]]:
    """The words of a tuple in `domain.record`, each with the comment on its line."""
    source = inspect.getsource(record)
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple) and ast.unparse(node.targets[0]) == name:
            return [(str(ast.literal_eval(word)), comments.get(word.lineno, "")) for word in node.value.elts]
    raise StartError(f"surefoot.domain.record has no {name}")
