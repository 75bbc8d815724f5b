"""What `surefoot drill` prints once a drill is over: tables or one JSON object, and the verdict last.

Knows: where output goes. Must never: hold a sentence or a number of its own; `surefoot.report` has them.
"""

from pathlib import Path
from typing import Any

import msgspec
import typer

from surefoot.cli.screen import print_json, screen
from surefoot.config.configuration import Configuration
from surefoot.drill.guard import Steady
from surefoot.drill.plan import DrillOptions
from surefoot.drill.runner import DrillRun
from surefoot.drill.shelf import WHOLE
from surefoot.drill.written import Kept, untested
from surefoot.facts import Facts
from surefoot.report.changes import changes_of
from surefoot.report.drilled import remarks, side_by_side, tables
from surefoot.report.heading import heading, legend, warnings
from surefoot.report.verdict import verdict


class Screen:
    """Told of each drill and of each of its routes, then closed."""

    def __init__(self, told: DrillOptions, *, as_json: bool) -> None:
        self._options = told
        self._as_json = as_json
        self._drills: list[dict[str, Any]] = []
        self._whole: dict[str, list[tuple[str, Facts]]] = {}
        """Completed drills by route, each with its file's name."""
        self._verdicts: list[str] = []
        self._tables = False
        self._console = screen()

    def drill(
        self,
        file: Path,
        configuration: Configuration,
        run: DrillRun,
        kept: dict[str, Kept],
    ) -> None:
        """One drill; `kept` holds facts, folder and changes of each route."""
        self._drills.append(_told(file, configuration, self._options, run, kept))
        self._verdicts += verdict(file.name, run, kept)
        if run.status == WHOLE:
            for name, one in kept.items():
                self._whole.setdefault(name, []).append((file.stem, one.facts))
        if not self._as_json:
            for route in configuration.routes:
                if route.name in kept:
                    self._lines(["", *heading(file.name, configuration, route, self._options, run), ""])
                    self._route(kept[route.name], drilled=any(one.route == route.name for one in run.repetitions))

    def _route(self, kept: Kept, *, drilled: bool) -> None:
        facts, _, changes = kept
        found = tables(facts) if drilled else ()
        for table in found:
            self._console.print(table)
        if not found:
            self._lines(["No call was drilled on this route: there is nothing to show."])
            return
        self._tables = True
        self._lines(remarks(facts))
        if changes is not None:
            sentence, changed = changes_of(changes)
            self._lines(["", sentence])
            if changed is not None:
                self._console.print(changed)

    def close(self) -> None:
        """The last words."""
        if self._as_json:
            print_json({"drills": self._drills})
            for line in self._verdicts:
                typer.echo(line, err=True)
            return
        for name, whole in self._whole.items():
            if len(whole) > 1:
                table, sentence = side_by_side(name, *whole)
                self._console.print()
                self._console.print(table)
                self._lines([sentence])
        if self._tables:
            self._lines(["", *legend()])
        self._lines(["", *self._verdicts])

    def _lines(self, lines: Any) -> None:
        for line in lines:
            self._console.print(line, highlight=False, markup=False, soft_wrap=not self._console.is_terminal)


def _told(
    file: Path,
    configuration: Configuration,
    told: DrillOptions,
    run: DrillRun,
    kept: dict[str, Kept],
) -> dict[str, Any]:
    routes = [route for route in configuration.routes if route.name in run.routes]
    return {
        "file": file.name,
        "status": run.status,
        "why": run.why,
        "modes": run.modes,
        "warnings": {route.name: list(warnings(configuration, route, told, run.modes)) for route in routes},
        "steady": {"before": _look(run.before), "after": _look(run.after)},
        "lateness_p99": run.lateness,
        "reserved": run.reserved,
        "untested": [msgspec.to_builtins(one) for one in untested(run)],
        "routes": {
            name: {"folder": str(one.folder), "facts": msgspec.to_builtins(one.facts)} for name, one in kept.items()
        },
    }


def _look(seen: Steady | None) -> dict[str, Any] | None:
    return None if seen is None else {"asked": seen.asked, "answered": seen.answered, "met": seen.met}
