"""What is built from the repository: the data files are in it, and it works installed."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "nver"


def data_files() -> list[Path]:
    """Everything in the package that is no code."""
    files = (f for f in SOURCE.rglob("*") if f.is_file() and f.suffix not in (".py", ".pyc"))
    return sorted(f for f in files if "__pycache__" not in f.parts and f.name[0] != ".")


def test_no_data_file_is_kept_out_of_the_wheel() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    assert wheel["targets"]["wheel"] == {"packages": ["src/nver"]}
    names = {f.name for f in data_files()}
    assert {"emogator.toml", "demo.toml", "page.html.j2", "py.typed"} <= names
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no git: hatch leaves out what git ignores, and that cannot be asked")
    paths = "\n".join(str(f.relative_to(ROOT)) for f in data_files())
    done = subprocess.run(
        ["git", "check-ignore", "--stdin"], cwd=ROOT, input=paths, capture_output=True, text=True
    )
    assert done.stdout == ""


@pytest.mark.long  # a build fetches hatchling; pip install into a fresh venv is done by hand
def test_the_wheel_predicts_away_from_the_repository(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", tmp_path, str(ROOT)], check=True)
    (wheel,) = tmp_path.glob("nver-*.whl")
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith(".py")}
    missing = [f for f in data_files() if str(Path("nver") / f.relative_to(SOURCE)) not in inside]
    assert not missing
    installed = tmp_path / "installed"
    subprocess.run([*pip, "install", "--no-deps", "--target", installed, wheel], check=True)
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        'corpora = ["synthetic"]\nencoders = ["logmel-stats"]\nclassifiers = ["linear"]\n'
        "[training]\nepochs = 2\n"
    )
    model = [] if (SOURCE / "models" / "emogator").is_dir() else ["--model", "model"]
    commands = [
        ["train", "recipe.toml", "--out", "model"],
        ["predict", "cache/synthetic-v1/synthetic01_laugh_01.wav", *model],
    ]
    code = (
        "import sys, nver; assert 'installed' in nver.__file__; from nver.cli import main; main()"
    )
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-c", code, *command],
            cwd=tmp_path,
            env=os.environ
            | {"PYTHONPATH": str(installed), "NVER_CACHE": "cache", "HF_HUB_OFFLINE": "1"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    assert "synthetic01_laugh_01.wav" in done.stdout
