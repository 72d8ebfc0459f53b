#!/usr/bin/env python3
"""Mutation testing: breaks the runtime or the macros in one place at a time, and checks that a test fails.

    tools/mutants.py                     run all mutants of mutants_table.py
    tools/mutants.py --only orphan       run the mutants whose file or description contains a word
    tools/mutants.py --continue          leave out those that an earlier run has decided
    tools/mutants.py --list              list the mutants
    tools/mutants.py --check             check that the text of each is in its file once; takes a second
    tools/mutants.py --mend              write the new file of each text that moved into mutants_table.py

Each mutant is built in a copy of the tree and has to fail one of: the Rust tests of the core, the Python tests and the
fault-injection sweep of the stand-in library, the Python tests of expat, sqlite and lmdb, and the Python tests and the
sweep of xml-safe. The first failure, crash or hang kills it. The unchanged tree has to pass first. The exit status is 1
if a mutant survives that is not known to be equivalent.

A whole run takes hours. Each verdict is written to target/mutants/verdicts.tsv when it is known, and `--continue` goes
on where a run was interrupted. Delete that file when the tree has changed so much that the old verdicts say nothing.

The mutants of the table are semantic: each breaks one rule of the runtime or the macros. `cargo mutants` makes generic
mutants, for code that has no entries yet. It runs only Rust tests, so its survivors may still fail a Python test.
For one file:

    cargo install cargo-mutants
    cargo mutants -p leakproof --no-default-features -f runtime/src/FILE.rs -o target \\
        --cargo-test-arg=--test=core --cargo-test-arg=--test=word
"""

import argparse
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mutants_source import StaleError, check, mend, mutated
from mutants_table import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "mutants"
TREE = WORK / "tree"
SITE = WORK / "site"
VERDICTS = WORK / "verdicts.tsv"
PYTHON = os.environ.get("LEAKPROOF_PYTHON", str(ROOT / ".venv" / "bin" / "python"))
MEMORY = 8 << 30
ENVIRONMENT = os.environ | {
    "PYO3_PYTHON": PYTHON,
    "PYO3_BUILD_EXTENSION_MODULE": "1",
    "PYTHONPATH": os.pathsep.join([str(SITE), str(ROOT / "pytest-leakproof")]),
    "LEAKPROOF_CALLS": "4000",
    "LEAKPROOF_ROUNDS": "200",
    "LEAKPROOF_STEPS": "30000",
}
PYTEST = ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-W", "ignore"]
# The tests of xml-safe, without those that measure the machine rather than the handles.
FIRST = ["closing", "counting", "context", "random_operations", "waiting", "modules"]
LAST = ["errors", "xpath", "threads", "node", "parse", "cycles", "several_modules", "signal_handlers"]
LAST += ["process_exit", "process_forks"]


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


def limits() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limits_of_tests() -> None:
    limits()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


PATIENCE = 1.0


def run(command: Sequence[str | Path], timeout: float, limit: Callable[[], None] = limits, **more: str) -> Ended:
    process = subprocess.Popen(
        command,
        cwd=TREE,
        env=ENVIRONMENT | more,
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
    for name in wanted:
        source, target = ROOT / name, TREE / name
        if not target.is_file() or source.read_bytes() != target.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    for path in [path for path in TREE.rglob("*") if path.is_file()]:
        if str(path.relative_to(TREE)) not in wanted:
            path.unlink()


# ---- the steps, each of which can kill


def cargo(*arguments: str) -> list[str]:
    return ["cargo", *arguments, "--quiet", "--target-dir", str(WORK / "build")]


CORE_TESTS = ["core", "kept", "word", "soundness", "quiet", "window", "lent", "late"]
CORE = ["-p", "leakproof", "--no-default-features", *(option for name in CORE_TESTS for option in ("--test", name))]
EXAMPLES = ["expat", "sqlite", "lmdb"]


def build_core() -> Ended:
    return run(cargo("test", *CORE, "--no-run"), 900)


def build_packages(names: Sequence[str]) -> Ended:
    packages = [option for name in names for option in ("-p", f"{name}-safe")]
    built = run(cargo("build", *packages, "--features", "leakproof/fault-injection"), 900)
    if not built.failed:
        for name in names:
            install(name)
    return built


def install(name: str) -> None:
    library = WORK / "build" / "debug" / f"lib{name}_safe.so"
    SITE.mkdir(parents=True, exist_ok=True)
    if name == "xml":
        package = SITE / "xml_safe"
        shutil.rmtree(package, ignore_errors=True)
        shutil.copytree(TREE / "xml-safe" / "python" / "xml_safe", package)
        (package / "_native.pyi").touch()
        target = package / "_native.so"
    else:
        target = SITE / f"{name}_safe.so"
    # A new file each time: another process may still have the old one mapped.
    target.unlink(missing_ok=True)
    shutil.copy(library, target)


def test_core() -> Ended:
    return run(cargo("test", *CORE), 120, limits_of_tests)


def test_messages() -> Ended:
    return run(cargo("test", "-p", "leakproof", "--test", "ui"), 900, PYO3_BUILD_EXTENSION_MODULE="")


def test_standin() -> Ended:
    return run([PYTHON, "-X", "faulthandler", *PYTEST, "tests/standin/tests"], 120, limits_of_tests)


def test_example(name: str) -> Ended:
    return run([PYTHON, "-X", "faulthandler", *PYTEST, f"examples/{name}/tests"], 120, limits_of_tests)


def test_python(names: Sequence[str], timeout: float) -> Ended:
    paths = [f"xml-safe/tests/test_{name}.py" for name in names]
    return run([PYTHON, "-X", "faulthandler", *PYTEST, *paths], timeout, limits_of_tests)


def sweep(package: str) -> Ended:
    return run([PYTHON, "-m", "pytest_leakproof.sweep", f"{package}/sweep.py"], 300, limits_of_tests)


def steps(mutant: Mutant | None) -> list[tuple[str, Callable[[], Ended]]]:
    # What is built late is not built at all for a mutant that was killed before.
    found: list[tuple[str, Callable[[], Ended]]] = [
        ("compiler", build_core),
        ("core", test_core),
        ("compiler", lambda: build_packages(["standin"])),
        ("stand-in", test_standin),
        ("sweep", lambda: sweep("tests/standin")),
        ("compiler", lambda: build_packages([*EXAMPLES, "xml"])),
        ("expat", lambda: test_example("expat")),
        ("sqlite", lambda: test_example("sqlite")),
        ("lmdb", lambda: test_example("lmdb")),
        ("python", lambda: test_python(FIRST, 180)),
        ("sweep", lambda: sweep("xml-safe")),
        ("python", lambda: test_python(LAST, 300)),
    ]
    # The tests of compiler messages take long: they run only for mutants that nothing else can kill.
    if mutant is None or mutant.seen_by_compiler:
        found.append(("messages", test_messages))
    return found


NOTICED = [
    re.compile(r"^test (\S+) \.\.\. FAILED", re.MULTILINE),
    re.compile(r"^(?:FAILED|ERROR) \S*?test_(\S+\.py::\S+)", re.MULTILINE),
    re.compile(r"^(?:leaked|crashed|hung|wrong): ([^:]+)", re.MULTILINE),
    re.compile(r"(Fatal Python error: [^\n]+)"),
]


def what_noticed(ended: Ended) -> str:
    if ended.hung:
        return "hangs"
    for pattern in NOTICED:
        if found := pattern.search(ended.output):
            return found[1][:70]
    return f"crash, signal {-ended.status}" if ended.status < 0 else f"status {ended.status}"


def examine(mutant: Mutant | None) -> tuple[str, str]:
    """Builds and tests the copy. Returns `killed`, `survived` or `invalid`, and what decided it."""
    for name, step in steps(mutant):
        ended = step()
        if not ended.failed:
            continue
        if mutant is None:
            print(ended.output)
        if name == "compiler":
            errors = re.findall(r"^error.*$", ended.output, re.MULTILINE)
            seen = mutant is not None and mutant.seen_by_compiler
            return "killed" if seen else "invalid", f"compiler: {errors[0] if errors else 'it does not build'}"
        return "killed", f"{name}: {what_noticed(ended)}"
    return "survived", ""


def mutate(mutant: Mutant) -> Verdict:
    start = time.monotonic()
    path = TREE / mutant.file
    try:
        original = path.read_text()
        text = mutated(original, mutant)
    except (StaleError, FileNotFoundError) as error:
        return Verdict(mutant, "stale", str(error), 0)
    path.write_text(text)
    try:
        verdict, by = examine(mutant)
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
    global PATIENCE
    PATIENCE = options.patience
    copy_tree()
    verdicts = []
    if options.go_on:
        known = decided()
        verdicts = [known[key(mutant)] for mutant in chosen if key(mutant) in known]
        chosen = [mutant for mutant in chosen if key(mutant) not in known]
        print(f"mutants: {len(verdicts)} are decided, {len(chosen)} are left", flush=True)
    elif options.only == [""]:
        VERDICTS.unlink(missing_ok=True)
    print("mutants: the unchanged tree", flush=True)
    start = time.monotonic()
    verdict, by = examine(None)
    print(f"mutants: the unchanged tree took {time.monotonic() - start:.0f} s", flush=True)
    if verdict != "survived":
        print(f"mutants: the unchanged tree doesn't pass: {verdict}, {by}", file=sys.stderr)
        return 2
    for number, mutant in enumerate(chosen, 1):
        last = mutate(mutant)
        verdicts.append(last)
        write_down(last)
        print(f"[{number}/{len(chosen)}] {mutant.what}: {last.verdict} ({last.by}, {last.seconds:.0f} s)", flush=True)
    show(verdicts)
    return 0 if all(each.verdict in ("killed", "equivalent") for each in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
