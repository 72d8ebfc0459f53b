#!/usr/bin/env python3
"""Mutation testing: breaks the runtime or the macros in one place at a time, and checks that a test fails.

    tools/mutants.py                     run all mutants of mutants_table.py
    tools/mutants.py --only orphan       run the mutants whose file or description contains a word
    tools/mutants.py --continue          leave out those that an earlier run has decided
    tools/mutants.py --part 1/2          run every second mutant, for two runs at the same time
    tools/mutants.py --list              list the mutants
    tools/mutants.py --check             check that the text of each is in its file once; takes a second
    tools/mutants.py --mend              write the new file of each text that moved into mutants_table.py

Each mutant is built in a copy of the tree and has to fail one of: the Rust tests of the core, the unit tests of the
runtime, the Python tests and the fault-injection sweep of the stand-in library, the Python tests of expat, sqlite and
lmdb, and the Python tests and the sweep of xml-safe. The first failure, crash or hang kills it. The unchanged tree has
to pass first. The exit status is 1 if a mutant survives that is not known to be equivalent.

A whole run takes hours. Each verdict is written to target/mutants/verdicts.tsv when it is known, and `--continue` goes
on where a run was interrupted. Delete that file when the tree has changed so much that the old verdicts say nothing.

mutants_killers.tsv says which test has killed each mutant. That test is built and run alone, first: a mutant takes
seconds as long as the test still kills it. A run writes the tests that it found there.

The mutants of the table are semantic: each breaks one rule of the runtime or the macros. `cargo mutants` makes generic
mutants, for code that has no entries yet. It runs only Rust tests, so its survivors may still fail a Python test.
For one file:

    cargo install cargo-mutants
    cargo mutants -p leakproof --no-default-features -f runtime/src/FILE.rs -o target \\
        --cargo-test-arg=--test=core --cargo-test-arg=--test=word
"""

import argparse
import glob
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import venv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mutants_source import StaleError, check, mend, mutated
from mutants_table import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "mutants"
VERDICTS = WORK / "verdicts.tsv"
KILLERS = Path(__file__).with_name("mutants_killers.tsv")
PYTHON = os.environ.get("LEAKPROOF_PYTHON", str(ROOT / ".venv" / "bin" / "python"))
MEMORY = 8 << 30
ENVIRONMENT = os.environ | {
    "PYO3_PYTHON": PYTHON,
    "PYO3_BUILD_EXTENSION_MODULE": "1",
    # A mutant changes one file: what the compiler knows of the others is used again.
    "CARGO_INCREMENTAL": "1",
    "CARGO_PROFILE_DEV_DEBUG": "0",
    "LEAKPROOF_CALLS": "4000",
    "LEAKPROOF_ROUNDS": "200",
    "LEAKPROOF_STEPS": "30000",
}
PYTEST = ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-W", "ignore"]
# The tests of xml-safe, without those that measure the machine rather than the handles.
FIRST = ["closing", "counting", "context", "random_operations", "waiting", "modules"]
LAST = ["errors", "xpath", "threads", "node", "parse", "cycles", "several_modules", "signal_handlers"]
LAST += ["process_exit", "process_forks"]
# The tests of the runtime, without those of xml-safe's stub: `install` lays an empty one beside the module.
STANDIN = ["tests/standin/tests"]
STANDIN += ["-k", "not xml_safe"]


@dataclass
class Ended:
    status: int
    output: str
    hung: bool

    @property
    def failed(self) -> bool:
        return self.hung or self.status != 0


@dataclass
class Verdict:
    mutant: Mutant
    verdict: str
    by: str
    seconds: float


@dataclass(frozen=True)
class Killer:
    suite: str
    test: str


@dataclass(frozen=True)
class Place:
    """The folders of one run."""

    folder: Path = WORK

    @property
    def tree(self) -> Path:
        return self.folder / "tree"

    @property
    def build(self) -> Path:
        return self.folder / "build"

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    @property
    def site(self) -> Path:
        return next((self.folder / "venv" / "lib").glob("python*")) / "site-packages"


PLACE = Place()


def limits() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limits_of_tests() -> None:
    limits()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


PATIENCE = 1.0


def run(command: Sequence[str | Path], timeout: float, limit: Callable[[], None] = limits, **more: str) -> Ended:
    process = subprocess.Popen(
        command,
        cwd=PLACE.tree,
        # The empty text removes a variable.
        env={name: value for name, value in (ENVIRONMENT | more).items() if value},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=limit,
    )
    try:
        output, _ = process.communicate(timeout=timeout * PATIENCE)
        return Ended(process.returncode, output, False)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return Ended(-signal.SIGKILL, process.communicate()[0], True)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise


# ---- the copy


def files() -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return {name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()}


def copy_tree() -> None:
    """Updates the copy. Unchanged files keep their time, so that cargo builds only what changed."""
    wanted = files()
    tree = PLACE.tree
    for name in wanted:
        source, target = ROOT / name, tree / name
        if not target.is_file() or source.read_bytes() != target.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    for path in [path for path in tree.rglob("*") if path.is_file()]:
        if str(path.relative_to(tree)) not in wanted:
            path.unlink()


def make_python() -> None:
    """Makes a virtual environment for the built packages, which sees those of `.venv` as well."""
    if not PLACE.python.is_file():
        venv.create(PLACE.folder / "venv", symlinks=True)
    script = "import sysconfig; print(sysconfig.get_path('purelib'))"
    others = subprocess.run([PYTHON, "-c", script], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    (PLACE.site / "others.pth").write_text(f"{others}\n{ROOT / 'pytest-leakproof'}\n")


# ---- the suites, each of which can kill


@dataclass(frozen=True)
class Suite:
    """Tests that are built together. `run` takes the name of one test, or `""` for all of them."""

    name: str
    build: Callable[[], Ended]
    run: Callable[[str], Ended]


def cargo(*arguments: str) -> list[str]:
    # Before the arguments of the test program.
    return ["cargo", arguments[0], "--target-dir", str(PLACE.build), *arguments[1:]]


# Those that take the longest come last.
CORE_TESTS = ["core", "kept", "quiet", "window", "running", "lent", "late", "prepared", "reading", "soundness", "word"]
EXAMPLES = ["expat", "sqlite", "lmdb"]
# The digest of each Rust test program of the unchanged tree.
UNCHANGED: dict[str, str] = {}
CURRENT: dict[str, str] = {}


def core_test(name: str, *more: str) -> list[str]:
    return cargo("test", "--quiet", "-p", "leakproof", "--no-default-features", "--test", name, *more)


def build_core(name: str) -> Ended:
    built = run(core_test(name, "--no-run", "--message-format", "json-render-diagnostics"), 900)
    if not built.failed:
        messages = [json.loads(line) for line in built.output.splitlines() if line.startswith("{")]
        [program] = [each["executable"] for each in messages if each.get("executable")]
        CURRENT[name] = hashlib.sha256(Path(program).read_bytes()).hexdigest()
    return built


def run_core(name: str, test: str) -> Ended:
    # A mutant of code that only Python packages contain leaves the program as it was.
    if CURRENT.get(name) is not None and CURRENT.get(name) == UNCHANGED.get(name):
        return Ended(0, "", False)
    return run(core_test(name, *(["--", "--exact", test] if test else [])), 120, limits_of_tests)


def build_package(name: str, *features: str) -> Ended:
    built = run(cargo("build", "--quiet", "-p", f"{name}-safe", *features), 900)
    if not built.failed:
        install(name)
    return built


def install(name: str) -> None:
    """Lays the package out as maturin does."""
    library = PLACE.build / "debug" / f"lib{name}_safe.so"
    package = PLACE.site / f"{name}_safe"
    # New files each time: another process may still have the old ones mapped.
    shutil.rmtree(package, ignore_errors=True)
    if name == "xml":
        shutil.copytree(PLACE.tree / "xml-safe" / "python" / "xml_safe", package)
        (package / "_native.pyi").touch()
        shutil.copy(library, package / "_native.so")
    else:
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(f"from .{name}_safe import *\nfrom .{name}_safe import __all__, __doc__\n")
        shutil.copy(library, package / f"{name}_safe.so")


def linked(*arguments: str) -> list[str]:
    """A test of cargo's that links Python. It has a folder of its own, where PyO3 is built for that."""
    return ["cargo", "test", "--quiet", "-p", "leakproof", "--target-dir", str(PLACE.folder / "linked"), *arguments]


def build_unit() -> Ended:
    return run(linked("--lib", "--no-run"), 900, PYO3_BUILD_EXTENSION_MODULE="")


def run_unit(test: str) -> Ended:
    one = ["--", "--exact", test] if test else []
    return run(linked("--lib", *one), 120, limits_of_tests, PYO3_BUILD_EXTENSION_MODULE="")


def run_messages(case: str) -> Ended:
    one = ["--", "ui", f"trybuild={case}"] if case else []
    return run(linked("--test", "ui", *one), 900, PYO3_BUILD_EXTENSION_MODULE="")


def run_pytest(paths: Sequence[str], timeout: float, test: str) -> Ended:
    return run([PLACE.python, "-X", "faulthandler", *PYTEST, *([test] if test else paths)], timeout, limits_of_tests)


def run_sweep(folder: str, operation: str) -> Ended:
    only = ["--only", glob.escape(operation)] if operation else []
    return run([PLACE.python, "-m", "pytest_leakproof.sweep", f"{folder}/sweep.py", *only], 300, limits_of_tests)


def python_suite(name: str, package: str, paths: Sequence[str], timeout: float) -> Suite:
    return Suite(name, partial(build_package, package), partial(run_pytest, paths, timeout))


def xml_tests(names: Sequence[str]) -> list[str]:
    return [f"xml-safe/tests/test_{name}.py" for name in names]


def sweep_suite(name: str, package: str, folder: str) -> Suite:
    build = partial(build_package, package, "--features", "leakproof/fault-injection")
    return Suite(name, build, partial(run_sweep, folder))


def suites(mutant: Mutant | None) -> list[Suite]:
    # What is built late is not built at all for a mutant that was killed before.
    found = [Suite(name, partial(build_core, name), partial(run_core, name)) for name in CORE_TESTS]
    found.append(Suite("unit", build_unit, run_unit))
    found.append(python_suite("stand-in", "standin", STANDIN, 120))
    found.append(sweep_suite("sweep", "standin", "tests/standin"))
    # The random operations of sqlite import xml-safe.
    found.append(python_suite("xml", "xml", xml_tests(FIRST), 180))
    found += [python_suite(name, name, [f"examples/{name}/tests"], 120) for name in EXAMPLES]
    found.append(sweep_suite("xml-sweep", "xml", "xml-safe"))
    found.append(python_suite("xml-more", "xml", xml_tests(LAST), 300))
    # The tests of compiler messages take long: they run only for mutants that nothing else can kill.
    if mutant is None or mutant.seen_by_compiler:
        found.append(Suite("messages", lambda: Ended(0, "", False), run_messages))
    return found


COLOR = re.compile(r"\x1b\[[0-9;]*m")
NOTICED = [
    # A compile-fail case; the test that runs the case is named behind the cases.
    re.compile(r"^test (tests/ui/\S+) \.\.\. (?!ok)", re.MULTILINE),
    re.compile(r"^test (\S+) \.\.\. FAILED", re.MULTILINE),
    re.compile(r"^---- (\S+) stdout ----", re.MULTILINE),
    re.compile(r"^(?:FAILED|ERROR) (\S+::\S+)", re.MULTILINE),
    re.compile(r"^(?:leaked|crashed|hung|wrong): ([^:]+)", re.MULTILINE),
]
# pytest found no test of that name.
NOT_FOUND = [4, 5]


def test_that_failed(ended: Ended) -> str:
    """The name of the first test that failed, or `""` where the output names none."""
    if ended.hung:
        return ""
    output = COLOR.sub("", ended.output)
    return next((match[1] for pattern in NOTICED if (match := pattern.search(output))), "")


def what_noticed(ended: Ended) -> str:
    if ended.hung:
        return "hangs"
    if ended.status < 0:
        return f"crash, signal {-ended.status}"
    crash = re.search(r"Fatal Python error: [^\n]+|\(signal: [^)]+\)", ended.output)
    return crash[0] if crash else f"status {ended.status}"


def not_built(mutant: Mutant | None, suite: Suite, ended: Ended) -> tuple[str, str]:
    errors = re.findall(r"^error.*$", ended.output, re.MULTILINE)
    error = errors[0] if errors else "it does not build"
    if mutant is not None and mutant.seen_by_compiler:
        return "killed", f"{suite.name}: ({error})"
    return "invalid", f"compiler: {error}"


def examine(mutant: Mutant | None, killer: Killer | None = None) -> tuple[str, str]:
    """Builds and tests the copy. Returns `killed`, `survived` or `invalid`, and what decided it."""
    found = suites(mutant)
    for suite in found if killer else []:
        if killer and suite.name == killer.suite:
            ended = suite.build()
            if ended.failed:
                return not_built(mutant, suite, ended)
            ended = suite.run(killer.test)
            if ended.failed and ended.status not in NOT_FOUND:
                return "killed", f"{suite.name}: {killer.test or f'({what_noticed(ended)})'}"
            # Some calls do more where another test of the process came before.
            ended = suite.run("") if killer.test else ended
            if killer.test and ended.failed:
                another = test_that_failed(ended)
                is_known = another in ("", killer.test)
                return "killed", f"{suite.name}: {'(beside other tests)' if is_known else another}"
    for suite in found:
        ended = suite.build()
        if ended.failed:
            if mutant is None:
                print(ended.output)
            return not_built(mutant, suite, ended)
        ended = suite.run("")
        if ended.failed:
            if mutant is None:
                print(ended.output)
            return "killed", f"{suite.name}: {test_that_failed(ended) or f'({what_noticed(ended)})'}"
    return "survived", ""


def unchanged_passes() -> bool:
    """Runs all suites on the unchanged tree, unless they passed on the same files before."""
    names = sorted(path for path in PLACE.tree.rglob("*") if path.is_file())
    digest = hashlib.sha256(b"".join(str(path).encode() + path.read_bytes() for path in names)).hexdigest()
    passed = PLACE.folder / "passed.json"
    if passed.is_file():
        noted = json.loads(passed.read_text())
        if noted["digest"] == digest:
            UNCHANGED.update(noted["programs"])
            return True
    print("mutants: the unchanged tree", flush=True)
    start = time.monotonic()
    verdict, by = examine(None)
    print(f"mutants: the unchanged tree took {time.monotonic() - start:.0f} s", flush=True)
    if verdict != "survived":
        print(f"mutants: the unchanged tree doesn't pass: {verdict}, {by}", file=sys.stderr)
        return False
    UNCHANGED.update(CURRENT)
    passed.write_text(json.dumps({"digest": digest, "programs": UNCHANGED}))
    return True


def mutate(mutant: Mutant, killer: Killer | None) -> Verdict:
    start = time.monotonic()
    path = PLACE.tree / mutant.file
    try:
        original = path.read_text()
        text = mutated(original, mutant)
    except (StaleError, FileNotFoundError) as error:
        return Verdict(mutant, "stale", str(error), 0)
    path.write_text(text)
    try:
        verdict, by = examine(mutant, killer)
    finally:
        path.write_text(original)
    if verdict == "survived" and mutant.equivalent:
        verdict, by = "equivalent", mutant.equivalent
    elif mutant.equivalent:
        verdict, by = "wrong", f"said to be equivalent, and {verdict} by {by}"
    return Verdict(mutant, verdict, by, time.monotonic() - start)


def key(mutant: Mutant) -> str:
    return f"{mutant.file}\t{mutant.what}"


def write_down(verdict: Verdict) -> None:
    with VERDICTS.open("a") as file:
        by = " ".join(verdict.by.split())
        file.write(f"{key(verdict.mutant)}\t{verdict.verdict}\t{verdict.seconds:.0f}\t{by}\n")


def decided() -> dict[str, Verdict]:
    """The verdicts of earlier runs that need no other look. The last one of a mutant counts."""
    if not VERDICTS.is_file():
        return {}
    rows = [line.split("\t") for line in VERDICTS.read_text().splitlines()]
    named = {key(mutant): mutant for mutant in MUTANTS}
    found = {
        f"{file}\t{what}": Verdict(named[f"{file}\t{what}"], verdict, by, float(seconds))
        for file, what, verdict, seconds, by in rows
        if f"{file}\t{what}" in named
    }
    return {name: each for name, each in found.items() if each.verdict in ("killed", "equivalent")}


def killers() -> dict[str, Killer]:
    """The test that has killed each mutant, from the earlier runs."""
    lines = KILLERS.read_text().splitlines() if KILLERS.is_file() else []
    rows = [line.split("\t") for line in lines]
    return {f"{file}\t{what}": Killer(suite, test) for file, what, suite, test in rows}


def write_killers() -> None:
    """Adds what the runs of this checkout found, in the order of the table."""
    found = killers()
    names = {suite.name for suite in suites(None)}
    for name, verdict in decided().items():
        suite, _, test = verdict.by.partition(": ")
        if verdict.verdict == "killed" and suite in names:
            found[name] = Killer(suite, "" if test.startswith("(") else test)
    rows = [f"{key(each)}\t{found[key(each)].suite}\t{found[key(each)].test}" for each in MUTANTS if key(each) in found]
    KILLERS.write_text("".join(f"{row}\n" for row in rows))


def show(verdicts: Sequence[Verdict]) -> None:
    print(f"\n{'verdict':<11} {'mutant':<100} by")
    for each in verdicts:
        where = f"{Path(each.mutant.file).name}: {each.mutant.what}"
        print(f"{each.verdict:<11} {where:<100} {each.by}")
    counts = Counter(each.verdict for each in verdicts)
    print(f"\nmutants: {', '.join(f'{number} {verdict}' for verdict, number in sorted(counts.items()))}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", metavar="WORD", default=[""], nargs="+", help="only those whose file or description holds one of them"
    )
    parser.add_argument(
        "--continue", dest="go_on", action="store_true", help="leave out those that an earlier run has decided"
    )
    parser.add_argument("--part", default="1/1", metavar="K/N", help="only each N-th, in folders of their own")
    parser.add_argument(
        "--patience", type=float, default=1, metavar="FACTOR", help="multiply the time that a step may take"
    )
    parser.add_argument("--list", action="store_true", help="only list them")
    parser.add_argument("--check", action="store_true", help="only look whether the text of each is in its file once")
    parser.add_argument("--mend", action="store_true", help="write the new files of texts that moved into the table")
    options = parser.parse_args()
    if options.mend:
        print("\n".join([*mend(MUTANTS), "mutants: now run tools/mutants.py --check"]))
        return 0
    if options.check:
        problems = check(MUTANTS)
        print("\n".join([*problems, f"mutants: {len(MUTANTS)} mutants, {len(problems)} problems"]))
        return 1 if problems else 0
    chosen = [mutant for mutant in MUTANTS if any(word in f"{mutant.file} {mutant.what}" for word in options.only)]
    if options.list:
        print("\n".join(f"{mutant.file}: {mutant.what}" for mutant in chosen))
        return 0
    global PATIENCE, PLACE
    PATIENCE = options.patience
    part, parts = map(int, options.part.split("/"))
    if parts > 1:
        PLACE = Place(WORK / f"part-{part}")
        chosen = chosen[part - 1 :: parts]
    copy_tree()
    make_python()
    verdicts = []
    if options.go_on:
        known = decided()
        verdicts = [known[key(mutant)] for mutant in chosen if key(mutant) in known]
        chosen = [mutant for mutant in chosen if key(mutant) not in known]
        print(f"mutants: {len(verdicts)} are decided, {len(chosen)} are left", flush=True)
    elif options.only == [""] and parts == 1:
        VERDICTS.unlink(missing_ok=True)
    if not unchanged_passes():
        return 2
    known_killers = killers()
    for number, mutant in enumerate(chosen, 1):
        last = mutate(mutant, known_killers.get(key(mutant)))
        verdicts.append(last)
        write_down(last)
        print(f"[{number}/{len(chosen)}] {mutant.what}: {last.verdict} ({last.by}, {last.seconds:.0f} s)", flush=True)
    write_killers()
    show(verdicts)
    return 0 if all(each.verdict in ("killed", "equivalent") for each in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
