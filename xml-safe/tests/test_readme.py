"""The programs in the README run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
PROGRAMS = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)


def title(program):
    return next(line for line in program.splitlines() if line and not line.startswith(("import", "from")))


@pytest.mark.parametrize("program", PROGRAMS, ids=map(title, PROGRAMS))
def test_a_program_of_the_readme_runs(program, tmp_path):
    if "from lxml" in program:
        pytest.importorskip("lxml")
    ended = subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_readme_has_programs():
    assert len(PROGRAMS) >= 8
