"""The examples of README and docs run as they stand, page by page, in a folder of their own.

A block marked `bash` or `python` is run; `<!-- file: NAME -->` before a block writes it to NAME;
`<!-- needs: PATH -->` skips the page where PATH (relative to the repository) is absent;
`<!-- not run: WHY -->` before a block leaves it out. Blocks of other kinds are for reading.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>file|not run): (?P<value>.+?) -->\n)?^```(?P<kind>\w+)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person's own recordings: a folder a class, made of synthetic clips."""
    import nver

    cache = tmp_path_factory.mktemp("cache")
    os.environ["NVER_CACHE"] = str(cache)
    corpus = nver.load_corpus("synthetic", speakers=3, clips_per_sound=2)
    folder = tmp_path_factory.mktemp("recordings")
    for row in corpus.table.itertuples():
        (folder / str(row.emotion)).mkdir(exist_ok=True)
        shutil.copy(str(row.file), folder / str(row.emotion))
    return folder


def blocks(page: Path) -> list[re.Match[str]]:
    return list(BLOCK.finditer(page.read_text("utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_the_examples_run(page: Path, tmp_path: Path, recordings: Path) -> None:
    text = page.read_text("utf-8")
    for needed in re.findall(r"^<!-- needs: (.+?) -->$", text, re.MULTILINE):
        if not (ROOT / needed).exists():
            pytest.skip(f"{needed} is absent")
    shutil.copytree(recordings, tmp_path / "my-recordings")
    (tmp_path / "shared").symlink_to(ROOT.parent / "shared")
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    (tmp_path / "benchmarks").symlink_to(ROOT / "benchmarks")
    for block in blocks(page):
        run_block(block, tmp_path)


def run_block(block: re.Match[str], folder: Path) -> None:
    if block["mark"] == "not run":
        return
    if block["mark"] == "file":
        (folder / block["value"]).write_text(block["code"])
        return
    command = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}
    if block["kind"] not in command:
        return
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NVER_CACHE": str(folder / "cache"),
    }
    done = subprocess.run(
        [*command[block["kind"]], block["code"]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{block['code']}\n{done.stdout}\n{done.stderr}"


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_every_page_has_an_example_or_is_prose() -> None:
    ran = {p.name for p in PAGES if any(b["kind"] in ("bash", "python") for b in blocks(p))}
    assert {"README.md", "recipes.md", "store.md", "encoders.md"} <= ran
