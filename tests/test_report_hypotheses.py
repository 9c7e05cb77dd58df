"""How the answers to hypotheses are shown."""

from pathlib import Path

import pandas as pd
import pytest

from helpers_report import make_run_folder
from nver.errors import NverError
from nver.report import RunTables, read_run, write_report
from nver.report.chapters.answers import hypotheses_text, hypothesis_parts
from nver.report.formats.sections import sections
from nver.results.metrics import score_table

CLAIMS = """
[[classifiers]]
name = "concat"

[[classifiers]]
name = "reno"

[[hypotheses]]
claim = "reno > concat"

[[hypotheses]]
claim = "fusion > single"

[[hypotheses]]
claim = "mamba > attention"

[[hypotheses]]
claim = "of my own"
better = {classifier = "reno"}
worse = [{classifier = "concat"}, {classifier = "fcn"}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = make_run_folder(tmp_path / "run", emotions=3, protocols=2)
    (made / "recipe.toml").write_text((made / "recipe.toml").read_text() + CLAIMS)
    return made


def test_every_claim_is_answered_in_every_table(folder: Path) -> None:
    page = write_report(folder).read_text("utf-8")
    table = pd.read_csv(folder / "report" / "hypotheses.csv")
    assert len(table) == 2 * (1 + 2 + 1 + 2)
    assert 'id="hypotheses"' in page
    assert "Supported: p (Holm) at most 0.05" in page
    assert "Holm-corrected over all 5 comparisons" in page
    for answer in set(table["answer"]):
        assert answer in page


def test_the_terminal_says_the_same(folder: Path) -> None:
    run = read_run(folder)
    answers, tables = (
        RunTables(run).hypotheses,
        sections(score_table(run.predictions), run.synthetic),
    )
    text = hypotheses_text(answers, tables)
    assert text.count("Hypotheses, toy, ") == 2
    lines = [line for line in text.splitlines() if line.startswith("mamba > attention: ")]
    assert lines[0] == (
        "mamba > attention: not tested: no row of the table is [kind mamba, one encoder] and "
        "[kind attention, one encoder]"
    )
    first = answers.iloc[0]
    expected = f"reno > concat: {first['answer']}"
    line = next(line for line in text.splitlines() if line.startswith("reno > concat"))
    assert line.startswith(expected)
    assert f"{first['difference']:+.1f} points of UAR" in line
    assert "by Holm over 5 comparison(s); 1 pair on the same encoders, 12 speakers" in line
    assert "fusion > single [a" not in text
    assert "of my own [classifier reno > classifier fcn]: " in text
    (part, _) = hypothesis_parts(answers, tables)
    assert len(part.grids[0].rows) == 6


def test_kinds_of_an_older_run_are_the_registrys(folder: Path) -> None:
    """encoders.json of before has no kind: of these two the registry says handcrafted."""
    recipe = (
        (folder / "recipe.toml")
        .read_text()
        .replace("mamba > attention", "mixed pair > same-kind pair")
    )
    (folder / "recipe.toml").write_text(recipe)
    answers = RunTables(read_run(folder)).hypotheses.set_index("claim")
    note = answers.loc["mixed pair > same-kind pair", "note"]
    assert set(note) == {"no row of the table is [a fusion, of different kinds]"}


def test_without_hypotheses_nothing_is_said(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path / "run", emotions=3, protocols=1)
    assert 'id="hypotheses"' not in write_report(folder).read_text("utf-8")
    run = read_run(folder)
    tables = sections(score_table(run.predictions), run.synthetic)
    assert hypotheses_text(RunTables(run).hypotheses, tables) == ""


def test_a_damaged_recipe_is_said(folder: Path) -> None:
    (folder / "recipe.toml").write_text("[[hypotheses]]\nclaim = 'renoo > concat'\n")
    with pytest.raises(NverError, match=r"recipe\.toml: damaged .*did you mean 'reno > concat'"):
        _ = RunTables(read_run(folder)).hypotheses


def test_a_recipe_with_a_plug_in_that_is_not_here_is_answered_all_the_same(folder: Path) -> None:
    plain = RunTables(read_run(folder)).hypotheses
    added = '[[encoders]]\nname = "of-a-plug-in"\n\n[[classifiers]]'
    recipe = (folder / "recipe.toml").read_text().replace("[[classifiers]]", added, 1)
    (folder / "recipe.toml").write_text('title = "Mine"\n' + recipe)
    run = read_run(folder)
    assert run.experiment.encoders["of-a-plug-in"].name == "of-a-plug-in"
    assert run.experiment.title == "Mine"
    pd.testing.assert_frame_equal(RunTables(run).hypotheses, plain)
