"""Fixtures that every test file may use."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("nver")
    group.addoption("--hostile-seed", type=int, default=0, help="of tests/hostile_audio.py")
    group.addoption("--hostile-mutants", type=int, default=4500, help="of the long form")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings and weights beside the project; absent: the test is skipped."""
    if not SHARED.is_dir():
        pytest.skip(f"no real recordings or weights: {SHARED} is absent")
    return SHARED


@pytest.fixture(autouse=True)
def no_network_no_user_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tests ask no hub and leave nothing in the user's cache folder."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("NVER_CACHE", str(tmp_path / "nver-cache"))
