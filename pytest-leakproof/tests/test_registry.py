"""Finding the leakproof modules of a process."""

import importlib.util
import sys
import types

import pytest
from pytest_leakproof import registry


@pytest.fixture
def fakelib(monkeypatch):
    spec = importlib.util.find_spec("fakelib")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fakelib", module)
    spec.loader.exec_module(module)
    return module


def test_process_without_leakproof_modules_has_no_registries(monkeypatch):
    monkeypatch.setattr(sys, "modules", {"none": None, "sys": sys, "slots": object()})
    assert registry.registries() == []
    assert registry.live() == registry.live_after_gc() == {}
    assert list(registry.traced_handles()) == []


def test_registry_exposed_by_two_modules_is_found_once(fakelib, monkeypatch):
    monkeypatch.setattr(sys, "modules", {"a": fakelib, "a._b": fakelib})
    assert registry.registries() == [fakelib.__leakproof__]


def test_unrelated_attribute_of_the_same_name_is_no_registry(monkeypatch):
    module = types.ModuleType("module")
    module.__leakproof__ = "leakproof"
    monkeypatch.setattr(sys, "modules", {"module": module})
    assert registry.registries() == []


def test_lazy_module_is_not_loaded(monkeypatch):
    monkeypatch.delitem(sys.modules, "this", raising=False)
    spec = importlib.util.find_spec("this")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "modules", {"this": module})
    spec.loader.exec_module(module)
    registry.registries()
    assert type(module) is not types.ModuleType


def test_counts_are_keyed_by_package_and_type(fakelib):
    document = fakelib.Document()
    assert registry.live()["fakelib.Document"] == 1
    del document
    assert registry.live()["fakelib.Document"] == 0


def test_live_after_gc_does_not_count_garbage(fakelib):
    cycle = [fakelib.Document()]
    cycle.append(cycle)
    del cycle
    assert registry.live()["fakelib.Document"] == 1
    assert registry.live_after_gc()["fakelib.Document"] == 0


def test_diff_leaves_out_unchanged_counts():
    assert registry.diff({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 3, "d": 1}) == {"b": -1, "c": 3, "d": -1}


def test_tracing_records_stacks_and_is_restored(fakelib):
    before = fakelib.__leakproof__.tracing()
    tracing = registry.Tracing()
    fakelib.__leakproof__.trace(False)
    tracing.enable()
    tracing.enable()
    document = fakelib.Document()
    (handle,) = registry.traced_handles()
    assert handle.key == "fakelib.Document"
    assert "test_tracing_records" in handle.stack
    tracing.restore()
    assert not fakelib.__leakproof__.tracing()
    fakelib.__leakproof__.trace(before)
    del document
