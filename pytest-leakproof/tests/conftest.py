from pathlib import Path

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def fake_library(monkeypatch):
    """Makes `fakelib` importable, also in processes that a test starts."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / "fake"))
    monkeypatch.syspath_prepend(Path(__file__).parent / "fake")
