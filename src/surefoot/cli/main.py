"""`surefoot`: the list of commands. A command's module is imported when the command is given, so that each starts fast.

Knows the name, the module and one sentence of every command. Must never import what only one of them needs.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, NamedTuple

import typer

from surefoot import __version__
from surefoot.errors import ConfigError, SurefootError

REFUSED = 2
"""Exit code when the configuration or the way a command was called does not allow it to do its work."""


class Entry(NamedTuple):
    """One command: `module` holds a function of the command's name, or an application if it has commands of its own."""

    module: str
    sentence: str
    function: str | None = None
    """Its name where that of the command is a word of Python."""


COMMANDS = {
    "serve": Entry("surefoot.cli.serve", "Start the gateway."),
    "check": Entry("surefoot.cli.check", "Check a configuration file and tell every fault."),
    "init": Entry("surefoot.cli.init", "Write a commented configuration file."),
    "explain": Entry("surefoot.cli.explain", "Say what the rules make of each target of a route."),
    "compliance": Entry("surefoot.cli.compliance", "List dated duties of law and what they touch here."),
    "keys": Entry("surefoot.cli.keys", "Make, list and revoke client keys."),
    "receipts": Entry("surefoot.cli.receipts", "Verify and export receipts."),
    "twin": Entry("surefoot.cli.twin", "Serve a provider that misbehaves on order."),
    "drill": Entry("surefoot.cli.drill", "Let targets fail on purpose and count what becomes of the calls."),
    "import": Entry("surefoot.cli.import_traffic", "Read a traffic log into one form.", "import_traffic"),
    "incidents": Entry("surefoot.cli.incidents", "Say how often and how long providers were down, and at once."),
    "replay": Entry("surefoot.cli.replay", "Replay traffic against outages, with and without a fallback."),
    "compare": Entry("surefoot.cli.compare", "Hold whole configurations against one another; the impact matrix."),
    "demo": Entry("surefoot.cli.demo", "Show what the gateway is worth, on this machine, without keys."),
    "readmit": Entry("surefoot.cli.readmit", "Let a suspended target be asked again."),
    "exposure": Entry("surefoot.cli.exposure", "Reckon what failures cost in a year, with a fallback and without."),
    "churn": Entry("surefoot.cli.churn", "Compare end users who met failures with those who did not."),
    "docs": Entry("surefoot.cli.docs", "Generate the reference documentation."),
}


def command_app(name: str) -> typer.Typer:
    """The application of one command. Raises `ImportError` if its module or something it needs is missing."""
    function: Callable[..., None] | typer.Typer = getattr(
        import_module(COMMANDS[name].module), COMMANDS[name].function or name
    )
    if isinstance(function, typer.Typer):
        return function
    single = _plain_app()
    single.command(name)(function)
    return single


def _plain_app() -> typer.Typer:
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def _tell(error: SurefootError) -> None:
    for line in error.faults if isinstance(error, ConfigError) else [str(error)]:
        typer.echo(line, err=True)


def _run(name: str) -> Callable[[typer.Context], None]:
    """What stands for a command until it is given: it imports the real one and hands all arguments on."""

    def hand_on(context: typer.Context) -> None:
        try:
            real = typer.main.get_command(command_app(name))
            real.main(args=list(context.args), prog_name=f"surefoot {name}")
        except SurefootError as error:
            _tell(error)
            raise typer.Exit(REFUSED) from error
        except ImportError as error:
            typer.echo(f"surefoot {name}: a part is missing: {error}; reinstall surefoot with its extras", err=True)
            raise typer.Exit(REFUSED) from error

    return hand_on


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"surefoot {__version__}")
        raise typer.Exit


def _options(
    _version_asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """An LLM gateway that keeps answering when a provider fails."""


def build() -> typer.Typer:
    """The whole application."""
    whole = _plain_app()
    whole.callback(no_args_is_help=True)(_options)
    hand_on = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}
    for name, entry in COMMANDS.items():
        whole.command(name, help=entry.sentence, add_help_option=False, context_settings=hand_on)(_run(name))
    return whole


app = build()

if __name__ == "__main__":
    sys.exit(app())
