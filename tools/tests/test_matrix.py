"""Systems that can't be set up."""

import os
import subprocess
from pathlib import Path

import matrix
import pytest


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who may make root folders, on a system that has the tools for it."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(subprocess, "run", lambda words, **_: subprocess.CompletedProcess(words, 0))


def test_full_disk_makes_suite_unavailable(root: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(matrix, "DISK", 1 << 30)
    with pytest.raises(matrix.UnavailableError, match=r"^forky needs 1073741824 GB of disk, and .* has \d+ GB$"):
        matrix.Suite("forky", tmp_path, "mirror")


def test_missing_tools_make_suite_unavailable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(subprocess, "run", lambda words, **_: subprocess.CompletedProcess(words, 1))
    with pytest.raises(matrix.UnavailableError, match="lacks what makes root folders"):
        matrix.Suite("forky", tmp_path, "mirror")


def test_other_user_makes_suite_unavailable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(matrix.UnavailableError, match="only root"):
        matrix.Suite("forky", tmp_path, "mirror")


def test_failing_debootstrap_makes_suite_unavailable(
    root: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        subprocess, "run", lambda words, **_: subprocess.CompletedProcess(words, "debootstrap" in words)
    )
    monkeypatch.setattr(matrix, "DISK", 0)
    with pytest.raises(matrix.UnavailableError, match="debootstrap failed, with mirror"):
        matrix.Suite("forky", tmp_path, "mirror")


def test_unavailable_suite_is_skipped_with_a_status_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr("sys.argv", ["matrix.py", "--folder", str(tmp_path), "forky"])
    with pytest.raises(SystemExit) as ended:
        matrix.main()
    assert ended.value.code == matrix.UNAVAILABLE
    assert "skipping forky: only root can make its root folder" in capsys.readouterr().out
