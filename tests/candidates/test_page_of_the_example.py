"""The worked example of docs/compare.md is of what ships: its inputs, and the words and tables of the command.

The numbers themselves take two minutes of CPU (`python -m benchmarks.compare --check`).
"""

import re
from pathlib import Path

import pytest
from benchmarks.compare import BEGIN, END, PAGE, PICTURE, compare, inputs, write_traffic

STALE = "docs/compare.md is stale: run `make compare`"


@pytest.fixture(scope="module")
def example() -> str:
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


def skeleton(told: str) -> list[str]:
    """Titles and heads of all tables, and what the rows of the first two are called."""
    tables = re.findall(r"^\*\*.+?(?=^\*\*|\Z)", told, re.MULTILINE | re.DOTALL)
    found = []
    for number, table in enumerate(tables):
        title, _, head, _, *rows = table.splitlines()
        found += [title, head, *(row.split("|")[1] for row in rows if row.startswith("|") and number < 2)]
    return found


def test_the_example_was_made_of_the_files_and_traffic_that_there_are_now(example: str, tmp_path: Path) -> None:
    traffic = tmp_path / "traffic.parquet"
    write_traffic(traffic)
    assert f"`{inputs(traffic)}`" in example, STALE


def test_the_example_has_the_tables_rows_and_picture_that_the_command_makes(
    example: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(tmp_path, 1500)
    capsys.readouterr()
    made = skeleton((tmp_path / "compare.md").read_text(encoding="utf-8"))
    assert len(made) > 20
    assert skeleton(example) == made, STALE
    pictures = [file.read_text(encoding="utf-8") for file in (PICTURE, tmp_path / "matrix.svg")]
    heads = [(re.findall(r"<svg[^>]* role=\"img\"", text), re.findall("<title.*?</title>", text)) for text in pictures]
    assert heads[0] == heads[1] != ([], []), STALE
