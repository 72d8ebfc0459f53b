from pathlib import Path

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def fake_library(monkeypatch):
    """The stand-in can be imported, in processes that a test starts too."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / "fake"))
    monkeypatch.syspath_prepend(Path(__file__).parent / "fake")
