"""docs/evidence.md: its examples are run, and it leaves no public function out."""

import doctest
import subprocess
import sys
from pathlib import Path

from surefoot import evidence

PAGE = Path(__file__).parents[2] / "docs" / "evidence.md"


def test_every_example_of_the_page_gives_what_the_page_says() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8", optionflags=doctest.ELLIPSIS)
    assert found.attempted > 30
    assert found.failed == 0


def test_the_page_tells_of_every_public_function() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in evidence.__all__:
        if name[0].islower() or name == "Risk":
            assert f"**`{name}(" in text


def test_a_worker_never_loads_evidence_or_its_libraries() -> None:
    code = (
        "import sys, surefoot.gateway.worker\n"
        "sys.exit(', '.join(name for name in ('numpy', 'scipy', 'surefoot.evidence') if name in sys.modules) or None)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


def test_evidence_does_without_the_slow_part_of_scipy() -> None:
    code = "import sys, surefoot.evidence\nsys.exit('scipy.stats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
