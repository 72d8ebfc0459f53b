#!/usr/bin/env python3
"""Builds and runs the README's example package outside the workspace, as a reader would.

A fenced block after a line `<!-- file: counter/src/lib.rs -->` is that file. Every folder with a `pyproject.toml` is
built with maturin into one throw-away virtual environment, and every `test*.py` among the files is run there with
`python`. `path = "…"` of the dependency on leakproof is replaced by the path of this workspace's crate.

Then the files of the pytest plugin's README, which belong to the same package, are written too, and each block after a
line `<!-- run in: counter -->` is run by the shell in that folder, with `../leakproof` replaced by this workspace.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "target" / "readme"
BLOCK = re.compile(
    r"^<!-- file: (?P<path>\S+) -->\n+(?P<fence>`{3,})[^\n]*\n(?P<text>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL
)
SCRIPT = re.compile(r"^<!-- run in: (?P<folder>\S+) -->\n+```sh\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
DEPENDENCY = re.compile(r'^(leakproof\s*=\s*\{[^}\n]*?path\s*=\s*)"[^"]*"', re.MULTILINE)


def write_files(readme: str, folder: Path) -> list[Path]:
    paths = []
    for block in BLOCK.finditer(readme):
        path = (folder / block["path"]).resolve()
        if not path.is_relative_to(folder):
            sys.exit(f"README.md: {block['path']} is outside of its folder")
        text = block["text"]
        if path.name == "Cargo.toml":
            text, count = DEPENDENCY.subn(rf'\1"{ROOT / "runtime"}"', text)
            if not count:
                sys.exit(f"README.md: {block['path']} needs one line with leakproof = {{ path = … }}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        paths.append(path)
    return paths


def run_scripts(readme: str, folder: Path, environment: dict[str, str]) -> None:
    scripts = list(SCRIPT.finditer(readme))
    if not scripts:
        sys.exit("pytest-leakproof/README.md: there is nothing to run")
    for script in scripts:
        text = script["text"].replace("../leakproof", str(ROOT))
        command = ["bash", "-euxo", "pipefail", "-c", text]
        subprocess.run(command, cwd=folder / script["folder"], env=environment, check=True)


def main() -> None:
    readme = (ROOT / "README.md").read_text()
    # Always in the same place, so that builds for its interpreter can be reused.
    venv = TARGET / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
    python = venv / "bin" / "python"
    environment = os.environ | {
        "VIRTUAL_ENV": str(venv),
        "PYO3_PYTHON": str(python),
        "CARGO_TARGET_DIR": str(TARGET),
    }
    with tempfile.TemporaryDirectory() as name:
        paths = write_files(readme, Path(name).resolve())
        projects = [path.parent for path in paths if path.name == "pyproject.toml"]
        tests = [path for path in paths if re.fullmatch(r"test.*\.py", path.name)]
        if not projects or not tests:
            sys.exit("README.md: no complete example package: it needs a pyproject.toml and a test*.py")
        for project in projects:
            # The versions of the workspace, so that nothing newer is resolved.
            shutil.copy(ROOT / "Cargo.lock", project)
            maturin = Path(sys.executable).with_name("maturin")
            subprocess.run([maturin, "develop", "--release"], cwd=project, env=environment, check=True)
        for test in tests:
            print(f"-- {test.relative_to(Path(name).resolve())}", flush=True)
            subprocess.run([python, test.name], cwd=test.parent, env=environment, check=True)
        readme = (ROOT / "pytest-leakproof" / "README.md").read_text()
        write_files(readme, Path(name).resolve())
        path = os.pathsep.join([str(python.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
        run_scripts(readme, Path(name).resolve(), environment | {"PATH": path})


if __name__ == "__main__":
    main()
