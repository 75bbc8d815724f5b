"""`surefoot replay`: what a fallback would have saved, on your own traffic, against real outages.

Knows: how options are spelled and where output goes.
Must never: hold logic; `surefoot.replay` does the work, `surefoot.report` writes it down.
"""

import os
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from surefoot.cli.replay_progress import ReplayProgress
from surefoot.cli.replaying import ALL, read_part, read_readings, say, unwind_when_stopped, words
from surefoot.cli.screen import print_json, screen
from surefoot.config.gathering import attempted, read_option
from surefoot.config.quantities import read_duration, show_duration
from surefoot.errors import ConfigError
from surefoot.intake.incident import Reading
from surefoot.intake.incidents.mending import CAP
from surefoot.replay.arms import NO_FALLBACK
from surefoot.replay.counting.kept import FILES, keep, ready
from surefoot.replay.counting.summary import About, Played, Summary, summarise
from surefoot.replay.files import Files, Opened, opened
from surefoot.replay.posing import Asked, Posed, held_against, places_of, pose
from surefoot.replay.reach import untouched
from surefoot.replay.stress import Stress, read_stress
from surefoot.replay.sweep import ray_here, sweep
from surefoot.report.replayed import Heading, answer, basis, tables

LAGS = "0,1m,5m,20m"
LEAVE_OUT = "leave-out"
NO_CAP = "none"
CAPPED = show_duration(CAP)


def replay(
    traffic: Annotated[Path, typer.Option(help="Traffic, as `surefoot import` writes it.")],
    incidents: Annotated[
        list[Path],
        typer.Option(help="A list of incidents that `surefoot incidents` reads; may be given several times."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for facts, tables and assumptions.")],
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = Path("surefoot.toml"),
    against: Annotated[
        str, typer.Option(help="What it is held against: no-fallback, or another configuration file.")
    ] = NO_FALLBACK,
    models: Annotated[Path | None, typer.Option(help="What is known of targets, as TOML.")] = None,
    readings: Annotated[
        str, typer.Option(help="Which incidents count: any, partial, major, with commas between, or all. First: base.")
    ] = ALL,
    lags: Annotated[
        str | None, typer.Option(help=f"How late an outage is noticed, with commas between; {LAGS} unless told.")
    ] = None,
    stress: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE, such as busiest-hour=1h; may be given several times.")
    ] = None,
    failing: Annotated[str, typer.Option(help="Share of the calls that an outage strikes.")] = "100%",
    unknown_length: Annotated[
        str, typer.Option(help="What an incident lasts whose length is unknown: such as 30m, or leave-out.")
    ] = LEAVE_OUT,
    cap: Annotated[str, typer.Option(help="Longer incidents are cut to it: a duration, or none.")] = CAPPED,
    every_service: Annotated[
        bool, typer.Option("--every-service", help="Incidents count that are about another service than a chat by API.")
    ] = False,
    vary: Annotated[
        bool, typer.Option(help="Change one assumption at a time and see how far the answer moves.")
    ] = True,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every draw.")] = 7,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Processes here; one for each processor unless told.")
    ] = None,
    ray: Annotated[str | None, typer.Option(help="Address of a Ray cluster to do the work.")] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Replay also where no incident of the lists strikes anything.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a replay that is in the folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object in place of tables.")] = False,
    form: Annotated[str | None, typer.Option("--format", hidden=True)] = None,
) -> None:
    """Replay traffic against dated outages, through the policy of a configuration and without it.

    Both arms meet the same calls, outages and draws. The same files and seed give the same bytes. Connects to nothing
    but the Ray cluster that was named. Exits with 2 if it could not begin.
    """
    faults: list[str] = [] if form is None else ["--format: there is none; --json prints one JSON object"]
    asked = Asked(
        readings=read_option(faults, "--readings", read_readings, readings) or (Reading.ANY,),
        lags=read_option(faults, "--lags", _lags, _usual_lags(lags, against)) or (0.0,),
        stresses=_stresses(faults, stress or []),
        failing=read_option(faults, "--failing", _share, failing) or 1.0,
        unknown_length=read_option(faults, "--unknown-length", _unknown_length, unknown_length) or 0.0,
        cap=read_option(faults, "--cap", _cap, cap),
        every_service=every_service,
        vary=vary,
        seed=seed,
    )
    if against != NO_FALLBACK and len(asked.lags) > 1:
        faults.append("--lags: late calls take what no fallback made of them; leave it out beside --against FILE")
    files = Files(
        config=config,
        traffic=traffic,
        incidents=tuple(incidents),
        against=_other(faults, against),
        models=models,
    )
    if ray is not None:
        attempted(faults, ray_here)
    attempted(faults, lambda: ready(out, () if force else FILES))
    found = attempted(faults, lambda: opened(files, asked, os.environ))
    unwind_when_stopped()
    posed = None if found is None else attempted(faults, lambda: pose(found.material, asked))
    if faults or found is None or posed is None:
        raise ConfigError(list(dict.fromkeys(faults)))
    nothing = () if anyway else untouched(found.material, posed)
    if nothing:
        raise ConfigError([*found.unreadable, *nothing])
    progress = ReplayProgress(sum(task.traffic.calls for task in posed.tasks), len(posed.tasks))
    with progress:
        tallies = sweep(posed.tasks, progress.tell, ray, processes)
        progress.say("adding up")
        played = [
            Played(task.scenario, task.assumption, task.value, tally)
            for task, tally in zip(posed.tasks, tallies, strict=True)
        ]
        both = (found.material.ours, *([] if found.material.against is None else [found.material.against]))
        places = places_of([target for one in both for target in one.targets])
        summary = summarise(played, About(seed=seed, inputs=found.inputs, places=places))
        assumptions = _assumptions(found, posed)
        keep(out, summary, played, assumptions)
    heading = Heading(config=config.name, against=held_against(against), lags=asked.lags)
    _tell(summary, heading, found, posed, out, as_json=as_json)


def _tell(summary: Summary, heading: Heading, found: Opened, posed: Posed, out: Path, *, as_json: bool) -> None:
    if as_json:
        told = {
            "facts": summary.facts,
            "moves": [{**msgspec.to_builtins(move), "effect": move.effect} for move in summary.moves],
            "assumptions": _assumptions(found, posed),
            "out": str(out),
        }
        print_json(told)
        return
    console = screen()
    for line in answer(summary, heading):
        say(console, line)
    for table in tables(summary, heading, console.width):
        console.print()
        console.print(table)
    base = posed.tasks[0].scenario
    for line in basis((*found.unreadable, *posed.said), posed.stand_on, posed.left_out[base], posed.inside[base]):
        say(console, line)
    say(console, f"All numbers and tables: {out}")


def _assumptions(found: Opened, posed: Posed) -> dict[str, Any]:
    return {
        "said": [*found.unreadable, *posed.said],
        "models": [msgspec.to_builtins(one) for one in posed.stand_on],
        "left_out": posed.left_out,
        "left_out_in_the_time_of_the_traffic": {
            reading: [msgspec.to_builtins(one) for one in listed] for reading, listed in posed.inside.items()
        },
    }


def _stresses(faults: list[str], texts: Sequence[str]) -> tuple[Stress, ...]:
    found = [attempted(faults, lambda text=text: read_stress(text)) for text in texts]  # type: ignore[misc]
    return tuple(one for one in found if one is not None)


def _other(faults: list[str], against: str) -> Path | None:
    """The other configuration, if there is one."""
    if against == NO_FALLBACK:
        return None
    if not Path(against).exists():
        faults.append(f"--against {against}: there is no such file; {_meant(against)}")
        return None
    return Path(against)


def _meant(against: str) -> str:
    near = get_close_matches(against, [NO_FALLBACK])
    return f"did you mean {NO_FALLBACK}?" if near else f"name a configuration, or {NO_FALLBACK}"


def _usual_lags(lags: str | None, against: str) -> str:
    return lags if lags is not None else LAGS if against == NO_FALLBACK else "0"


def _lags(text: str) -> tuple[float, ...]:
    """In order; with 0, which is what the policy itself needs to notice."""
    return tuple(sorted({0.0, *(0.0 if word == "0" else read_duration(word) for word in words(text))}))


def _unknown_length(text: str) -> float:
    """In seconds; 0 leaves such incidents out."""
    return 0.0 if text == LEAVE_OUT else _above_zero(text, f"or {LEAVE_OUT}")


def _cap(text: str) -> float | None:
    """In seconds, if any."""
    return None if text == NO_CAP else _above_zero(text, f"or {NO_CAP}")


def _above_zero(text: str, otherwise: str) -> float:
    try:
        seconds = read_duration(text)
    except ValueError as error:
        raise ValueError(f"{error}; {otherwise}") from None
    if seconds <= 0:
        raise ValueError(f"has to be longer than {text}; write 30m, {otherwise}")
    return seconds


def _share(text: str) -> float:
    none = "an outage that strikes no call is none; write 50%"
    return read_part(text, none, "no more than all calls can be struck; write 100%")
