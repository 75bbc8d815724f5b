"""Lines and tables fit the screen, whatever its width, and lose nothing."""

import pytest
from rich.console import Console

from surefoot.report.widths import tables_of, wrapped

HEAD = ("provider", "mode", *(f"measure\nnumber {number}" for number in range(9)))
ROWS = [("openai", "slow_first_token", *(f"{number},{row:03} ms" for number in range(9))) for row in range(3)]


def printed(width: int) -> list[str]:
    console = Console(width=width)
    with console.capture() as captured:
        for table in tables_of("By mode", HEAD, ROWS, width, keys=2):
            console.print(table)
    return [line.rstrip() for line in captured.get().splitlines()]


@pytest.mark.parametrize("width", [60, 80, 100, 150, 255])
def test_a_table_is_no_wider_than_the_screen_and_has_every_cell_whole(width: int) -> None:
    lines = printed(width)
    assert max(map(len, lines)) <= width
    for row in ROWS:
        for cell in row:
            assert sum(cell in line for line in lines) >= 1, cell


def test_a_table_that_fits_is_one_and_one_that_does_not_goes_on_with_its_first_columns() -> None:
    whole, split = printed(150), printed(80)
    assert sum("By mode" in line for line in whole) == 1
    assert sum(line == "By mode, continued" for line in split) == sum("openai" in line for line in split) / 3 - 1 > 0


def test_a_number_and_its_interval_stand_in_one_table() -> None:
    head = ("", *(word for number in range(6) for word in (f"measure {number}", "95 %")))
    row = ("any", *(word for number in range(6) for word in (f"{number}", f"{number}0 … {number}9")))
    console = Console(width=60)
    with console.capture() as captured:
        for table in tables_of("Minutes", head, [row], 60):
            console.print(table)
    lines = captured.get().splitlines()
    assert sum("any" in line for line in lines) > 1
    for number in range(6):
        (one,) = (line for line in lines if f" {number} " in line and "any" in line)
        assert f"{number}0 … {number}9" in one


def test_a_line_that_fits_stays_and_a_long_one_goes_on_indented() -> None:
    line = "   cost " + "word " * 30 + "end"
    assert wrapped(line, 255) == line
    lines = wrapped(line, 60).splitlines()
    assert max(map(len, lines)) <= 60
    assert all(one.startswith("     ") and not one.startswith("      ") for one in lines[1:])
    assert " ".join(part.strip() for part in lines) == line.strip()
    listed = wrapped(" - " + "word " * 30, 60).splitlines()
    assert listed[1].startswith("   word")


def test_a_screen_too_narrow_to_wrap_for_is_left_to_itself_and_a_long_word_is_not_broken() -> None:
    line = "path " + "x" * 100
    assert wrapped(line, 20) == line
    assert "x" * 100 in wrapped(line, 60)
