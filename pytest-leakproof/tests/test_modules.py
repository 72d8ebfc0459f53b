"""Finding the leakproof modules of a process."""

import importlib.util
import sys
import types

import pytest
from pytest_leakproof import modules


@pytest.fixture
def fakelib(monkeypatch):
    spec = importlib.util.find_spec("fakelib")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fakelib", module)
    spec.loader.exec_module(module)
    return module


def test_nothing_is_found_where_nothing_is(monkeypatch):
    monkeypatch.setattr(sys, "modules", {"none": None, "sys": sys, "slots": object()})
    assert modules.registries() == []
    assert modules.live() == modules.settled() == {}
    assert list(modules.made()) == []


def test_one_registry_is_found_once(fakelib, monkeypatch):
    monkeypatch.setattr(sys, "modules", {"a": fakelib, "a._b": fakelib})
    assert modules.registries() == [fakelib.__leakproof__]


def test_another_attribute_of_that_name_is_none(monkeypatch):
    module = types.ModuleType("module")
    module.__leakproof__ = "leakproof"
    monkeypatch.setattr(sys, "modules", {"module": module})
    assert modules.registries() == []


def test_modules_that_load_late_are_left_alone(monkeypatch):
    monkeypatch.delitem(sys.modules, "this", raising=False)
    spec = importlib.util.find_spec("this")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "modules", {"this": module})
    spec.loader.exec_module(module)
    modules.registries()
    assert type(module) is not types.ModuleType


def test_counts_are_named_by_package(fakelib):
    document = fakelib.Document()
    assert modules.live()["fakelib.Document"] == 1
    del document
    assert modules.live()["fakelib.Document"] == 0


def test_settling_collects(fakelib):
    cycle = [fakelib.Document()]
    cycle.append(cycle)
    del cycle
    assert modules.live()["fakelib.Document"] == 1
    assert modules.settled()["fakelib.Document"] == 0


def test_differences():
    assert modules.difference({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 3, "d": 1}) == {"b": -1, "c": 3, "d": -1}


def test_tracing(fakelib):
    before = fakelib.__leakproof__.tracing()
    tracing = modules.Tracing()
    fakelib.__leakproof__.trace(False)
    tracing.on()
    tracing.on()
    document = fakelib.Document()
    (made,) = modules.made()
    assert made.key == "fakelib.Document"
    assert "test_tracing" in made.stack
    tracing.restore()
    assert not fakelib.__leakproof__.tracing()
    fakelib.__leakproof__.trace(before)
    del document
