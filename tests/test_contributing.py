"""The examples of CONTRIBUTING.md, applied to a copy of the repository, pass the contract tests.

`<!-- module: PATH -->` before a block writes it to PATH; `<!-- change: PATH -->` applies its diff.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "CONTRIBUTING.md"
BLOCK = re.compile(
    r"^<!-- (?P<mark>module|change|file): (?P<path>.+?) -->\n```\w+\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
ENTRY_POINTS = re.compile(r'^```toml\n(\[project\.entry-points\."nver.*?)^```$', re.M | re.S)
EXAMPLES = {"corpora": "office-sighs", "encoders": "zero-crossings", "classifiers": "gated-sum"}
LONGEST = 60  # lines of one example: module, registry line and test


def blocks() -> list[re.Match[str]]:
    return list(BLOCK.finditer(PAGE.read_text("utf-8")))


def modules() -> list[str]:
    return [block["path"] for block in blocks() if block["mark"] == "module"]


def apply(block: re.Match[str], repository: Path) -> None:
    """Write a block's file, or replace the lines of its diff, which must be there once."""
    file = repository / block["path"]
    if block["mark"] != "change":
        assert not file.exists(), f"{block['path']} is there already"
        file.write_text(block["code"], "utf-8")
        return
    lines = block["code"].splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    text = file.read_text("utf-8")
    assert text.count(before) == 1, f"{block['path']} has not the lines {before!r}"
    file.write_text(text.replace(before, after), "utf-8")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package and its tests with all examples applied."""
    copy = tmp_path_factory.mktemp("repository")
    without = shutil.ignore_patterns("__pycache__")
    for folder in ("src", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=without)
    shutil.copy(ROOT / "pyproject.toml", copy)
    for block in blocks():
        apply(block, copy)
    return copy


def run_python(*arguments: str, cwd: Path, path: Path) -> str:
    """The standard output of Python, with `path` in front of the installed nver."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(path), "NVER_CACHE": str(cwd / "cache")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_examples_keep_the_contracts(repository: Path) -> None:
    own = [module for module in modules() if module.startswith("tests/")]
    chosen = " or ".join([*EXAMPLES.values(), *(Path(module).stem for module in own)])
    output = run_python(
        *("-m", "pytest", "-v", "-k", chosen, "tests/contracts", *own),
        cwd=repository,
        path=repository / "src",
    )
    passed = [line.split()[0] for line in output.splitlines() if " PASSED" in line]
    for name in EXAMPLES.values():
        assert sum(f"[{name}" in test for test in passed) >= 5
    for module in own:
        assert any(test.startswith(module) for test in passed)


def test_the_examples_are_formatted_and_typed_as_the_rest(repository: Path) -> None:
    run_python("-m", "ruff", "check", *modules(), cwd=repository, path=repository / "src")
    run_python(
        "-m", "ruff", "format", "--check", *modules(), cwd=repository, path=repository / "src"
    )


def test_a_run_takes_the_new_encoder_and_fusion(repository: Path) -> None:
    code = "import nver; nver.run('try.toml', 'runs/try', workers=1)"
    run_python("-c", code, cwd=repository, path=repository / "src")
    scores = pd.read_csv(repository / "runs/try/report/scores.csv")
    rows = set(zip(scores["classifier"], scores["encoders"], strict=True))
    assert rows == {
        ("linear", "logmel-stats"),
        ("linear", "zero-crossings"),
        ("gated-sum", "logmel-stats+zero-crossings"),
    }


def test_the_examples_work_from_a_package_of_their_own(tmp_path: Path) -> None:
    """The page's entry points, beside an installed package, register the same modules."""
    found = ENTRY_POINTS.search(PAGE.read_text("utf-8"))
    assert found is not None
    groups = tomllib.loads(found[1])["project"]["entry-points"]
    assert {group.removeprefix("nver."): [*points] for group, points in groups.items()} == {
        kind: [name] for kind, name in EXAMPLES.items()
    }
    package, info = tmp_path / "my_package", tmp_path / "my_package-1.0.dist-info"
    package.mkdir()
    info.mkdir()
    (package / "__init__.py").touch()
    for block in blocks():
        if block["mark"] == "module" and block["path"].startswith("src/"):
            (package / Path(block["path"]).name).write_text(block["code"], "utf-8")
    sections = [
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in points.items())])
        for group, points in groups.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(sections))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    code = (
        "from nver.registry import lookup, names\n"
        f"for kind, name in {EXAMPLES!r}.items():\n"
        "    assert name in names(kind)\n"
        "    card = lookup(kind, name)\n"
        "    print(card.name, card.__class__.__name__)"
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT / "src")])
    assert run_python("-c", code, cwd=tmp_path, path=Path(path)).split() == [
        *("office-sighs", "CorpusCard"),
        *("zero-crossings", "EncoderCard"),
        *("gated-sum", "ClassifierCard"),
    ]


def test_an_example_is_short() -> None:
    sections = PAGE.read_text("utf-8").split("\n## ")
    examples = [section for section in sections if section.startswith("Add a")]
    assert len(examples) == 3
    for section in examples:
        lines = sum(block["code"].count("\n") for block in BLOCK.finditer(section)
                    if block["mark"] != "file")  # fmt: skip
        assert 0 < lines <= LONGEST, f"{section.splitlines()[0]}: {lines} lines"
