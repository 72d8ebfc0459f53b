"""Finds the leakproof modules of this process, and counts what lives in them.

Counts are dicts of "package.Type" to number, over all modules.
"""

from __future__ import annotations

import gc
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

__all__ = ["Counts", "Made", "Registry", "Tracing", "difference", "live", "made", "registries", "settled"]

Counts = Mapping[str, int]


class Registry(Protocol):
    """What is called `__leakproof__` in a module. Builds may lack what is about tracing."""

    def package(self) -> str | None: ...
    def version(self) -> str: ...
    def live_handles(self) -> dict[str, int]: ...
    def tracing(self) -> bool: ...
    def trace(self, on: bool) -> None: ...
    def live_report(self) -> list[tuple[str, float, str]]: ...


def registries() -> list[Registry]:
    """One for each leakproof module, however many Python modules show it."""
    found: dict[int, Registry] = {}
    for module in list(sys.modules.values()):
        registry = _of(module)
        if registry is not None:
            found.setdefault(id(registry), registry)
    return list(found.values())


def _of(module: object) -> Registry | None:
    # The plain dict: asking a lazy module for an attribute would import it.
    try:
        names = object.__getattribute__(module, "__dict__")
    except AttributeError:
        return None
    registry = names.get("__leakproof__")
    return cast(Registry, registry) if hasattr(registry, "live_handles") else None


def _key(registry: Registry, name: str) -> str:
    return f"{registry.package() or '?'}.{name}"


def live() -> Counter[str]:
    """How many handles of each type live now, garbage that was not collected yet included."""
    counts: Counter[str] = Counter()
    for registry in registries():
        for name, number in registry.live_handles().items():
            counts[_key(registry, name)] += number
    return counts


def settled() -> Counter[str]:
    """How many handles of each type live, after the garbage collection that may end some."""
    counts = live()
    if any(counts.values()):
        gc.collect()
        counts = live()
    return counts


def difference(after: Counts, before: Counts) -> dict[str, int]:
    """By how much the counts changed, without those that did not."""
    changes = {key: after.get(key, 0) - before.get(key, 0) for key in sorted({*after, *before})}
    return {key: change for key, change in changes.items() if change}


@dataclass(frozen=True)
class Made:
    """A live handle that was made while tracing was on: when, in the time of `time.monotonic`, and by which stack."""

    key: str
    when: float
    stack: str


def made() -> Iterator[Made]:
    """The live handles that were traced."""
    for registry in registries():
        if not hasattr(registry, "live_report"):
            continue
        now, report = _prompt_report(registry)
        for name, age, stack in report:
            yield Made(_key(registry, name), now - age, stack)


class Tracing:
    """Switches tracing on in every module that can, and back."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[Registry, bool]] = {}

    def on(self) -> None:
        """Also in the modules that were imported since the last time."""
        for registry in registries():
            if hasattr(registry, "trace") and id(registry) not in self._before:
                self._before[id(registry)] = (registry, registry.tracing())
                registry.trace(True)

    def restore(self) -> None:
        """As it was in each module."""
        for registry, before in self._before.values():
            registry.trace(before)
        self._before.clear()


def _prompt_report(registry: Registry) -> tuple[float, list[tuple[str, float, str]]]:
    """The report and its time. On a busy machine this thread may stand still in between, so a slow one is asked again."""
    for _ in range(20):
        now = time.monotonic()
        report = registry.live_report()
        if time.monotonic() - now < 0.001:
            break
    return now, report
