"""The report: made from saved files alone, the same bytes each time, honest, safe to open."""

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest

import nver.cli
from helpers_report import SYSTEMS, make_clips, make_folds, make_predictions, make_run_folder
from nver.errors import NverError, UsageError
from nver.evaluation.run_folder import saved_run
from nver.evaluation.run_folder.predictions import read_predictions, write_predictions
from nver.report import RunTables, read_run, run_tables, terminal_text, write_report
from nver.report.chapters.ingredients import non_commercial
from nver.report.chapters.opening import one_answer_sentences
from nver.report.figures.heat import DARK, INKS, LIGHT, STEPS, contrast, mix
from nver.report.figures.images import as_svg
from nver.report.figures.plots import confusion_figure, projection_figure
from nver.report.formats.sections import sections
from nver.report.formats.text_formats import aligned, latex_escape, markdown_escape, text_tables
from nver.results import results
from nver.results.comparison import best_rows, comparison_table
from nver.results.uncertainty import emotion_interval_table, interval_table

ONE = SYSTEMS[:1]
VOID = {"meta", "img", "br", "line", "circle", "input", "hr"}


class Page(HTMLParser):
    """Tags with their attributes, and the text; a tag that is not closed in order is an error."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.parts: list[str] = []
        self.feed(path.read_text("utf-8"))
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.parts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.parts))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def files_of(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two protocols on synthetic recordings, with its report."""
    folder = make_run_folder(tmp_path_factory.mktemp("runs") / "toy run", emotions=3)
    write_report(folder)
    return folder


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A run of one system and one protocol, without its report."""
    return make_run_folder(
        tmp_path / "small", emotions=3, protocols=1, systems=ONE, synthetic=False
    )


# ---------------------------------------------------------------------------------- the files


def scores_on_a_terminal(predictions: pd.DataFrame, synthetic: Sequence[str] = ()) -> str:
    scores, pairs = interval_table(predictions), comparison_table(predictions, resamples=0)
    return text_tables(sections(scores, synthetic, pairs))


def test_what_is_written(run: Path) -> None:
    names = set(files_of(run / "report"))
    tables = {"index.html", "scores.csv", "scores.md", "scores.tex", "per_class.csv"}
    assert tables | {"confusion.csv", "calibration.csv", "reliability.csv"} <= names
    assert {"subgroups.csv", "confidently_wrong.csv", "hypotheses.csv"} <= names
    for protocol in ("speaker-independent", "random"):
        for encoders, classifier in SYSTEMS:
            for kind in ("svg", "png"):
                assert f"confusion_toy_{protocol}_{encoders}_{classifier}.{kind}" in names
    assert {"tsne_toy_logmel-stats.png", "tsne_toy_prosody-stats.svg"} <= names
    assert {"gap.csv", "comparisons.csv"} <= names
    assert len(names) == 13 + 2 * 2 * 2 * len(SYSTEMS) + 2 * 2


def test_made_again_it_has_the_same_bytes(run: Path, tmp_path: Path) -> None:
    """Also in another folder of that name, after the run's own report, with other settings."""
    copy = tmp_path / run.name
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("report"))
    with matplotlib.rc_context({"font.size": 20, "savefig.dpi": 30, "figure.facecolor": "red"}):
        write_report(copy)
    assert files_of(copy / "report") == files_of(run / "report")


def test_csv_files_are_the_tables(run: Path) -> None:
    saved = pd.read_csv(run / "report" / "scores.csv")
    predictions = read_predictions(run / "predictions.csv")
    pd.testing.assert_frame_equal(saved, interval_table(predictions), check_dtype=False)
    saved = pd.read_csv(run / "report" / "per_class.csv")
    pd.testing.assert_frame_equal(saved, emotion_interval_table(predictions), check_dtype=False)
    saved = pd.read_csv(run / "report" / "comparisons.csv")
    pd.testing.assert_frame_equal(saved, comparison_table(predictions), check_dtype=False)


def test_everything_is_read_and_computed_once(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the page, the files and the terminal together."""
    calls: Counter[str] = Counter()

    def counted(module: object, name: str) -> None:
        function = getattr(module, name)

        def call(*args: object, **options: object) -> object:
            calls[name] += 1
            return function(*args, **options)

        monkeypatch.setattr(module, name, call)

    counted(saved_run, "read_predictions")
    counted(run_tables, "interval_table")
    counted(run_tables, "comparison_table")
    counted(results, "units_of")
    tables = RunTables(read_run(run))
    write_report(tables)
    terminal_text(tables)
    groups = pd.read_csv(run / "report" / "subgroups.csv")
    assert calls.pop("units_of") == len(tables.results.systems) + len(groups)
    assert calls == {"read_predictions": 1, "interval_table": 1, "comparison_table": 1}


def test_the_terminal_has_the_tables_of_the_page(run: Path) -> None:
    text = terminal_text(RunTables(read_run(run)))
    predictions = read_predictions(run / "predictions.csv")
    assert text.startswith(scores_on_a_terminal(predictions, ["toy"]))
    assert "toy, random less speaker-independent" in text


def test_tables_that_the_run_no_longer_has_are_removed(small: Path) -> None:
    report = small / "report"
    report.mkdir()
    for name in ("stress.csv", "views.csv", "printed.csv"):
        (report / name).write_text("old")
    write_report(small)
    assert not {"stress.csv", "views.csv", "printed.csv"} & set(files_of(report))


def test_figures_of_rows_that_are_gone_are_removed_and_nothing_else(small: Path) -> None:
    report = small / "report"
    report.mkdir()
    for name in ("confusion_old.svg", "tsne_old.png", "my-notes.txt"):
        (report / name).write_text("old")
    write_report(small)
    names = set(files_of(report))
    assert "my-notes.txt" in names
    assert not names & {"confusion_old.svg", "tsne_old.png"}


def test_labels_that_differ_only_where_a_file_name_cannot(tmp_path: Path) -> None:
    systems = [("a/b", "x"), ("a:b", "x"), ("a", "FCN"), ("a", "fcn")]
    folder = make_run_folder(tmp_path / "run", emotions=3, protocols=1, systems=systems)
    write_report(folder)
    names = [n for n in files_of(folder / "report") if n.startswith("confusion_")]
    assert len({n.casefold() for n in names}) == 2 * len(systems)


# ----------------------------------------------------------------------------------- the page


def test_page_is_self_contained_and_well_formed(run: Path) -> None:
    path = run / "report" / "index.html"
    page = Page(path)
    images = page.all("img")
    assert len(images) == 2 * 2 * len(SYSTEMS) + 2
    assert all(i["src"].startswith("data:image/") and len(i["alt"]) > 20 for i in images)
    assert all(a["href"].startswith("#") for a in page.all("a"))
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert not re.search(r"url\(|@import|https?://(?!example\.org)", path.read_text("utf-8"))
    assert len(page.all("table")) == len(page.all("caption"))
    anchors = {attributes.get("id") for _, attributes in page.tags}
    assert {a["href"][1:] for a in page.all("a")} <= anchors


def test_page_says_the_plain_facts(run: Path) -> None:
    text = Page(run / "report" / "index.html").text
    for fact in (
        "The toy corpus: 72 clips, 12 speakers, 3 emotions.",
        "4 systems are compared",
        "the classifiers fcn, concat and reno and the encoders logmel-stats and prosody-stats",
        "speaker-independent folds and random folds (speakers shared)",
        "5 test folds (1 seed)",
        "Guessing has a UAR of 33.3 %",
        "72 clips were found, 102 are published",
        "95 % interval over 12 speakers",
        "p > 0.05 in a paired test over the same 12 speakers, corrected by Holm for the 6 pairs",
        "UAR of reno on logmel-stats + prosody-stats, the highest, less that of the row",
        "0 of 12 speakers are in more than one fold",
        "12 of 12 speakers are in more than one fold",
        "nver run 'toy run'/recipe.toml",
        "2026-01-02T03:04:05+00:00",
        "nver run recipe.toml --out 'made up'",
    ):
        assert fact in text, fact


def test_every_score_of_the_table_is_on_the_page(run: Path) -> None:
    text = Page(run / "report" / "index.html").text
    scores, pairs = (pd.read_csv(run / "report" / f"{n}.csv") for n in ("scores", "comparisons"))
    for section in sections(scores, pairs=pairs):
        for row in section.rows:
            for cell in row.cells:
                assert f"{cell.score:.1f}{' *' if cell.best else ''} {cell.interval}" in text
                assert re.fullmatch(r"[\d.]+ \[[\d.]+, [\d.]+\]", cell.text)


def test_protocols_never_share_a_table(run: Path) -> None:
    tables = sections(pd.read_csv(run / "report" / "scores.csv"))
    assert [t.title for t in tables] == [
        "toy, speaker-independent folds",
        "toy, random folds (speakers shared)",
    ]
    assert [len(t.rows) for t in tables] == [4, 4]
    for name, heads in (("scores.md", "### "), ("scores.tex", r"\begin{table}")):
        assert (run / "report" / name).read_text("utf-8").count(heads) == 2


def test_random_folds_of_unknown_speakers() -> None:
    predictions = make_predictions(speakers=0, systems=ONE)
    (table,) = sections(interval_table(predictions))
    assert table.title == "toy, random folds (speakers unknown)"
    assert "speakers unknown" not in table.basis
    assert "unknown speakers" in table.basis


def test_synthetic_recordings_cannot_be_overlooked(run: Path, small: Path) -> None:
    page = Page(run / "report" / "index.html")
    assert [a for a in page.all("div") if a.get("class") == "banner"]
    assert page.text.count("synthetic recordings") >= 5
    for name in ("scores.md", "scores.tex"):
        assert (run / "report" / name).read_text("utf-8").count("Synthetic recordings") == 2
    for figure in (run / "report").glob("*.svg"):
        assert "SYNTHETIC RECORDINGS" in figure.read_text("utf-8")
    real = write_report(small)
    assert "ynthetic" not in Page(real).text
    assert "banner" not in str(Page(real).all("div"))
    assert "SYNTHETIC" not in next((small / "report").glob("*.svg")).read_text("utf-8")


def test_skipped_clips_are_counted_and_listed(run: Path, tmp_path: Path) -> None:
    page = Page(run / "report" / "index.html").text
    assert "5 files were not used" in page
    assert "toy silent 2" in page
    assert "data/000003-04-1.wav: not finite (made up <b>&</b>)" in page
    many = make_run_folder(tmp_path / "many", emotions=3, protocols=1, systems=ONE, skipped=300)
    text = Page(write_report(many)).text
    assert "300 files were not used" in text
    assert "The first 200; skipped.csv has all" in text
    none = make_run_folder(tmp_path / "none", emotions=3, protocols=1, systems=ONE, skipped=0)
    assert "Every file was used" in Page(write_report(none)).text


def test_names_from_outside_are_text(tmp_path: Path) -> None:
    """Emotions, clips, labels and citations are untrusted: no markup, no mathematics, no file."""
    evil = "<script>alert(1)</script>"
    folder = make_run_folder(
        tmp_path / "run", protocols=1, systems=[(f"../../e{evil}", f"$\\frac{{{evil}")]
    )
    for name in ("predictions.csv", "clips.csv", "skipped.csv", "projections.csv"):
        text = (folder / name).read_text("utf-8")
        text = re.sub(r"\banger\b", f"an$ger_{evil}", text).replace("data/", f"{evil}/")
        (folder / name).write_text(text, "utf-8")
    facts = json.loads((folder / "corpora.json").read_text("utf-8"))
    facts["toy"] |= {"citation": evil, "title": evil, "licence": evil, "url": "javascript:1"}
    (folder / "corpora.json").write_text(json.dumps(facts), "utf-8")
    page = write_report(folder)
    assert "<script" not in page.read_text("utf-8")
    assert not Page(page).all("script")
    assert not any("javascript" in a["href"] for a in Page(page).all("a"))
    assert f"an$ger_{evil}" in Page(page).text
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run"]
    assert all("<script" not in p.read_text("utf-8") for p in (folder / "report").glob("*.svg"))


@pytest.mark.parametrize(
    ("emotions", "systems"), [(10, SYSTEMS[:1]), (30, SYSTEMS[:1])], ids=["10", "30"]
)
def test_more_emotions(tmp_path: Path, emotions: int, systems: list[tuple[str, str]]) -> None:
    folder = make_run_folder(tmp_path / "run", emotions=emotions, protocols=1, systems=systems)
    path = write_report(folder)
    assert path.stat().st_size < 1_000_000
    page = Page(path)
    turned = [a for a in page.all("th") if a.get("class") == "turn"]
    assert len(turned) == emotions


def test_non_commercial_licences_are_marked(tmp_path: Path) -> None:
    folder = make_run_folder(
        tmp_path / "run", emotions=3, protocols=1, systems=ONE, licence="CC BY-NC-SA 4.0"
    )
    page = Page(write_report(folder))
    assert page.text.count("non-commercial") == 1


@pytest.mark.parametrize(
    ("licence", "marked"),
    [
        ("CC BY-NC-SA 4.0", True),
        ("CC-BY-NC-4.0", True),
        ("Non-commercial use only", True),
        ("research only", True),
        ("Apache-2.0", False),
        ("CC BY-SA 4.0", False),
        ("ODbL 1.0", False),
        ("NCSA", False),
        (None, False),
    ],
)
def test_what_is_non_commercial(licence: str | None, marked: bool) -> None:
    assert non_commercial(licence) is marked


def test_a_shared_speaker_in_speaker_independent_folds_is_said_loudly(small: Path) -> None:
    clips = make_clips(3)
    mixed = make_folds(clips, "random", 0).assign(protocol="speaker-independent")
    mixed.to_csv(small / "folds.csv", index=False)
    text = Page(write_report(small)).text
    assert "NOT speaker-independent, speakers in more than one fold: 12" in text


def test_a_shared_speaker_in_one_seed_of_two_is_enough(small: Path) -> None:
    clips = make_clips(3)
    right = make_folds(clips, "speaker-independent", 0)
    wrong = make_folds(clips, "speaker-independent", 1)
    wrong.loc[0, "fold"] = (wrong.loc[0, "fold"] + 1) % 5
    pd.concat([right, wrong]).to_csv(small / "folds.csv", index=False)
    assert (
        "NOT speaker-independent, speakers in more than one fold: 1"
        in Page(write_report(small)).text
    )


def test_a_training_that_says_the_same_of_every_clip_is_named(small: Path) -> None:
    predictions = read_predictions(small / "predictions.csv")
    first = predictions.iloc[0]
    own = predictions[["encoders", "classifier", "protocol", "fold"]].eq(
        first[["encoders", "classifier", "protocol", "fold"]]
    )
    assert one_answer_sentences(predictions) == []
    predictions.loc[own.all(axis=1), "predicted"] = first["predicted"]
    assert one_answer_sentences(predictions) == [
        f"toy, {first['protocol']}: {first['classifier']} on "
        f"{first['encoders'].replace('+', ' + ')} says the same of every clip in 1 of 5 test "
        "folds: it did not learn there"
    ]


def test_several_corpora_and_seeds(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path / "run", emotions=3, protocols=1, systems=ONE, seeds=(0, 1))
    one = make_predictions(emotions=3, systems=ONE, seeds=(0, 1))
    two = make_predictions(emotions=6, systems=ONE, corpus="two")
    write_predictions(pd.concat([one, two], ignore_index=True), folder / "predictions.csv")
    text = Page(write_report(folder)).text
    assert "10 test folds (2 seeds)" in text
    assert "two, speaker-independent folds" in text
    assert "5 folds, 2 seeds" in text


def test_only_predictions_are_needed(small: Path) -> None:
    for file in small.iterdir():
        if file.name != "predictions.csv":
            file.unlink()
    text = Page(write_report(small)).text
    assert "folds.csv is not in the run folder; its part is left out" in text
    assert "toy, speaker-independent folds" in text


def test_many_systems_do_not_make_the_page_long(tmp_path: Path) -> None:
    systems = [("e", f"c{i}") for i in range(8)]
    folder = make_run_folder(tmp_path / "run", emotions=3, protocols=1, systems=systems)
    page = Page(write_report(folder))
    assert "those of 2 more systems lie beside this page" in page.text
    scores = pd.read_csv(folder / "report" / "scores.csv").set_index("classifier")
    best = scores["unweighted_average_recall"].sort_values(ascending=False, kind="stable").index
    shown = [i["alt"].split()[3] for i in page.all("img") if "Confusion" in i["alt"]]
    assert shown == list(best[:6])
    assert len(page.all("img")) == 6 + 6 + 1
    assert len(list((folder / "report").glob("confusion_*.svg"))) == 8


# ------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("predictions.csv", None, r"did not end, it has no predictions\.csv"),
        ("predictions.csv", "experiment,corpus\n", "it has no column"),
        ("corpora.json", "{", r"corpora\.json: damaged, not JSON"),
        ("corpora.json", '{"a": 1}', r"corpora\.json: damaged, expected objects, got int"),
        ("corpora.json", '{"a": {"emotions": 1}}', r"corpora\.json: damaged, emotions is of type"),
        ("encoders.json", "[1]", r"encoders\.json: damaged, expected objects, got int"),
        ("environment.json", '{"packages": 1}', r"environment\.json: damaged, packages is of"),
        ("corpora.json", "[]", r"corpora\.json: damaged, expected an object, got list"),
        ("folds.csv", "corpus,clip\na,b\n", r"folds\.csv: damaged, it has no column protocol"),
        ("projections.csv", "corpus,encoder,clip,x,y\na,b,c,d,e\n", r"projections\.csv: damaged"),
    ],
)
def test_a_damaged_run_folder(small: Path, file: str, content: str | None, words: str) -> None:
    if content is None:
        (small / file).unlink()
    else:
        (small / file).write_text(content, "utf-8")
    with pytest.raises(NverError, match=words):
        write_report(small)
    assert not (small / "report").exists()


def test_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(NverError, match=r"neither recipe\.toml nor predictions\.csv"):
        write_report(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        write_report(tmp_path / "nowhere")


# ------------------------------------------------------------------------------- other formats


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b", r"a\_b"),
        ("a|b", r"a\|b"),
        ("50 % & <i>*x*</i>", r"50 % &amp; &lt;i&gt;\*x\*&lt;/i&gt;"),
        ("a\nb", "a b"),
        ("[x](y) `z` $q$ #1 ~s~", r"\[x\](y) \`z\` \$q\$ \#1 \~s\~"),
        ("back\\slash", r"back\\slash"),
    ],
)
def test_markdown_escape(text: str, expected: str) -> None:
    assert markdown_escape(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b & 50 %", r"a\_b \& 50 \%"),
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("$x^2$ ~ #", r"\$x\textasciicircum{}2\$ \textasciitilde{} \#"),
        ("1.0 ± 0.1 [0.8, 1.2] *", r"1.0 $\pm$ 0.1 [0.8, 1.2] $^{\ast}$"),
        ("a\nb", "a b"),
    ],
)
def test_latex_escape(text: str, expected: str) -> None:
    assert latex_escape(text) == expected


def test_markdown_and_latex_tables_have_every_cell(run: Path) -> None:
    markdown = (run / "report" / "scores.md").read_text("utf-8")
    rows = [line for line in markdown.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 * (2 + len(SYSTEMS))
    assert {row.count("|") for row in rows} == {7}
    latex = (run / "report" / "scores.tex").read_text("utf-8")
    lines = [line for line in latex.splitlines() if line.endswith(r"\\")]
    assert len(lines) == 2 * (1 + len(SYSTEMS))
    assert {line.count("&") for line in lines} == {5}
    assert latex.count(r"\toprule") == latex.count(r"\midrule") == latex.count(r"\bottomrule") == 2


def test_text_table_says_synthetic() -> None:
    predictions = make_predictions(systems=ONE)
    assert "Synthetic recordings" in scores_on_a_terminal(predictions, ["toy"])
    assert "Synthetic" not in scores_on_a_terminal(predictions, ["other"])


def test_text_table_is_aligned() -> None:
    text = scores_on_a_terminal(make_predictions(protocols=2))
    tables = [block.splitlines() for block in text.split("\n\n") if "─" in block]
    assert len(tables) == 2
    for head, rule, *rows in tables:
        assert len(rows) == len(SYSTEMS)
        place = head.index("Classifier")
        assert rule[place - 1] == " "
        assert {row[place - 1] for row in rows} == {" "}
        assert {row.index("[") for row in rows} == {rows[0].index("[")}
        assert {row.index("]") for row in rows} == {rows[0].index("]")}


def test_the_best_row_and_its_ties_are_marked_and_a_single_row_is_not() -> None:
    predictions = make_predictions()
    table, pairs = interval_table(predictions), comparison_table(predictions)
    (section,) = sections(table, pairs=pairs)
    uar = table["unweighted_average_recall"]
    best = table.loc[uar.idxmax(), ["encoders", "classifier"]].tolist()
    own = pairs[pairs["score"] == "unweighted_average_recall"]
    for cell, (_, row) in zip([r.cells[1] for r in section.rows], table.iterrows(), strict=True):
        name = row[["encoders", "classifier"]].tolist()
        p = [
            pair["p_holm"]
            for pair in own.to_dict("records")
            for a, b in ((best, name), (name, best))
            if [pair["encoders_a"], pair["classifier_a"]] == a
            and [pair["encoders_b"], pair["classifier_b"]] == b
        ]
        assert cell.best == (name == best or p[0] > 0.05)
    assert [row.cells[1].best for row in section.rows] == [False, False, True, True]
    assert "12 speakers, corrected by Holm for the 6 pairs" in section.notes[-1]
    (alone,) = sections(table.iloc[:1], pairs=pairs.iloc[:0])
    assert not any(cell.best for cell in alone.rows[0].cells)
    assert not any("highest" in note for note in alone.notes)


def test_without_a_test_only_the_highest_row_and_its_equals_are_marked() -> None:
    predictions = make_predictions(speakers=0, takes=24, systems=SYSTEMS[:3])
    table = interval_table(predictions.assign(speaker="the only one"))
    table["accuracy"] = [0.41, 0.43, 0.43]
    pairs = comparison_table(predictions.assign(speaker="the only one"))
    assert pairs["p_holm"].isna().all()
    assert best_rows(table, pairs)["accuracy"].tolist() == [False, True, True]
    (section,) = sections(table, pairs=pairs)
    assert "No test could be made" in section.notes[-1]
    assert section.rows[0].cells[0].text == "41.0"
    assert section.basis.startswith("Percent, without interval: one speaker; 5 folds (1 seed)")


def test_rows_that_were_not_tested_against_the_highest_are_not_called_worse() -> None:
    predictions = make_predictions()
    assert all("not tested" not in note for note in _notes(predictions))
    own = predictions["classifier"] == "reno"
    other = predictions[own & (predictions["clip"] != predictions["clip"].iloc[0])]
    assert "not tested against the highest" in _notes(pd.concat([predictions[~own], other]))[-1]


def _notes(predictions: pd.DataFrame) -> list[str]:
    (section,) = sections(interval_table(predictions), pairs=comparison_table(predictions))
    return section.notes


def test_clips_are_the_units_where_speakers_are_unknown(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path / "run", emotions=3, speakers=0, systems=SYSTEMS[:2])
    text = Page(write_report(folder)).text
    assert "95 % interval over 72 clips, as not every speaker is known" in text
    assert "over the same 72 clips, corrected by Holm for the one pair of the table" in text


def test_a_single_fold_has_an_interval_too() -> None:
    (section,) = sections(interval_table(make_predictions(folds=1, systems=ONE)))
    assert section.rows[0].cells[0].interval
    assert section.basis.startswith("Percent [95 % interval over 12 speakers]; 1 fold (1 seed)")


def test_aligned() -> None:
    text = aligned(["name", "x"], [["a", "10"], ["bcdef", "9"]], names=1)
    assert text.splitlines() == ["name    x", "─────  ──", "a      10", "bcdef   9"]


# ------------------------------------------------------------------------------------ figures


def test_a_dollar_sign_is_a_dollar_sign() -> None:
    counts = np.array([[3, 1], [0, 4]])
    figure = confusion_figure(counts, ["$a_b$", "$\\frac$"], "$\\alpha$")
    svg = as_svg(figure).decode()
    assert {"$a_b$", "$\\frac$", "$\\alpha$"} <= set(
        re.findall(r">([^<>\n ]+)(?:  \(4\))?</text>", svg)
    )


def test_confusion_figure_prints_percent_and_counts() -> None:
    svg = as_svg(confusion_figure(np.array([[30, 10], [0, 1500]]), ["a", "b"], "t")).decode()
    texts = re.findall(r">([^<>\n]+)</text>", svg)
    assert {"75", "30", "25", "10", "100", "1,500", "a (40)", "b (1,500)"} <= {
        re.sub(r"\s+", " ", t) for t in texts
    }


@pytest.mark.parametrize("emotions", [2, 10, 11, 30])
def test_projection_figure_shows_every_emotion(emotions: int) -> None:
    names = [f"emotion{i}" for i in range(emotions)]
    rng = np.random.default_rng(0)
    points = pd.DataFrame(
        {"x": rng.normal(size=90), "y": rng.normal(size=90), "emotion": (names * 90)[:90]}
    )
    figure = projection_figure(points, names, "title")
    svg = as_svg(figure).decode()
    assert all(f">{name}<" in svg for name in names)


@pytest.mark.parametrize("ends", [LIGHT, DARK], ids=["light", "dark"])
def test_recalls_are_readable_on_every_shade(ends: tuple[str, str]) -> None:
    for step in range(STEPS + 1):
        shade = mix(*ends, step / STEPS)
        assert max(contrast(ink, shade) for ink in INKS) >= 4.5  # WCAG 2, level AA


# --------------------------------------------------------------------------- the command line


def call(capfd: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        nver.cli.main(["report", *args])
    out, err = capfd.readouterr()
    return int(stop.value.code or 0), out, err


def test_command_prints_markdown_and_says_where_the_page_is(
    capfd: pytest.CaptureFixture[str], small: Path
) -> None:
    code, out, err = call(capfd, str(small))
    assert code == 0, err
    assert out.rstrip() == (small / "report" / "scores.md").read_text("utf-8").rstrip()
    assert f"report: {small / 'report' / 'index.html'}" in err


def test_command_for_a_machine(capfd: pytest.CaptureFixture[str], small: Path) -> None:
    _, out, _ = call(capfd, str(small), "--json")
    summary = json.loads(out)
    assert Path(summary["report"]).is_file()
    (row,) = summary["scores"]
    assert row["classifier"] == "fcn"
    assert 0 < row["unweighted_average_recall"] < 1


@pytest.mark.parametrize(
    ("file", "code", "words"),
    [("predictions.csv", 1, "did not end"), (".", 2, "no such folder")],
)
def test_command_says_what_is_wrong(
    capfd: pytest.CaptureFixture[str], small: Path, file: str, code: int, words: str
) -> None:
    if file == ".":
        shutil.rmtree(small)
    else:
        (small / file).unlink()
    got, out, err = call(capfd, str(small))
    assert (got, out) == (code, "")
    assert words in err
    assert "Traceback" not in err


def test_a_long_title_of_a_small_matrix_is_not_cut() -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from nver.report.figures.plots import confusion_figure

    figure = confusion_figure(np.eye(2, dtype=np.int64), ["a", "b"], "wide words " * 6)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    *_, title = figure.texts
    assert title.get_window_extent(canvas.get_renderer()).x1 <= canvas.get_width_height()[0]
