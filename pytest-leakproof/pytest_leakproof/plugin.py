"""The pytest plugin: a test that ends with more live handles than it began with fails.

What fixtures of a wider scope made is not the test's: it is left out for as long as the fixture lives. A test that
failed is let off, because its traceback keeps the variables alive.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from .modules import Counts, Made, Tracing, difference, live, made, settled

__all__ = ["Counting", "leakproof"]

FAILED = pytest.StashKey[bool]()
INSTANCE = pytest.StashKey[object]()
MARKER = (
    "leakproof(allow=...): how many handles the test may leave behind: a number, a dict of type to number, "
    "or True for any"
)
STACKS_AT_MOST = 10


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("leakproof", "fail tests that leave native handles behind (default: true)", type="bool", default=True)
    group = parser.getgroup("leakproof", "native handles")
    group.addoption("--no-leakproof", action="store_true", help="don't look for native handles that tests leave behind")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    if config.getini("leakproof") and not config.getoption("--no-leakproof"):
        config.pluginmanager.register(Check(), "leakproof-check")


@pytest.fixture
def leakproof() -> Counting:
    """Counts the native handles of all leakproof modules."""
    return Counting()


class Counting:
    """Counts the native handles of all leakproof modules: dicts of "package.Type" to number."""

    def __init__(self) -> None:
        self._before = settled()

    def live(self) -> dict[str, int]:
        """How many handles of each type live now."""
        return dict(settled())

    def delta(self) -> dict[str, int]:
        """By how much the counts changed since the fixture was set up."""
        return difference(settled(), self._before)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Fail unless the block ends with as many handles of each type as it began with."""
        before = settled()
        yield
        changes = difference(settled(), before)
        if changes:
            listed = ", ".join(f"{key} {change:+d}" for key, change in changes.items())
            pytest.fail(f"live handles changed: {listed}")


@dataclass
class Wide:
    """A fixture of wider scope than one test: what it made, and when."""

    counts: Counter[str]
    begin: float
    end: float

    def made(self, handle: Made) -> bool:
        return self.begin <= handle.when <= self.end


class Check:
    """Looks at the counts before and after each test."""

    def __init__(self) -> None:
        self._tracing = Tracing()
        self._wide: list[Wide] = []
        self._ended: list[Wide] = []
        self._known: Counter[str] = Counter()
        self._start: Counter[str] = Counter()
        self._before: Counter[str] = Counter()
        self._begin = 0.0

    # ---- what pytest calls

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        item.stash[FAILED] = False
        self._tracing.on()
        self._start = self._settled()
        self._before = self._own(self._start)
        self._begin = time.monotonic()
        self._ended.clear()
        result = yield
        item.stash[INSTANCE] = getattr(getattr(item, "obj", None), "__self__", None)
        # A marker that makes no sense is told here, where it is the test's error.
        allowance(item)
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
        text = self._end(item)
        item.stash[INSTANCE] = None
        if text:
            pytest.fail(text, pytrace=False)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        if fixturedef.scope == "function":
            return (yield)
        # Without what fixtures make that are set up meanwhile.
        before, begin = self._own(self._settled()), time.monotonic()
        try:
            return (yield)
        finally:
            end, after = time.monotonic(), self._own(self._settled())
            wide = Wide(after - before, begin, end)
            self._wide.append(wide)
            fixturedef.addfinalizer(lambda: self._end_wide(wide))

    @pytest.hookimpl
    def pytest_unconfigure(self) -> None:
        self._tracing.restore()

    # ---- counting

    def _settled(self) -> Counter[str]:
        """The live handles, garbage excepted: collecting takes long, and is only done where counts changed."""
        counts = live()
        if counts != self._known:
            counts = self._known = settled()
        return counts

    def _own(self, counts: Counter[str]) -> Counter[str]:
        """`counts` without what fixtures of wider scope made."""
        own = Counter(counts)
        for wide in self._wide:
            own.subtract(wide.counts)
        return own

    def _end_wide(self, wide: Wide) -> None:
        self._wide.remove(wide)
        self._ended.append(wide)

    def _end(self, item: pytest.Item) -> str | None:
        """What is wrong at the end of a test."""
        now = live()
        changes = difference(self._own(now), self._before)
        if any(change > 0 for change in changes.values()):
            forget(item)
            now = self._known = settled()
            changes = difference(self._own(now), self._before)
        for key, change in changes.items():
            self._take_from_wide(key, -change)
        if item.stash.get(FAILED, True):
            return None
        below = [key for key, number in now.items() if number < 0 <= self._start[key]]
        if below:
            return f"released more often than made: {', '.join(sorted(below))}"
        left = {key: change for key, change in changes.items() if change > 0}
        return self._describe(left) if allowance(item).exceeded(left) else None

    def _take_from_wide(self, key: str, number: int) -> None:
        """A test ended handles that it did not make: whoever made them won't."""
        for wide in reversed(self._wide):
            taken = max(0, min(number, wide.counts[key]))
            wide.counts[key] -= taken
            number -= taken

    # ---- telling

    def _describe(self, left: Counts) -> str:
        lines = ["native handles are left behind:"]
        handles = [handle for handle in made() if self._is_suspect(handle)]
        for key, number in left.items():
            lines.append(f"  {key}: {number} more than before")
            lines += stacks([handle for handle in handles if handle.key == key])
        lines.append(f"Close them, or let the test: @pytest.mark.leakproof(allow={sum(left.values())})")
        return "\n".join(lines)

    def _is_suspect(self, handle: Made) -> bool:
        if any(wide.made(handle) for wide in self._ended):
            return True
        return handle.when >= self._begin and not any(wide.made(handle) for wide in self._wide)


def forget(item: pytest.Item) -> None:
    """Drop what pytest keeps of a test that has ended: the fixtures' values, the attributes of the test's object."""
    funcargs = getattr(item, "funcargs", None)
    if funcargs:
        funcargs.clear()
    cls, instance = getattr(item, "cls", None), item.stash.get(INSTANCE, None)
    if cls is not None and isinstance(instance, cls):
        getattr(instance, "__dict__", {}).clear()


def stacks(handles: list[Made]) -> Iterator[str]:
    """The places where handles were made, newest first."""
    if not handles:
        yield "    where is not known: they were made while tracing was off"
    newest = sorted(handles, key=lambda handle: -handle.when)
    places = Counter(own_frames(handle.stack) for handle in newest)
    for stack, number in list(places.items())[:STACKS_AT_MOST]:
        yield f"    {number} made here:" if len(places) > 1 or number > 1 else "    made here:"
        yield from (f"      {line}" for line in stack.splitlines())
    if len(places) > STACKS_AT_MOST:
        yield f"    … and in {len(places) - STACKS_AT_MOST} places more"


def own_frames(stack: str) -> str:
    """The frames of a formatted stack without pytest's own, which come first."""
    frames: list[list[str]] = []
    for line in stack.splitlines():
        if line.lstrip().startswith('File "') or not frames:
            frames.append([])
        frames[-1].append(line)
    last = max((i for i, frame in enumerate(frames) if is_pytest(frame[0])), default=-1)
    return "\n".join(line for frame in frames[last + 1 :] or frames for line in frame)


def is_pytest(line: str) -> bool:
    return any(f"/{package}/" in line for package in ("_pytest", "pluggy", "pytest_leakproof"))


# ---- the marker


@dataclass(frozen=True)
class Allowance:
    """How many handles a test may leave behind."""

    any: bool = False
    total: int = 0
    each: Mapping[str, int] | None = None

    def exceeded(self, left: Counts) -> bool:
        if self.any:
            return False
        if self.each is None:
            return sum(left.values()) > self.total
        return any(number > self._of(key) for key, number in left.items())

    def _of(self, key: str) -> int:
        assert self.each is not None
        return self.each.get(key, self.each.get(key.rpartition(".")[2], 0))


def allowance(item: pytest.Item) -> Allowance:
    """What the marker says, if there is one."""
    marker = item.get_closest_marker("leakproof")
    if marker is None:
        return Allowance()
    allow = marker.kwargs.get("allow")
    if marker.args or set(marker.kwargs) != {"allow"}:
        pytest.fail("the marker is written @pytest.mark.leakproof(allow=...)", pytrace=False)
    if isinstance(allow, bool):
        return Allowance(any=allow)
    if isinstance(allow, int):
        return Allowance(total=allow)
    if isinstance(allow, Mapping):
        return Allowance(each=allow)
    pytest.fail("allow= takes a number, a dict of type to number, or True", pytrace=False)


