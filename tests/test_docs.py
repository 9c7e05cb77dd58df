"""The examples of README and docs run as they stand, page by page, in a folder of their own.

A block marked `bash` or `python` is run; `<!-- file: NAME -->` before a block writes it to NAME;
`<!-- needs: PATH -->` skips the page where PATH (relative to the repository) is absent;
`<!-- not run: WHY -->` before a block leaves it out. Blocks of other kinds are for reading.

The blocks of `AS_A_READER` run as a reader runs them: bash and python are started, with workers on
every core. On the other pages Python blocks and `nver` commands run in this process, which has
imported everything already, and on one core, so that no workers are started; bash runs what else
stands in a block. All pages share one cache folder, and so the synthetic corpus and its embeddings.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import pytest

import nver
import nver.cli

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
AS_A_READER = ("store.md",)
BASH = ("bash", "-euo", "pipefail", "-c")
BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>file|not run): (?P<value>.+?) -->\n)?^```(?P<kind>\w+)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
COMMAND = re.compile(r".*<<'(?P<end>\w+)'\n(?s:.*?)^(?P=end)\n|(?:.*\\\n)*.*\n", re.MULTILINE)
OF_THE_WHOLE_BLOCK = re.compile(r"[$`~*]|^(cd|if|for|while|export) ", re.MULTILINE)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache folder of all pages; the processes of pytest-xdist have one in common."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    return folder / "cache-of-the-docs"


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person's own recordings: a folder a class, made of synthetic clips."""
    root = tmp_path_factory.mktemp("synthetic")
    corpus = nver.load_corpus("synthetic", root, speakers=3, clips_per_sound=2)
    folder = tmp_path_factory.mktemp("recordings")
    for row in corpus.table.itertuples():
        (folder / str(row.emotion)).mkdir(exist_ok=True)
        shutil.copy(str(row.file), folder / str(row.emotion))
    return folder


def blocks(page: Path) -> list[re.Match[str]]:
    return list(BLOCK.finditer(page.read_text("utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_the_examples_run(
    page: Path,
    tmp_path: Path,
    recordings: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    text = page.read_text("utf-8")
    for needed in re.findall(r"^<!-- needs: (.+?) -->$", text, re.MULTILINE):
        if not (ROOT / needed).exists():
            pytest.skip(f"{needed} is absent")
    shutil.copytree(recordings, tmp_path / "my-recordings")
    (tmp_path / "shared").symlink_to(ROOT.parent / "shared")
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    (tmp_path / "benchmarks").symlink_to(ROOT / "benchmarks")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NVER_CACHE", str(cache))
    if page.name in AS_A_READER:
        for block in blocks(page):
            run_block(block, as_a_reader=True)
        return
    with one_core():
        for block in blocks(page):
            run_block(block)
            capfd.readouterr()


def run_block(block: re.Match[str], as_a_reader: bool = False) -> None:
    """Run a block, or write it to its file, in the current folder."""
    kind, code = block["kind"], block["code"]
    if block["mark"] == "not run":
        return
    if block["mark"] == "file":
        Path(block["value"]).write_text(code)
    elif kind == "bash" and (as_a_reader or OF_THE_WHOLE_BLOCK.search(code)):
        start(*BASH, code)
    elif kind == "bash":
        for command in COMMAND.finditer(code):
            run_command(command[0])
    elif kind == "python" and as_a_reader:
        start(sys.executable, "-c", code)
    elif kind == "python":
        exec(compile(code, "<example>", "exec"), {"__name__": "__main__"})  # noqa: S102


def run_command(command: str) -> None:
    """A command of a bash block: `nver ...` and `nver ... > FILE` in this process."""
    words, file = words_of(command), os.devnull
    if words[-2:-1] == [">"]:
        words, file = words[:-2], words[-1]
    if words[:1] != ["nver"] or any(set(word) <= set("();<>|&") for word in words):
        start(*BASH, command)
        return
    with (
        pytest.MonkeyPatch.context() as patch,
        open(file, "w", encoding="utf-8") as out,
        redirect_stdout(out),
    ):
        patch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as stop:
            nver.cli.main()
    assert not stop.value.code, f"{command}exit code {stop.value.code}"


def words_of(command: str) -> list[str]:
    """The words of a command, without its comment; operators such as `|` are words."""
    words = shlex.shlex(command.replace("\\\n", " "), posix=True, punctuation_chars=True)
    words.whitespace_split = True
    return list(words)


def start(*command: str) -> None:
    """A command in a process of its own."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"


@contextmanager
def one_core() -> Iterator[None]:
    """Hold this process, and those that it starts, to one core, where the system lets it."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    os.sched_setaffinity(0, {sorted(cores)[number % len(cores)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_every_page_has_an_example_or_is_prose() -> None:
    ran = {p.name for p in PAGES if any(b["kind"] in ("bash", "python") for b in blocks(p))}
    assert {"README.md", "recipes.md", "store.md", "encoders.md"} <= ran
