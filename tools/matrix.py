#!/usr/bin/env python3
"""Builds all packages and runs their tests with other Pythons and other versions of the C libraries.

usage: tools/matrix.py [--newest] [--prepare] [--again] [--folder FOLDER] [--mirror URL] [NAME...]

NAME is a Debian suite (`forky`), `host`, or one interpreter of either (`forky/python3.15`). Without a name everything
runs: the suites, if this is root, and the interpreters of this machine that PATH or pyenv has.

A suite is a root folder made by debootstrap. Each command in it runs in a mount namespace of its own, so that the
kernel removes all mounts with the last process, however that ends. Cargo's and rustup's folders are those of this
machine. Root folders, virtual environments, builds, and results of the same sources are reused by the next run.

The exit status is 0 if all tests passed, 1 if not, and 75 if a system could not be set up, for example without root,
disk space, a mirror or a package index.
"""

import argparse
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO

SOURCE = Path(__file__).resolve().parent.parent
SUITES = ["trixie", "forky"]
OLDEST = (3, 10)
# Debian has no free-threaded interpreter: for the newest suite they are built from these source packages.
FREE_THREADED = ["python3.14"]
PACKAGES = [
    "xml-safe",
    *sorted(f"examples/{file.parent.name}" for file in SOURCE.glob("examples/*/pyproject.toml")),
    "tests/standin",
]
TESTS = [*(f"{package}/tests" for package in PACKAGES), "pytest-leakproof/tests"]
# The columns of the table, and pkg-config's names.
LIBRARIES = {"libxml2": "libxml-2.0", "SQLite": "sqlite3", "LMDB": "lmdb"}
# Counting tests repeat less often than in `make test`, because these builds are not optimized.
COUNTS = {"LEAKPROOF_CALLS": 4000, "LEAKPROOF_ROUNDS": 200, "LEAKPROOF_STEPS": 30000}
# The disk space that a root folder with its builds needs, in GB.
DISK = 6
# The time that setting up a system may take, in seconds: a mirror may accept connections and never answer.
PATIENCE = 1500
# The exit status if a system could not be set up (EX_TEMPFAIL).
UNAVAILABLE = 75
# The files that a machine needs to reach its package indexes.
NETWORK = ["/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt"]
# A mirror of a suite that still changes may be older than its own Release file allows.
UPDATE = ["apt-get", "-qq", "-o", "Acquire::Check-Valid-Until=false", "update"]
DESCRIBE = """
import platform, sys, sysconfig
threads = " free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
print(*sys.version_info[:2], platform.python_version() + threads)
"""


def say(*words: object) -> None:
    print("matrix:", *words, flush=True)


class CommandError(Exception):
    """A command failed. `log` is the file with its output."""

    def __init__(self, log: Path):
        super().__init__(log)
        self.log = log

    def end(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-30:]
        return "\n".join([*lines, f"(the whole output is in {self.log})"])


def finish(
    words: list[str], log: Path, file: TextIO, until: float | None, environment: dict[str, str] | None = None
) -> None:
    """Runs a command with its output in `file`, which is `log` opened. Raises `CommandError` if it fails."""
    left = None if until is None else max(until - time.monotonic(), 1)
    try:
        status = subprocess.run(words, env=environment, stdout=file, stderr=file, timeout=left).returncode
    except subprocess.TimeoutExpired:
        print(f"ended: it took more than {left:.0f} s", file=file, flush=True)
        status = 1
    if status:
        raise CommandError(log)


class UnavailableError(Exception):
    """A system can't be set up on this machine or at this time. The message gives the reason."""


class Place:
    """A system on which packages are built. `base` is its folder, `inside` the path of the folder inside the system."""

    def __init__(self, name: str, base: Path, inside: Path):
        self.name, self.base, self.inside = name, base, inside
        base.mkdir(parents=True, exist_ok=True)
        copy_sources(base / "leakproof")

    def prefix(self) -> list[str]:
        """Returns the start of every command line."""
        return []

    def environment(self) -> dict[str, str]:
        unwanted = re.compile("PYTHON|PYENV|PYO3|VIRTUAL_ENV|CARGO_TARGET")
        return {name: value for name, value in os.environ.items() if not unwanted.match(name)}

    def command(self, words: Iterable[object]) -> list[str]:
        return [*self.prefix(), "env", "-C", str(self.inside / "leakproof"), *map(str, words)]

    def ask(self, *words: object) -> str:
        """Runs a command in the sources, and returns its output."""
        command = self.command(words)
        return subprocess.run(
            command, env=self.environment(), check=True, stdout=subprocess.PIPE, text=True
        ).stdout.strip()

    def run(self, log: Path, *words: object, until: float | None = None, **variables: object) -> None:
        """Runs a command in the sources, at most until the time `until`, and appends its output to `log`."""
        environment = {**self.environment(), **{name: str(value) for name, value in variables.items()}}
        with log.open("a") as file:
            print("$", shlex.join(map(str, words)), file=file, flush=True)
            finish(self.command(words), log, file, until, environment)

    def candidates(self) -> list[str]:
        """Returns the paths of interpreters. They may be of any version, or broken."""
        raise NotImplementedError

    @cached_property
    def interpreters(self) -> "list[Interpreter]":
        """The interpreters that are new enough, oldest first. Of several with one name, it is the first candidate."""
        found: dict[str, Interpreter] = {}
        for path in self.candidates():
            try:
                major, minor, version = self.ask(path, "-c", DESCRIBE).split(maxsplit=2)
            except (OSError, ValueError, subprocess.CalledProcessError):
                continue
            interpreter = Interpreter(self, path, (int(major), int(minor)), version)
            if interpreter.order >= OLDEST:
                found.setdefault(interpreter.name, interpreter)
        return sorted(found.values(), key=lambda interpreter: (interpreter.order, interpreter.version))

    @cached_property
    def libraries(self) -> dict[str, str]:
        return {name: self.ask("pkg-config", "--modversion", package) for name, package in LIBRARIES.items()}


class Host(Place):
    """This machine."""

    def __init__(self, folder: Path):
        super().__init__("host", folder / "host", folder / "host")

    def candidates(self) -> list[str]:
        names = re.compile(r"python3\.\d+t?")
        folders = [Path(folder) for folder in os.environ.get("PATH", "").split(":") if folder and "shims" not in folder]
        folders += sorted(Path("~/.pyenv/versions").expanduser().glob("*/bin"))
        paths = [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())]
        return [str(path) for path in paths if names.fullmatch(path.name)]


class Suite(Place):
    """A Debian suite in a root folder of its own."""

    def __init__(self, name: str, folder: Path, mirror: str | None):
        self.name, self.root, self.log = name, folder / name, folder / f"{name}.log"
        self.cargo = Path(os.environ.get("CARGO_HOME", "~/.cargo")).expanduser()
        self.rustup = Path(os.environ.get("RUSTUP_HOME", "~/.rustup")).expanduser()
        if os.geteuid() != 0:
            raise UnavailableError("only root can make its root folder")
        if subprocess.run([SOURCE / "tools/setup-system.sh", "matrix"]).returncode:
            raise UnavailableError("this system lacks what makes root folders; see above")
        self.until = time.monotonic() + PATIENCE
        # This file is written last: a folder without it is incomplete.
        self.installed = self.root / "matrix/installed"
        if not self.installed.exists():
            self.make_root(mirror or apt_mirror())
        super().__init__(name, self.root / "matrix", Path("/matrix"))
        try:
            self.install()
        except CommandError as failure:
            raise UnavailableError(f"installing packages in {self.root} failed:\n{failure.end()}") from failure

    def make_root(self, mirror: str) -> None:
        free = shutil.disk_usage(self.root.parent).free >> 30
        if free < DISK:
            raise UnavailableError(f"{self.name} needs {DISK} GB of disk, and {self.root.parent} has {free} GB")
        say(f"making {self.root}")
        partial = self.root.with_suffix(".partial")
        for rest in (partial, self.root):
            shutil.rmtree(rest, ignore_errors=True)
        partial.mkdir(parents=True)
        # The script of sid also serves suites that this debootstrap does not know yet.
        words = [
            "debootstrap",
            "--variant=minbase",
            self.root.name,
            partial,
            mirror,
            "/usr/share/debootstrap/scripts/sid",
        ]
        with self.log.open("w") as file:
            try:
                finish([*namespace(), *map(str, words)], self.log, file, self.until)
            except CommandError as failure:
                raise UnavailableError(f"debootstrap failed, with {mirror}:\n{failure.end()}") from failure
        partial.rename(self.root)

    def prefix(self) -> list[str]:
        mounts = [
            f"mount -t proc proc {shlex.quote(f'{self.root}/proc')}",
            f"mount --rbind /dev {shlex.quote(f'{self.root}/dev')}",
        ]
        for folder in (self.cargo, self.rustup):
            inside = shlex.quote(f"{self.root}{folder}")
            mounts.append(f"mkdir -p {inside} && mount --bind {shlex.quote(str(folder))} {inside}")
        # The shell stays the first process of its namespace, and reaps the processes that tests leave behind.
        script = " && ".join([*mounts, f'chroot {shlex.quote(str(self.root))} "$@"'])
        return [*namespace(), "bash", "-c", script, "matrix"]

    def environment(self) -> dict[str, str]:
        return {
            **super().environment(),
            "PATH": f"{self.cargo}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "CARGO_HOME": str(self.cargo),
            "RUSTUP_HOME": str(self.rustup),
            "TMPDIR": "/tmp",
            "LC_ALL": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
        }

    def copy_network(self) -> None:
        for name in filter(os.path.exists, NETWORK):
            target = Path(f"{self.root}{name}")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(name, target)

    def install(self) -> None:
        self.copy_network()
        Path(f"{self.root}{Path.home()}").mkdir(parents=True, exist_ok=True)
        if not self.installed.exists():
            say(f"installing what {self.name} needs")
            self.run(self.log, *UPDATE, until=self.until)
            names = self.ask("apt-cache", "pkgnames", "python3.").split()
            pythons = [name for name in names if re.fullmatch(r"python3\.\d+(-nogil)?(-venv)?", name)]
            self.run(self.log, "apt-get", "-qq", "install", "--no-install-recommends", *pythons, until=self.until)
        self.run(self.log, "tools/setup-system.sh", until=self.until)
        # The installed packages may have brought their own files.
        self.copy_network()
        self.installed.touch()

    def build_free_threaded(self) -> None:
        """Builds the missing interpreters of `FREE_THREADED`, if the mirror has their sources."""
        sources = (self.root / "etc/apt/sources.list").read_text()
        (self.root / "etc/apt/sources.list.d/source.list").write_text(re.sub("(?m)^deb ", "deb-src ", sources))
        for name in FREE_THREADED:
            if (self.root / f"opt/{name}t/bin/{name}t").exists():
                continue
            if (refused := self.base / f"no-{name}t").exists():
                say(f"skipping the free-threaded {name}: its source package was missing or did not build")
                say(f"remove {refused} to try again")
                continue
            say(f"building a free-threaded {name} from its source package")
            script = f"""
                {shlex.join(UPDATE)}
                rm -rf /matrix/{name} && mkdir /matrix/{name} && cd /matrix/{name}
                apt-get -qq source --download-only {name}
                apt-get -qq install --no-install-recommends make libssl-dev libffi-dev
                tar -xf {name}_*.orig.tar.* --strip-components=1
                ./configure --quiet --disable-gil --prefix=/opt/{name}t
                make --silent -j2 && make --silent install
                cd / && rm -rf /matrix/{name}
            """
            try:
                self.run(self.log, "bash", "-ec", script)
            except CommandError:
                say(f"skipping the free-threaded {name}: the mirror has no source package that builds; see {self.log}")
                refused.touch()

    def candidates(self) -> list[str]:
        names = re.compile(r"python3\.\d+(t|-nogil)?")
        folders = [self.root / "usr/bin", *sorted((self.root / "opt").glob("*/bin"))]
        paths = [path for folder in folders for path in sorted(folder.iterdir()) if names.fullmatch(path.name)]
        return [f"/{path.relative_to(self.root)}" for path in paths]


@dataclass
class Interpreter:
    """An interpreter of a place."""

    place: Place
    path: str
    order: tuple[int, int]
    version: str

    @property
    def free_threaded(self) -> bool:
        return "free-threaded" in self.version

    @property
    def name(self) -> str:
        return f"{self.place.name}/python{self.order[0]}.{self.order[1]}{'t' if self.free_threaded else ''}"

    def log(self, folder: Path) -> Path:
        results = folder / "results"
        results.mkdir(exist_ok=True)
        return results / f"{self.name.replace('/', '-')}.log"

    def ensure_venv(self, log: Path) -> Path:
        """Makes the virtual environment if needed. Returns its path inside the system."""
        wanted = digest([SOURCE / "tools/requirements.txt", SOURCE / "pytest-leakproof/pyproject.toml"])
        folder = Path("venvs") / self.name.split("/")[1]
        stamp = self.place.base / folder / "ready"
        if not stamp.exists() or stamp.read_text() != wanted:
            try:
                until = time.monotonic() + PATIENCE
                self.place.run(log, "tools/setup-venv.sh", self.place.inside / folder, self.path, until=until)
            except CommandError as failure:
                raise UnavailableError(
                    f"{self.name} could not get its virtual environment:\n{failure.end()}"
                ) from failure
            stamp.write_text(wanted)
        return self.place.inside / folder

    def check(self, log: Path) -> list[str]:
        """Builds all packages and runs all tests. Returns the steps that failed."""
        venv = self.ensure_venv(log)
        python = venv / "bin/python"
        target = self.place.inside / "target"
        variables: dict[str, Any] = {"VIRTUAL_ENV": venv, "PYO3_PYTHON": python, "CARGO_TARGET_DIR": target, **COUNTS}
        develop = [venv / "bin/maturin", "develop", "--generate-stubs"]
        steps = [(f"build {package}", [*develop, "--manifest-path", f"{package}/Cargo.toml"]) for package in PACKAGES]
        steps += [(f"test {folder}", [python, "-m", "pytest", "-q", folder]) for folder in TESTS]
        failed = []
        for name, words in steps:
            try:
                self.place.run(log, *words, **variables)
            except CommandError as failure:
                say(f"{self.name}: {name} failed\n{failure.end()}")
                failed.append(name)
        return failed


def namespace() -> list[str]:
    """Returns the start of a command line whose mounts and processes end with the command."""
    return ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]


def apt_mirror() -> str:
    """Returns the Debian mirror of this machine's apt."""
    for file in [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]:
        for line in file.read_text().splitlines() if file.exists() else []:
            if found := re.match(r"(?:URIs:|deb(?: \[.*?\])?)\s+(\S+/debian/?)(?:\s|$)", line):
                return found[1]
    raise UnavailableError("apt's sources name no Debian mirror: name one with --mirror")


def source_files() -> list[Path]:
    command = ["git", "-C", str(SOURCE), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split("\0")
    return sorted(path for name in set(names) if name and (path := SOURCE / name).is_file())


def copy_sources(target: Path) -> None:
    """Makes `target` a copy of the sources. Unchanged files keep their time, so that only changes are built."""
    wanted = {target / path.relative_to(SOURCE): path for path in source_files()}
    manifest = target / ".manifest"
    before = manifest.read_text().splitlines() if manifest.exists() else []
    for name in set(before) - {str(path.relative_to(target)) for path in wanted}:
        (target / name).unlink(missing_ok=True)
    for copy, path in wanted.items():
        if not copy.exists() or copy.read_bytes() != path.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    manifest.write_text("\n".join(sorted(str(path.relative_to(target)) for path in wanted)))


def digest(files: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        total.update(str(path.relative_to(SOURCE)).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def result_of(interpreter: Interpreter, folder: Path, again: bool) -> dict[str, object]:
    """Checks an interpreter, unless it has passed with these sources."""
    log = interpreter.log(folder)
    file = log.with_suffix(".json")
    sources = digest(source_files())
    if file.exists() and not again:
        result: dict[str, object] = json.loads(file.read_text())
        if result["sources"] == sources and not result["failed"]:
            say(f"{interpreter.name}: passed before")
            return result
    log.unlink(missing_ok=True)
    say(f"{interpreter.name}: running; the output goes to {log}")
    failed = interpreter.check(log)
    place = interpreter.place
    result = {
        "system": place.name,
        "Python": interpreter.version,
        **place.libraries,
        "failed": failed,
        "sources": sources,
    }
    file.write_text(json.dumps(result, indent=1))
    say(f"{interpreter.name}: {'failed: ' + ', '.join(failed) if failed else 'passed'}")
    return result


def table(results: list[dict[str, object]]) -> str:
    columns = ["system", "Python", *LIBRARIES]
    rows = [[*columns, "tests"], ["---"] * (len(columns) + 1)]
    rows += [
        [*(str(result[column]) for column in columns), "fail" if result["failed"] else "pass"] for result in results
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="a suite, host, or an interpreter such as forky/python3.15"
    )
    parser.add_argument("--newest", action="store_true", help="only the newest Python of each, the one with a GIL")
    parser.add_argument("--prepare", action="store_true", help="only make root folders and virtual environments")
    parser.add_argument("--again", action="store_true", help="run also what has passed with the same sources")
    kept = os.environ.get("LEAKPROOF_MATRIX", SOURCE / "target/matrix")
    parser.add_argument(
        "--folder", type=Path, default=Path(kept), help="where everything is kept: LEAKPROOF_MATRIX, or target/matrix"
    )
    parser.add_argument("--mirror", help="the Debian mirror; by default the one of this machine's apt")
    options = parser.parse_args()
    unknown = {name.split("/")[0] for name in options.names} - {*SUITES, "host"}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(SUITES)} and host")
    return options


def chosen(place: Place, options: argparse.Namespace) -> list[Interpreter]:
    interpreters = place.interpreters
    if options.newest:
        interpreters = [each for each in interpreters if not each.free_threaded][-1:]
    return [each for each in interpreters if not options.names or {place.name, each.name} & {*options.names}]


def run(place: Place, options: argparse.Namespace, folder: Path) -> list[dict[str, object]]:
    """Sets up a place, and checks its chosen interpreters."""
    interpreters = chosen(place, options)
    if options.prepare:
        for interpreter in interpreters:
            interpreter.ensure_venv(interpreter.log(folder))
        return []
    return [result_of(interpreter, folder, options.again) for interpreter in interpreters]


def main() -> None:
    options = parse_arguments()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    names = {name.split("/")[0] for name in options.names} or {*SUITES, "host"}
    results, unavailable = [], False
    for name in filter(names.__contains__, [*SUITES, "host"]):
        try:
            place = Host(folder) if name == "host" else Suite(name, folder, options.mirror)
            if isinstance(place, Suite) and name == SUITES[-1] and not options.newest:
                place.build_free_threaded()
            results += run(place, options, folder)
        except UnavailableError as reason:
            say(f"skipping {name}: {reason}")
            unavailable = True
    if results:
        print(table(results))
    if any(result["failed"] for result in results):
        sys.exit(1)
    sys.exit(UNAVAILABLE if unavailable else 0)


if __name__ == "__main__":
    main()
