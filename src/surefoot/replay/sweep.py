"""Many tasks side by side: on the processors of this machine, or on a Ray cluster; the tallies are the same.

Local processes are spawned, so that they start from nothing. Must never: let where a task was done show in its numbers,
or leave a process behind.
"""

import gc
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from multiprocessing.queues import Queue
from queue import Empty
from socket import MSG_WAITALL, create_connection
from threading import Thread
from typing import Any

from surefoot.errors import ReplayError
from surefoot.replay.counting.tally import Tally
from surefoot.replay.task import Task, perform

EVERY = 0.2
"""Seconds between two looks at how far local processes are."""

COLLECT = (20_000, 50, 100)
"""Thresholds of the cyclic garbage collector of a local process: a replayed call leaves no cycle behind either."""

PATIENCE = 5.0
"""Seconds that a cluster may take to accept a connection, and then to greet."""

JOINING = 60.0
"""Seconds that it may take to let this machine in."""

_SETTINGS = b"\x04"
_FRAME_HEAD = 9
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + _SETTINGS + bytes(5)
"""A client's preface and an empty frame of settings, to which a server answers with one (RFC 9113, 3.4 and 6.5)."""

_WHERE = "`ray status` says where one is, and its port is 6379 unless told"

Progress = Callable[[int, int], None]
"""Is told how many calls more and how many tasks more are done."""


def sweep(
    tasks: Sequence[Task], progress: Progress, ray: str | None = None, processes: int | None = None
) -> list[Tally]:
    """The tallies of all tasks, in their order. `ray` is the address of a cluster; else `processes` run here.

    Raises `ReplayError` as `perform` does, where a process was killed, and where the cluster cannot be used.
    """
    if ray is not None:
        return list(_on_ray(tasks, progress, ray))
    count = min(processes or os.cpu_count() or 1, len(tasks))
    if count == 1:
        return [_here(task, progress) for task in tasks]
    return _on_processes(tasks, progress, count)


def _here(task: Task, progress: Progress) -> Tally:
    found = perform(task, lambda calls: progress(calls, 0))
    progress(0, 1)
    return found


# ── local processes ────────────────────────────────────────────────────────────────────────────────────────────────


class _Process:
    """What a spawned process knows besides its task."""

    told: "Queue[int] | None" = None


def _start(told: "Queue[int]") -> None:
    _Process.told = told
    gc.freeze()
    gc.set_threshold(*COLLECT)


def _perform_there(task: Task) -> Tally:
    told = _Process.told
    return perform(task, told.put if told is not None else _nobody)


def _nobody(_calls: int) -> None:
    """Nobody wants to know."""


def _on_processes(tasks: Sequence[Task], progress: Progress, count: int) -> list[Tally]:
    context = get_context("spawn")
    others = set(active_children())
    told: Queue[int] = context.Queue()
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=_start, initargs=(told,))
    try:
        futures = [pool.submit(_perform_there, task) for task in tasks]
        _watch(futures, told, progress)
        return [future.result() for future in futures]
    except BaseException as error:
        for child in set(active_children()) - others:  # a task that has begun would go on for minutes
            child.terminate()
        if isinstance(error, BrokenProcessPool):
            raise ReplayError("a process of the replay was killed; it may have run out of memory") from error
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        told.close()


def _watch(futures: Sequence[Future[Tally]], told: "Queue[int]", progress: Progress) -> None:
    """Until all are done, or one of them has failed."""
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, timeout=EVERY, return_when=FIRST_COMPLETED)
        calls = 0
        while True:
            try:
                calls += told.get_nowait()
            except Empty:
                break
        progress(calls, len(done))
        if any(future.exception() for future in done):
            return


# ── Ray ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _on_ray(tasks: Sequence[Task], progress: Progress, address: str) -> Iterator[Tally]:
    with _cluster(address) as ray:
        remote = ray.remote(_perform_on_ray)
        running = [remote.remote(task) for task in tasks]
        waiting, calls = list(running), {one: task.traffic.calls for one, task in zip(running, tasks, strict=True)}
        while waiting:
            done, waiting = ray.wait(waiting, num_returns=1)
            try:
                ray.get(done)
            except ray.exceptions.RayTaskError as error:
                raise ReplayError(f"on {address}: {error.cause}") from error
            except ray.exceptions.RayError as error:
                raise ReplayError(f"{address}: a task was lost: {error}") from error
            progress(calls[done[0]], 1)
        yield from (ray.get(one) for one in running)


def _perform_on_ray(task: Task) -> Tally:
    return perform(task, _nobody)


def ray_here() -> Any:
    """Ray's module. Raises `ReplayError` with what to do where it is not installed."""
    try:
        import ray  # noqa: PLC0415 - an extra, and dear
    except ImportError as error:
        raise ReplayError('--ray needs the extra `ray`: pip install "surefoot[ray]"; else leave --ray out') from error
    return ray


@contextmanager
def _cluster(address: str) -> Iterator[Any]:
    ray = ray_here()
    _see_that_it_answers(address)
    _join(ray, address)
    try:
        yield ray
    finally:
        ray.shutdown()


def _join(ray: Any, address: str) -> None:
    """Connect in time, or not at all: Ray itself goes on trying for minutes, and cannot be told to stop."""
    found: list[Exception] = []

    def connect() -> None:
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, ValueError) as error:
            found.append(error)

    connecting = Thread(target=connect, daemon=True)
    connecting.start()
    connecting.join(JOINING)
    if connecting.is_alive():
        raise ReplayError(f"--ray {address}: no cluster lets this machine in within {JOINING:g} s; {_WHERE}")
    if found:
        why = str(found[0]).partition("\n")[0]
        raise ReplayError(f"--ray {address}: no cluster answers there: {why}") from found[0]


def _see_that_it_answers(address: str) -> None:
    """A head speaks gRPC, so that it greets as HTTP/2 does. `auto` and `ray://` addresses are left to Ray."""
    host, _, port = address.rpartition(":")
    if not port.isdigit() or "://" in address:
        return
    try:
        with create_connection((host.strip("[]"), int(port)), PATIENCE) as line:
            line.settimeout(PATIENCE)
            line.sendall(_GREETING)
            greeted = line.recv(_FRAME_HEAD, MSG_WAITALL)
    except TimeoutError as error:
        raise ReplayError(
            f"--ray {address}: what listens there says nothing within {PATIENCE:g} s; {_WHERE}"
        ) from error
    except (OSError, OverflowError) as error:
        raise ReplayError(f"--ray {address}: no cluster answers there: {error}") from error
    if greeted[3:4] != _SETTINGS:
        raise ReplayError(f"--ray {address}: what listens there is no Ray head; {_WHERE}")
