#!/usr/bin/env python3
"""Builds and runs the README's example package outside the workspace, as a reader would.

A fenced block after a line `<!-- file: counter/src/lib.rs -->` is that file. Every folder with a `pyproject.toml` is
built with maturin into one throw-away virtual environment, and every `test*.py` among the files is run there with
`python`. `path = "…"` of the dependency on leakproof is replaced by the path of this workspace's crate.

The page `packages` of the reference goes on from there: its files make another package of the first one, with Python
files beside the module. Its settings are checked to spare `maturin develop` and `cargo check` to rebuild each other's
dependencies, and PyO3's limited API and PyPy to be refused.

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
SIGNATURE = re.compile(r"cpython-3\.\d+-64bit")
PACKAGE = """
import pickle
import sys
from pathlib import Path

import directories
from directories import _native

source = Path(sys.argv[1], "python", "directories")
assert Path(directories.__file__) == source / "__init__.py", directories.__file__
assert Path(_native.__file__).parent == source, _native.__file__
assert _native.__leakproof__.package() == "directories"
for cls in (directories.Directory, _native.Handle, directories.Error, directories.ClosedError):
    assert repr(cls) == f"<class 'directories.{cls.__name__}'>", cls
with directories.Directory(sys.argv[1]) as directory:
    try:
        pickle.dumps(directory)
    except TypeError as error:
        assert "cannot pickle or copy a directories.Directory: " in str(error), error
    else:
        raise AssertionError("a handle was pickled")
stubs = (source / "_native.pyi").read_text()
assert "class Directory(Handle):" in stubs and "fault" not in stubs, stubs
"""
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


def run(*command: str | Path, cwd: Path, environment: dict[str, str]) -> str:
    """Runs a command that has to succeed. Returns what it wrote."""
    ended = subprocess.run(
        command, cwd=cwd, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    print(ended.stdout, end="", flush=True)
    if ended.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit status {ended.returncode}")
    return ended.stdout


def check_package(readme: str, folder: Path, python: Path, environment: dict[str, str]) -> None:
    """Builds the README's package with the files of the page `packages`."""
    page = (ROOT / "runtime" / "src" / "reference" / "packages.md").read_text()
    write_files(readme, folder)
    write_files(page, folder)
    package = folder / "directories"
    settings = package / ".cargo" / "config.toml"
    signature = f"cpython-3.{sys.version_info.minor}-64bit"
    text, count = SIGNATURE.subn(signature, settings.read_text())
    source = package / "src" / "lib.rs"
    renamed = source.read_text().replace("mod directories {", "mod _native {")
    if count != 1 or renamed == source.read_text():
        sys.exit("packages.md: the package of the README is another one")
    settings.write_text(text)
    source.write_text(renamed)
    (package / "python" / "directories" / "py.typed").touch()
    shutil.copy(ROOT / "Cargo.lock", package)
    maturin = Path(sys.executable).with_name("maturin")
    develop: list[str | Path] = [maturin, "develop", "--release", "--generate-stubs"]
    run(*develop, cwd=package, environment=environment)
    run(python, "-c", PACKAGE, package, cwd=folder, environment=environment)
    run("cargo", "check", "--release", cwd=package, environment=environment)
    for command in (develop, ["cargo", "check", "--release"]):
        again = run(*command, cwd=package, environment=environment)
        if re.search("^ +(Compiling|Checking) ", again, re.MULTILINE):
            sys.exit("packages.md: `maturin develop` and `cargo check` rebuild what the other one has built")
    check_refused(folder)


def check_refused(folder: Path) -> None:
    """Checks the message to whoever builds for the limited API, or for another Python than CPython."""
    configuration = folder / "python.txt"
    configuration.write_text("implementation=PyPy\nversion=3.11\nshared=true\nsuppress_build_script_link_lines=true\n")
    # The folder of `make check-free-threaded`, which has what the build script needs.
    command = ["cargo", "check", "--package", "leakproof", "--target-dir", str(ROOT / "target" / "free-threaded")]
    for arguments, variables, message in [
        (["--features", "pyo3/abi3-py310"], {}, "leakproof needs the full C API of Python"),
        ([], {"PYO3_CONFIG_FILE": str(configuration)}, "leakproof supports CPython only"),
    ]:
        environment = os.environ | variables
        ended = subprocess.run([*command, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
        if not ended.returncode or f": {message}" not in ended.stderr or "error[E" in ended.stderr:
            sys.exit(f"this build is to fail with the sentence {message!r}:\n{ended.stderr}")


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
        check_package(readme, Path(name).resolve() / "packages", python, environment)
        readme = (ROOT / "pytest-leakproof" / "README.md").read_text()
        write_files(readme, Path(name).resolve())
        path = os.pathsep.join([str(python.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
        run_scripts(readme, Path(name).resolve(), environment | {"PATH": path})


if __name__ == "__main__":
    main()
