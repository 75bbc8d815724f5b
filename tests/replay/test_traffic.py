"""The traffic file: read in batches, in order, mapped to routes; nothing is filled in or left out in silence."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from tests.replay.world import arm, calls, model, outage, replayed

from surefoot.domain.front import ClientKey, Door
from surefoot.domain.jurisdiction import Constraints, Jurisdiction, Subjects
from surefoot.domain.outcome import Kind
from surefoot.domain.place import Zone
from surefoot.errors import ReplayError
from surefoot.intake.parquet import JOINED_KEY
from surefoot.replay.traffic import Traffic
from surefoot.replay.virtual.accounts import KINDS
from surefoot.replay.virtual.driver import run
from surefoot.replay.virtual.requests import Front

COLUMNS = {
    "at": "DOUBLE",
    "route": "VARCHAR",
    "model": "VARCHAR",
    "stream": "BOOLEAN",
    "prompt_tokens": "INTEGER",
    "completion_tokens": "INTEGER",
    "max_tokens": "INTEGER",
    "failed": "BOOLEAN",
    "key": "VARCHAR",
}
Row = dict[str, Any]


def written(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "traffic.parquet"
    with duckdb.connect() as connection:
        columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
        connection.execute(f"CREATE TABLE traffic ({columns})")
        marks = ", ".join("?" * len(COLUMNS))
        for row in rows:
            connection.execute(f"INSERT INTO traffic VALUES ({marks})", [row.get(name) for name in COLUMNS])  # noqa: S608 - marks
        connection.execute(f"COPY traffic TO '{path}' (FORMAT parquet)")
    return path


def test_calls_come_in_batches_that_follow_one_another(tmp_path: Path) -> None:
    rows = [{"at": 10.0 + n, "route": "chat", "stream": True, "prompt_tokens": n, "key": "app"} for n in range(7)]
    traffic = Traffic(written(tmp_path, rows), ["chat"], size=3)

    for _ in range(2):  # both arms read it
        batches = list(traffic)
        assert [batch.first for batch in batches] == [0, 3, 6]
        assert np.concatenate([batch.at for batch in batches]).tolist() == [10.0 + n for n in range(7)]
        assert np.concatenate([batch.prompt_tokens for batch in batches]).tolist() == list(range(7))
    assert traffic.calls == 7
    assert traffic.span == (10.0, 16.0)


def test_calls_that_failed_when_they_were_made_are_counted(tmp_path: Path) -> None:
    told = enumerate([True, False, None])
    rows = [{"at": 10.0 + n, "route": "chat", "stream": True, "failed": failed} for n, failed in told]
    assert Traffic(written(tmp_path, rows), ["chat"]).failed == 1


def test_a_call_goes_to_the_route_it_names_or_is_told_or_to_none_which_is_counted(tmp_path: Path) -> None:
    asked = [("chat", "m"), (None, "chat"), (None, "gpt"), ("old", "x"), (None, None), (None, "other"), (None, "other")]
    path = written(tmp_path, [{"at": float(n), "route": r, "model": m} for n, (r, m) in enumerate(asked)])

    traffic = Traffic(path, ["chat", "batch"], {"gpt": "chat", "old": "batch"})
    (batch,) = traffic

    assert [batch.routes[code] for code in batch.route] == ["chat", "chat", "chat", "batch"]
    assert traffic.unmapped == {"(no name)": 1, "other": 2}
    (all_of_it,) = Traffic(path, ["chat", "batch"], otherwise="batch")
    assert [all_of_it.routes[code] for code in all_of_it.route] == ["chat", "chat"] + ["batch"] * 5


def test_what_is_not_known_is_filled_in_and_counted(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"at": 0.0, "stream": True, "prompt_tokens": 10, "completion_tokens": 4, "max_tokens": 50},
        {"at": 1.0, "stream": True, "prompt_tokens": 30, "completion_tokens": 8},
        {"at": 2.0, "completion_tokens": 0},
        {"at": 3.0, "stream": False},
    ]
    traffic = Traffic(written(tmp_path, [row | {"route": "chat"} for row in rows]), ["chat"])
    (batch,) = traffic

    assert batch.stream.tolist() == [1, 1, 1, 0]
    assert batch.prompt_tokens.tolist() == [10, 30, 20, 20]
    assert batch.completion_tokens.tolist() == [4, 8, 6, 6]
    assert batch.max_tokens.tolist() == [50, 0, 0, 0]
    assert traffic.filled == {"stream": 1, "prompt_tokens": 2, "completion_tokens": 2}


@pytest.mark.parametrize(
    ("rows", "mapping", "words"),
    [
        ([{"at": 0.0, "route": "x"}], {}, "no call of .* has a route: they ask for x; the routes are chat"),
        ([{"at": 0.0, "route": "x"}], {"x": "chta"}, "there is no route 'chta' in the configuration; it has chat"),
    ],
)
def test_traffic_that_leads_nowhere_is_refused(
    tmp_path: Path, rows: list[Row], mapping: dict[str, str], words: str
) -> None:
    with pytest.raises(ReplayError, match=words):
        Traffic(written(tmp_path, rows), ["chat"], mapping)


def test_another_file_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "traffic.csv"
    text.write_text("at,route\n1,chat\n")
    with pytest.raises(ReplayError, match="cannot be read as Parquet"):
        Traffic(text, ["chat"])
    other = tmp_path / "other.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 1.0 AS at, 'chat' AS route) TO '{other}' (FORMAT parquet)")
    with pytest.raises(ReplayError, match="it lacks model, stream"):
        Traffic(other, ["chat"])


def test_a_file_out_of_order_is_refused_when_it_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, [{"at": at, "route": "chat"} for at in (1.0, 3.0, 2.0)])
    for size in (1, 3):
        with pytest.raises(ReplayError, match="not in the order of arrival"):
            list(Traffic(path, ["chat"], size=size))


def test_a_file_is_replayed_from_end_to_end(tmp_path: Path) -> None:
    rows = [{"at": 1_700_000_000.0 + n, "route": "chat", "stream": True, "completion_tokens": 11} for n in range(20)]
    traffic = Traffic(written(tmp_path, rows), ["chat"], size=6)

    results = list(run(arm(model("a"), model("b")), traffic, [outage("a", 5, 15)], 1))

    assert [len(one.at) for one in results] == [6, 6, 6, 2]
    assert all((one.kind == KINDS.index(Kind.OK)).all() for one in results)


def test_a_key_brings_what_binds_it_known_or_not() -> None:
    here = Jurisdiction("here", Subjects(keys=("stranger",)), Constraints(processes=("HERE",)))
    there = Jurisdiction("there", constraints=Constraints(processes=("THERE",)))
    zones = {name: Zone(frozenset({name}), frozenset({name})) for name in ("HERE", "THERE")}
    base = arm(model("a")).configuration
    known = ClientKey("app", b"", jurisdictions=("there",))
    configuration = type(base)(
        "0", Door((), (known,)), base.admin, base.targets, base.routes, base.options, {}, zones=zones,
        jurisdictions=(here, there),
    )  # fmt: skip
    front = Front(configuration)

    assert front.terms("chat", "").applied.name == "anywhere"
    assert front.terms("chat", "stranger").applied.name == "here"
    assert front.terms("chat", "app").applied.name == "there"
    with pytest.raises(ReplayError, match="asks for the route 'chta'; this configuration has chat"):
        front.terms("chta", "")


def test_models_and_outages_have_to_fit_the_configuration() -> None:
    whole = arm(model("a"))
    with pytest.raises(ReplayError, match="no model says how fast these targets are: a"):
        replayed(type(whole)("with", whole.configuration, {}), calls([0.0]))
    with pytest.raises(ReplayError, match="an outage strikes 'b'; the targets are a"):
        replayed(whole, calls([0.0]), [outage("b", 0, 1)])
    with pytest.raises(ReplayError, match="an outage has the mode 'flood'; known: refuse"):
        replayed(whole, calls([0.0]), [outage("a", 0, 1, "flood")])


@pytest.mark.parametrize("joined", ["true", "false", "partly"])
def test_whether_attempts_were_joined_is_what_the_import_says(tmp_path: Path, joined: str) -> None:
    plain = written(tmp_path, [{"at": 10.0, "route": "chat"}])
    told = tmp_path / "told.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (FROM '{plain}') TO '{told}' (FORMAT parquet, KV_METADATA {{'{JOINED_KEY}': '{joined}'}})"
        )

    assert Traffic(plain, ["chat"]).joined == ""
    assert Traffic(told, ["chat"]).joined == joined
