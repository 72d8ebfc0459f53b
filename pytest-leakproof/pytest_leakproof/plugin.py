"""The pytest plugin: a test that ends with more live handles than it began with gets an error.

Handles that a fixture of a wider scope created belong to the fixture for as long as it lives. A test that failed is not
checked, because its traceback keeps its variables alive.
"""

from __future__ import annotations

import linecache
import re
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from .registry import Counts, TracedHandle, Tracing, diff, live, live_after_gc, traced_handles

__all__ = ["HandleCounter", "handle_counter"]

FAILED = pytest.StashKey[bool]()
INSTANCE = pytest.StashKey[object]()
MARKER = "allow_leaked_handles"
MARKER_HELP = (
    f"{MARKER}(limit): let the test leave native handles behind: at most a number of them, "
    "a dict of type to number, or any without an argument"
)
MAX_STACKS = 10
FRAME = re.compile(r'(?P<indent>\s*)File "(?P<file>.+)", line (?P<line>\d+), in .*')


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("leakproof", "check each test for leaked native handles (default: true)", type="bool", default=True)
    group = parser.getgroup("leakproof", "native handles")
    group.addoption("--no-leakproof", action="store_true", help="don't check tests for leaked native handles")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER_HELP)
    if config.getini("leakproof") and not config.getoption("--no-leakproof"):
        config.pluginmanager.register(LeakDetector(), "leakproof-detector")


@pytest.fixture
def handle_counter() -> HandleCounter:
    """Counts the live native handles of all leakproof modules."""
    return HandleCounter()


class HandleCounter:
    """Counts the live native handles of all leakproof modules, as dicts of "package.Type" to number."""

    def __init__(self) -> None:
        self._before = live_after_gc()

    def live(self) -> dict[str, int]:
        """Returns the number of live handles of each type."""
        return dict(live_after_gc())

    def delta(self) -> dict[str, int]:
        """Returns the changes since the fixture was set up."""
        return diff(live_after_gc(), self._before)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Fails the test unless the block ends with as many live handles of each type as it began with."""
        before = live_after_gc()
        yield
        changes = diff(live_after_gc(), before)
        if changes:
            listed = ", ".join(f"{key} {change:+d}" for key, change in changes.items())
            pytest.fail(f"live handles changed: {listed}")


@dataclass
class ScopedFixture:
    """A fixture of a wider scope than one test: the handles that it created, and the time of its setup."""

    counts: Counter[str]
    begin: float
    end: float

    def created(self, handle: TracedHandle) -> bool:
        return self.begin <= handle.when <= self.end


class LeakDetector:
    """Compares the live handles before and after each test."""

    def __init__(self) -> None:
        self._tracing = Tracing()
        self._fixtures: list[ScopedFixture] = []
        self._finished_fixtures: list[ScopedFixture] = []
        self._last: Counter[str] = Counter()
        self._start: Counter[str] = Counter()
        self._before: Counter[str] = Counter()
        self._begin = 0.0

    # ---- hooks

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        item.stash[FAILED] = False
        self._tracing.enable()
        self._start = self._count()
        self._before = self._without_fixtures(self._start)
        self._begin = time.monotonic()
        self._finished_fixtures.clear()
        result = yield
        item.stash[INSTANCE] = getattr(getattr(item, "obj", None), "__self__", None)
        # A misused marker is reported here, where it is an error of the test.
        leak_limit(item)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
            item.stash[FAILED] = True
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        result = yield
        problem = self._check(item)
        item.stash[INSTANCE] = None
        if problem:
            pytest.fail(problem, pytrace=False)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        if fixturedef.scope == "function":
            return (yield)
        # Fixtures that are set up inside this one have already been subtracted from both counts.
        before, begin = self._without_fixtures(self._count()), time.monotonic()
        try:
            return (yield)
        finally:
            end, after = time.monotonic(), self._without_fixtures(self._count())
            fixture = ScopedFixture(after - before, begin, end)
            self._fixtures.append(fixture)
            fixturedef.addfinalizer(lambda: self._finish_fixture(fixture))

    @pytest.hookimpl
    def pytest_unconfigure(self) -> None:
        self._tracing.restore()

    # ---- counting

    def _count(self) -> Counter[str]:
        """Counts the live handles. Garbage is only collected if a count changed, because that takes long."""
        counts = live()
        if counts != self._last:
            counts = self._last = live_after_gc()
        return counts

    def _without_fixtures(self, counts: Counter[str]) -> Counter[str]:
        """Returns `counts` without the handles of fixtures of a wider scope."""
        own = Counter(counts)
        for fixture in self._fixtures:
            own.subtract(fixture.counts)
        return own

    def _finish_fixture(self, fixture: ScopedFixture) -> None:
        self._fixtures.remove(fixture)
        self._finished_fixtures.append(fixture)

    def _check(self, item: pytest.Item) -> str | None:
        """Returns the error of a test that has ended, or `None`."""
        now = live()
        changes = diff(self._without_fixtures(now), self._before)
        if any(change > 0 for change in changes.values()):
            drop_item_references(item)
            now = self._last = live_after_gc()
            changes = diff(self._without_fixtures(now), self._before)
        for key, change in changes.items():
            self._credit_fixture(key, -change)
        if item.stash.get(FAILED, True):
            return None
        below = [key for key, number in now.items() if number < 0 <= self._start[key]]
        if below:
            return f"native handles were released more often than created: {', '.join(sorted(below))}"
        leaked = {key: change for key, change in changes.items() if change > 0}
        return self._describe(leaked) if leak_limit(item).exceeded(leaked) else None

    def _credit_fixture(self, key: str, number: int) -> None:
        """Subtracts handles that a test released, but did not create, from the fixtures that created them."""
        for fixture in reversed(self._fixtures):
            credited = max(0, min(number, fixture.counts[key]))
            fixture.counts[key] -= credited
            number -= credited

    # ---- the message

    def _describe(self, leaked: Counts) -> str:
        lines = ["native handles were leaked:"]
        handles = [handle for handle in traced_handles() if self._is_suspect(handle)]
        for key, number in leaked.items():
            lines.append(f"  {key}: {number} more than before")
            lines += creation_stacks([handle for handle in handles if handle.key == key])
        lines.append(f"Close them, or allow the leak with @pytest.mark.{MARKER}({sum(leaked.values())})")
        return "\n".join(lines)

    def _is_suspect(self, handle: TracedHandle) -> bool:
        if any(fixture.created(handle) for fixture in self._finished_fixtures):
            return True
        return handle.when >= self._begin and not any(fixture.created(handle) for fixture in self._fixtures)


def drop_item_references(item: pytest.Item) -> None:
    """Drops pytest's references from a test that has ended: fixture values, and attributes of the test's instance."""
    funcargs = getattr(item, "funcargs", None)
    if funcargs:
        funcargs.clear()
    cls, instance = getattr(item, "cls", None), item.stash.get(INSTANCE, None)
    if cls is not None and isinstance(instance, cls):
        getattr(instance, "__dict__", {}).clear()


def creation_stacks(handles: list[TracedHandle]) -> Iterator[str]:
    """Formats the stacks that created the handles, newest first, with their source lines."""
    if not handles:
        yield "    created while tracing was off"
    newest = sorted(handles, key=lambda handle: -handle.when)
    places = Counter(without_pytest_frames(handle.stack) for handle in newest)
    for stack, number in list(places.items())[:MAX_STACKS]:
        yield f"    {number} created here:" if len(places) > 1 or number > 1 else "    created here:"
        yield from (f"    {line}" for frame in stack.splitlines() for line in with_source(frame))
    if len(places) > MAX_STACKS:
        yield f"    … and in {len(places) - MAX_STACKS} more places"


def with_source(frame: str) -> Iterator[str]:
    """Adds the source line to a formatted frame. leakproof leaves the source out of the stacks that it records."""
    yield frame
    found = FRAME.fullmatch(frame)
    if found and (source := linecache.getline(found["file"], int(found["line"])).strip()):
        yield f"{found['indent']}  {source}"


def without_pytest_frames(stack: str) -> str:
    """Removes pytest's own frames, which come first, from a formatted stack."""
    frames = stack.splitlines()
    last = max((i for i, frame in enumerate(frames) if is_pytest_frame(frame)), default=-1)
    return "\n".join(frames[last + 1 :] or frames)


def is_pytest_frame(line: str) -> bool:
    return any(f"/{package}/" in line for package in ("_pytest", "pluggy", "pytest_leakproof"))


# ---- the marker


@dataclass(frozen=True)
class LeakLimit:
    """The number of handles that a test may leave behind."""

    unlimited: bool = False
    total: int = 0
    by_type: Mapping[str, int] | None = None

    def exceeded(self, leaked: Counts) -> bool:
        if self.unlimited:
            return False
        if self.by_type is None:
            return sum(leaked.values()) > self.total
        return any(number > self._limit_of(key) for key, number in leaked.items())

    def _limit_of(self, key: str) -> int:
        assert self.by_type is not None
        return self.by_type.get(key, self.by_type.get(key.rpartition(".")[2], 0))


def leak_limit(item: pytest.Item) -> LeakLimit:
    """Returns the limit that the test's marker sets."""
    marker = item.get_closest_marker(MARKER)
    if marker is None:
        return LeakLimit()
    match marker.args:
        case _ if marker.kwargs:
            pass
        case ():
            return LeakLimit(unlimited=True)
        case (int(limit),) if not isinstance(limit, bool):
            return LeakLimit(total=limit)
        case (Mapping() as limit,):
            return LeakLimit(by_type=limit)
    pytest.fail(f"@pytest.mark.{MARKER} takes a number, a dict of type to number, or nothing", pytrace=False)
