"""A sweep gives the same tallies wherever it is done: here, on local processes, on two nodes of a real Ray cluster."""

import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer
from threading import Thread

import duckdb
import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest
from tests.replay.files import INCIDENTS, Files, written
from tests.replay.paired import HOUR, MONDAY
from tests.replay.planned import traffic

from surefoot.errors import ReplayError
from surefoot.intake.incident import Reading
from surefoot.replay.counting.tally import Tally
from surefoot.replay.files import Files as Given
from surefoot.replay.files import opened
from surefoot.replay.posing import Asked, pose
from surefoot.replay.sweep import sweep
from surefoot.replay.task import Task, perform


def tasks_of(files: Files) -> Sequence[Task]:
    asked = Asked(readings=(Reading.ANY, Reading.MAJOR), lags=(0.0, 60.0), vary=False, failing=0.5)
    given = Given(config=files.config, traffic=files.traffic, incidents=(files.incidents,), models=files.models)
    return pose(opened(given, asked, {}).material, asked).tasks


def bytes_of(tallies: Sequence[Tally]) -> list[bytes]:
    """All that was counted, apart from how Python shares its objects."""
    return [
        pickle.dumps(
            [
                (one.first, one.last, one.struck.tobytes()),
                [
                    (key, c.sums.tobytes(), c.times.tobytes(), c.winners.tobytes())
                    for key, c in sorted(one.weeks.items())
                ],
            ]
        )
        for one in tallies
    ]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    mild = "mild,openai,2024-06-03T05:00Z,2024-06-03T06:00Z,minor,Elevated error rates\n"
    return written(tmp_path_factory.mktemp("sweep"), [step / 4 for step in range(48)], incidents=INCIDENTS + mild)


@pytest.fixture(scope="module")
def tasks(files: Files) -> Sequence[Task]:
    return tasks_of(files)


def nobody(_calls: int, _tasks: int) -> None: ...


@pytest.fixture(scope="module")
def here(tasks: Sequence[Task]) -> list[bytes]:
    return bytes_of(sweep(tasks, nobody, processes=1))


def test_local_processes_give_the_same_to_the_last_digit_and_tell_how_far_they_are(
    tasks: Sequence[Task], here: list[bytes]
) -> None:
    told = [0, 0]

    def progress(calls: int, done: int) -> None:
        told[0] += calls
        told[1] += done

    assert bytes_of(sweep(tasks, progress, processes=2)) == here
    assert here[0] != here[1]
    assert told[1] == 2
    assert told[0] <= 2 * 48


@pytest.fixture
def cluster() -> Iterator[str]:
    """The address of two nodes on this machine, ended afterwards."""
    ray_utils = pytest.importorskip("ray.cluster_utils")
    found = ray_utils.Cluster()
    node = {
        "num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False, "node_ip_address": "127.0.0.2",
    }  # fmt: skip
    try:
        for _ in range(2):
            found.add_node(**node)
        yield found.address
    finally:
        found.shutdown()


@pytest.mark.filterwarnings("default")
@pytest.mark.timeout(120)
def test_a_ray_cluster_of_two_nodes_gives_the_same_to_the_last_digit(
    tasks: Sequence[Task], here: list[bytes], cluster: str
) -> None:
    done = []
    assert bytes_of(sweep(tasks, lambda _calls, tasks: done.append(tasks), ray=cluster)) == here
    assert sum(done) == 2


def test_where_ray_is_not_installed_a_sentence_says_what_to_do_before_anything_is_read(files: Files) -> None:
    program = "import sys; sys.modules['ray'] = None; from surefoot.cli.main import app; app()"
    command = [sys.executable, "-c", program, "replay", *files.options("--ray", "127.0.0.1:1"), "--failing", "0%"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 2
    assert 'pip install "surefoot[ray]"' in done.stderr
    assert "--failing" in done.stderr


def test_a_cluster_that_does_not_answer_is_told_at_once(tasks: Sequence[Task]) -> None:
    with pytest.raises(ReplayError, match="no cluster answers there"):
        sweep(tasks, nobody, ray="127.0.0.1:1")


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-server\r\n", b""])
def test_what_listens_and_is_no_ray_head_is_told_at_once(tasks: Sequence[Task], answer: bytes) -> None:
    with (
        listening(answer) as address,
        pytest.raises(ReplayError, match=f"{address}: what listens there is no Ray head"),
    ):
        sweep(tasks, nobody, ray=address)


IMPATIENT = """
import sys
from surefoot.errors import ReplayError
from surefoot.replay import sweep
sweep.PATIENCE, sweep.JOINING = 0.2, 2.0
try: sweep.sweep([], print, ray=sys.argv[1])
except ReplayError as error: print(error)
"""
"""A process that waits less long, and has to end by itself, whatever Ray's own threads still try."""


@pytest.mark.filterwarnings("default")
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "what listens there says nothing within 0.2 s; `ray status` says where one is"),
        (bytes(3) + b"\x04" + bytes(5), "no cluster lets this machine in within 2 s"),
    ],
    ids=["says nothing", "greets as a head does"],
)
def test_what_lets_nobody_in_is_left_after_a_while(answer: bytes | None, told: str) -> None:
    pytest.importorskip("ray")
    with listening(answer) as address:
        command = [sys.executable, "-c", IMPATIENT, address]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert told in done.stdout
    assert done.returncode == 0


@contextmanager
def listening(answer: bytes | None) -> Iterator[str]:
    """The address of a server that answers whatever it is sent with this and hangs up; with None, that does nothing."""

    class Answers(BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(1000)
            if answer is not None:
                self.request.sendall(answer)

    with TCPServer(("127.0.0.1", 0), Answers) as server:
        if answer is not None:
            Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        if answer is not None:
            server.shutdown()


@pytest.mark.parametrize("processes", [1, 2])
def test_traffic_that_changed_or_is_gone_is_not_replayed(tmp_path: Path, processes: int) -> None:
    files = written(tmp_path, [0.0, 1.0])
    tasks = tasks_of(files)
    traffic(files.traffic, [{"at": MONDAY + step * HOUR} for step in range(3)])
    with pytest.raises(ReplayError, match="is not the file that the replay began with"):
        sweep(tasks, nobody, processes=processes)
    files.traffic.unlink()
    with pytest.raises(ReplayError, match="every machine needs it at this path"):
        perform(tasks[0], lambda _calls: None)


def test_a_replay_that_is_told_to_end_leaves_no_process_behind(tmp_path: Path) -> None:
    files = written(tmp_path, [0.0])
    with duckdb.connect() as base:
        base.execute(
            """CREATE TABLE calls AS SELECT * EXCLUDE step REPLACE ("at" + 60 * step AS "at")
            FROM read_parquet($file), range(20000) AS steps(step)""",
            {"file": str(files.traffic)},
        )
        base.table("calls").order('"at"').write_parquet(str(files.traffic))
    command = [sys.executable, "-m", "surefoot.cli.main", "replay", *files.options("--no-vary", "--processes", "2")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stderr is not None
        assert program.stderr.readline().startswith("replay 0/3 done")
        children = psutil.Process(program.pid).children(recursive=True)
        assert len(children) >= 2
        program.terminate()
        program.communicate(timeout=40)
        assert program.returncode != 0
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    assert not (files.folder / "out" / "facts.json").exists()
