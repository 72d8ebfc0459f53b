"""Finds the leakproof modules of this process, and counts their live handles.

Counts map "package.Type" to a number, over all modules.
"""

from __future__ import annotations

import gc
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

__all__ = [
    "Counts",
    "Registry",
    "TracedHandle",
    "Tracing",
    "diff",
    "live",
    "live_after_gc",
    "registries",
    "traced_handles",
]

Counts = Mapping[str, int]


class Registry(Protocol):
    """The attribute `__leakproof__` of a module. Builds without tracing lack its last three methods."""

    def package(self) -> str | None: ...
    def version(self) -> str: ...
    def live_handles(self) -> dict[str, int]: ...
    def tracing(self) -> bool: ...
    def trace(self, on: bool) -> None: ...
    def live_report(self) -> list[tuple[str, float, str]]: ...


def registries() -> list[Registry]:
    """Returns one registry for each leakproof module, however many Python modules expose it."""
    found: dict[int, Registry] = {}
    for module in list(sys.modules.values()):
        registry = _registry_of(module)
        if registry is not None:
            found.setdefault(id(registry), registry)
    return list(found.values())


def _registry_of(module: object) -> Registry | None:
    # The plain dict: reading an attribute of a lazy module would import it.
    try:
        names = object.__getattribute__(module, "__dict__")
    except AttributeError:
        return None
    registry = names.get("__leakproof__")
    return cast(Registry, registry) if hasattr(registry, "live_handles") else None


def _key(registry: Registry, name: str) -> str:
    return f"{registry.package() or '?'}.{name}"


def live() -> Counter[str]:
    """Counts the live handles of each type, including those that only uncollected garbage refers to."""
    counts: Counter[str] = Counter()
    for registry in registries():
        for name, number in registry.live_handles().items():
            counts[_key(registry, name)] += number
    return counts


def live_after_gc() -> Counter[str]:
    """Counts the live handles of each type after a garbage collection."""
    counts = live()
    if any(counts.values()):
        gc.collect()
        counts = live()
    return counts


def diff(after: Counts, before: Counts) -> dict[str, int]:
    """Returns the changes between two counts, without the zeros."""
    changes = {key: after.get(key, 0) - before.get(key, 0) for key in sorted({*after, *before})}
    return {key: change for key, change in changes.items() if change}


@dataclass(frozen=True)
class TracedHandle:
    """A live handle that was created while tracing was on.

    `when` is the time of its creation, on the clock of `time.monotonic`. `stack` is the stack that created it.
    """

    key: str
    when: float
    stack: str


def traced_handles() -> Iterator[TracedHandle]:
    """Iterates over the live handles that were traced."""
    for registry in registries():
        if not hasattr(registry, "live_report"):
            continue
        now, report = _timed_report(registry)
        for name, age, stack in report:
            yield TracedHandle(_key(registry, name), now - age, stack)


def _timed_report(registry: Registry) -> tuple[float, list[tuple[str, float, str]]]:
    """Returns a report with its time.

    On a busy machine this thread may be suspended between the two, so a report that took long is asked for again.
    """
    for _ in range(20):
        now = time.monotonic()
        report = registry.live_report()
        if time.monotonic() - now < 0.001:
            break
    return now, report


class Tracing:
    """Switches tracing on in every module that supports it, and restores the former settings."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[Registry, bool]] = {}

    def enable(self) -> None:
        """Switches tracing on, also in modules that were imported since the last call."""
        for registry in registries():
            if hasattr(registry, "trace") and id(registry) not in self._before:
                self._before[id(registry)] = (registry, registry.tracing())
                registry.trace(True)

    def restore(self) -> None:
        """Restores the former setting of each module."""
        for registry, before in self._before.values():
            registry.trace(before)
        self._before.clear()
