"""A log may be larger than memory: neither reading nor joining holds it. Seen from outside, as resident memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.intake.brought_in import COLUMNS, HEAD

READ = """
import sys
from surefoot.cli.main import app
try:
    app(sys.argv[1:])
finally:
    print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")), file=sys.stderr)
"""

# The rows are made by the database itself, which is quick: 400,000 attempts that take about 150 MB in memory.
JOIN = """
import sys
from pathlib import Path
from surefoot.intake.joining import attempts
folder = Path(sys.argv[1])
with attempts(folder, 128_000_000) as table:
    table._connection.execute('''
        INSERT INTO attempts SELECT 1, i, lpad(cast(i // 2 AS varchar), 100, '0'), NULL, i + hash(i) % 1e3, true,
            'p', 'a-model-with-a-name', NULL, true, hash(i) % 9000, 5, NULL, 0.1, 1.0, i % 2 = 0, 'ok', 0.5,
            md5(cast(i % 5000 AS varchar)), 'team', 0
        FROM range(400_000) r(i)''')
    table.write(folder / "out", {})
    print(table.joined(folder / "out", (0, 0)).calls)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")), file=sys.stderr)
"""


def peak(program: str, *arguments: str) -> tuple[int, str]:
    """MiB at the peak, and what was printed. `ru_maxrss` would not do: a child inherits that of whoever started it."""
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, env=os.environ, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return int(done.stderr.split()[-1]) // 1024, done.stdout.decode()


def read_in(log: Path, lines: int) -> int:
    filler = "x" * 2_500
    with log.open("w", encoding="utf-8") as file:
        file.write(f"{HEAD},prompt\n")
        for number in range(lines):
            file.write(f"{number},,p,m,10,5,100,900,false,,0.5,u,{filler}\n")
    found, told = peak(READ, "import", "csv", str(log), "-o", f"{log}.parquet", "--columns", COLUMNS)
    assert f"{lines:,} calls" in told
    return found


def test_a_larger_log_takes_no_more_memory_to_read(tmp_path: Path) -> None:
    small, large = read_in(tmp_path / "small", 21_000), read_in(tmp_path / "large", 63_000)
    more = ((tmp_path / "large").stat().st_size - (tmp_path / "small").stat().st_size) // 1024**2
    assert more > 95
    assert large - small < 40


@pytest.mark.timeout(120)
def test_joining_keeps_to_the_memory_that_it_was_given(tmp_path: Path) -> None:
    found, calls = peak(JOIN, str(tmp_path))
    assert int(calls) == 200_000
    assert found < 128 + 190, "Python, NumPy and DuckDB themselves take about 110"
