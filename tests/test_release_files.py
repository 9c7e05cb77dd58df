"""CHANGELOG.md and CITATION.cff name this version, and the changelog the renamed modules."""

import re
from pathlib import Path

import nver
from nver.registry import RENAMED

ROOT = Path(__file__).resolve().parents[1]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
CITATION = (ROOT / "CITATION.cff").read_text("utf-8")


def test_both_files_have_the_version_of_the_package() -> None:
    assert f"\n## {nver.__version__}" in CHANGELOG
    assert f"\nversion: {nver.__version__}\n" in CITATION


def test_the_changelog_has_every_renamed_module() -> None:
    assert dict(re.findall(r"\| `(nver[\w.]+)` \| `(nver[\w.]+)` \|", CHANGELOG)) == RENAMED


def test_the_citation_has_what_its_format_requires() -> None:
    keys = re.findall(r"^([\w-]+):", CITATION, re.MULTILINE)
    assert {"cff-version", "message", "title", "authors"} <= set(keys)
    assert len(keys) == len(set(keys))
    assert "\ncff-version: 1.2.0\n" in f"\n{CITATION}"
    assert "\nlicense: Apache-2.0\n" in CITATION
    for paper in ("2506.02258", "2506.03403"):
        assert f"https://arxiv.org/abs/{paper}" in CITATION
