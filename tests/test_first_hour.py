"""The first hour: a path is a corpus, a recipe to begin with, what comes next, how far it is."""

import json
import os
import re
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import nver
import nver.cli
from nver.classifiers.training.config import TrainingConfig
from nver.corpora.finding import find_corpus, safe_name
from nver.errors import NverError, UsageError
from nver.machine import counting, installation, surroundings
from nver.machine.counting import Count, counted
from nver.recipe import parse_experiment
from nver.recipe.reading import read_experiment

FEW = ("--set", "training.epochs=1", "--set", "folds.number=2", "--workers", "1")
SMALL = ("training.epochs=1", "folds.number=2", 'encoders=["logmel-stats"]',
         'classifiers=["linear"]')  # fmt: skip
PATTERN = "speaker_pattern=(synthetic[0-9]+)_"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of three synthetic speakers: a folder, a table, an audiofolder, odd names."""
    place = tmp_path_factory.mktemp("made")
    corpus = nver.load_corpus("synthetic", place / "sounds", speakers=3, clips_per_sound=4)
    table = corpus.table[["file", "emotion", "speaker"]]
    table.to_csv(place / "clips.csv", index=False)
    for folder in ("bursts", "my häuser & töne", "jnv", "table"):
        for row in table.itertuples():
            (place / folder / str(row.emotion)).mkdir(parents=True, exist_ok=True)
            shutil.copy(str(row.file), place / folder / str(row.emotion))
    shutil.copytree(place / "sounds", place / "hub")
    relative = table.assign(file=[os.path.relpath(f, place / "sounds") for f in table["file"]])
    relative.rename(columns={"file": "file_name"}).to_csv(place / "hub/metadata.csv", index=False)
    return place


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with these recordings in it."""
    for entry in made.iterdir():
        (tmp_path / entry.name).symlink_to(entry)
    monkeypatch.chdir(tmp_path)
    return tmp_path


Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Call:
    def run(*args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            nver.cli.main(list(args))
        out, err = capfd.readouterr()
        return int(stop.value.code or 0), out, err

    return run


# --- a word for a corpus


@pytest.mark.parametrize(
    ("word", "name", "noted"),
    [
        ("bursts", "bursts", ""),
        ("bursts/", "bursts", ""),
        ("./bursts", "bursts", ""),
        ("bursts/../bursts", "bursts", ""),
        ("clips.csv", "clips", ""),
        ("my häuser & töne", "my-häuser-töne", ""),
        ("table", "table-recordings", ""),
        ("synthetic", "synthetic", ""),
        ("jnv", "jnv", "taken as the known corpus; for the folder here write ./jnv"),
        ("./jnv", "jnv-recordings", "if they are jnv: jnv --root ./jnv"),
    ],
)
def test_a_path_is_a_corpus_called_as_its_folder(
    here: Path, word: str, name: str, noted: str
) -> None:
    place = find_corpus(word)
    assert (place.name, noted in place.note, bool(place.note)) == (name, True, bool(noted))
    assert (place.root is None) == (word in ("synthetic", "jnv"))
    assert find_corpus("mine", Path(word)) == ("mine", Path(word), "")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/b c", "b-c"),
        ("a/../../x", "x"),
        ("a/v1.2", "v1-2"),
        ("a/---", "recordings"),
        ("a/e\u0301te", "éte"),
        ("/", "recordings"),
        ("a/" + "x" * 200, "x" * 64),
        ("a/runs; rm -rf", "runs-rm--rf"),
    ],
)
def test_a_name_is_safe_for_files(path: str, name: str) -> None:
    assert safe_name(Path(path)) == name


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["corpus", "burst"], "did you mean the folder ./bursts?"),
        (["corpus", "jnw"], "did you mean 'jnv' or the folder ./jnv?"),
        (["corpus", "ravdes"], "did you mean 'ravdess'?"),
        (["corpus", "qqqq"], "or give the path of a folder or table of your recordings"),
        (["corpus", "clip.csv"], "no such folder or table; did you mean ./clips.csv?"),
        (["corpus", "nowhere/x"], "no such folder or table, and no nowhere"),
        (["run", "burst"], "did you mean the folder ./bursts?"),
        (["extract", "burst", "--encoder", "logmel-stats"], "did you mean the folder ./bursts?"),
        (["train", "burst", "--out", "m"], "did you mean the folder ./bursts?"),
        (["init", "burst"], "did you mean the folder ./bursts?"),
        (["run", "bursts/laugh/x.wav"], "no such folder or table"),
        (["corpus", "./bursts", "--root", "hub"], "is a path, and a root is given too: hub"),
        (["bursts"], "nver corpus bursts, nver run bursts, nver predict bursts"),
        (["my häuser & töne"], "nver corpus 'my häuser & töne'"),
        (["r.toml"], "nver run r.toml"),
        (["run"], "nver run my-recordings"),
        (["corpus"], "nver corpus my-recordings"),
        (["run", "r.toml", "--root", "x"], "is a recipe, which names its corpora itself"),
        (["run", "r.toml", "--corpus-option", "a=b"], "is a recipe, which names its corpora"),
        (["run", "r.toml"], "give root='bursts', or in a recipe [roots] bursts = \"bursts\""),
        (["init", "bursts", "--out", "r.toml"], "r.toml is there already; --force"),
    ],
)
def test_a_slip_is_answered_with_what_is_near(
    here: Path, call: Call, args: list[str], said: str
) -> None:
    recipe = 'corpora = ["bursts"]\nencoders = ["logmel-stats"]\nclassifiers = ["linear"]\n'
    (here / "r.toml").write_text(recipe)
    code, _, err = call(*args)
    assert (code, said in err) == (2, True), err


def test_python_and_recipes_are_offered_the_root(here: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown corpus 'bursts'; a folder .* root='bursts'"):
        nver.load_corpus("bursts")
    with pytest.raises(NverError, match=r"jnv: no root was given.* give root='jnv'"):
        nver.load_corpus("jnv")
    (here / "sub").mkdir()
    (here / "sub/bursts").mkdir()  # beside the recipe, not in the current folder
    recipe = 'corpora = ["bursts"]\nencoders = ["logmel-stats"]\nclassifiers = ["linear"]\n'
    (here / "sub/r.toml").write_text(recipe)
    with pytest.raises(UsageError, match=re.escape('[roots] bursts = "bursts"')):
        read_experiment("sub/r.toml")


@pytest.mark.parametrize("word", ["bursts", "clips.csv", "hub", "synthetic"])
def test_the_default_recipe_is_what_the_readme_shows(here: Path, word: str) -> None:
    experiment = read_experiment(word, "training.epochs=3")
    assert list(experiment.encoders) == ["logmel-stats", "prosody-stats"]
    assert [c.name for c in experiment.classifiers] == ["linear", "cnn", "reno"]
    assert experiment.training.epochs == 3
    assert experiment.name == Path(word).stem


# --- the commands


def test_a_folder_runs_without_a_name_or_a_recipe(here: Path, call: Call) -> None:
    code, out, err = call("run", "bursts", "--corpus-option", PATTERN, *FEW)
    assert code == 0, err
    assert "bursts, speaker-independent folds" in out
    assert (here / "runs/bursts/report/index.html").exists()
    stages = ["corpus bursts: 72 clips, 6 emotions, 3 speakers", "extract: 0/72 clips",
              "extract: 72/72 clips", "train bursts, speaker-independent: 5 cell(s)",
              "train: 10/10 trainings", "report: 12/12 figures", "next: open "]  # fmt: skip
    places = [err.find(stage) for stage in stages]
    assert -1 not in places, err
    assert places == sorted(places), "a stage is said in its turn"
    code, _, err = call("train", "bursts", "--corpus-option", PATTERN, "--out", "m", "--set",
                        "training.epochs=1", "--workers", "1")  # fmt: skip
    assert code == 0, err
    assert "next: nver predict NEW-RECORDINGS --model m" in err


@pytest.mark.parametrize(
    ("word", "options", "found"),
    [
        ("bursts", [], '# corpora = [{name = "bursts", speaker_pattern = '),
        ("bursts", ["--corpus-option", PATTERN], "3 speakers"),
        ("clips.csv", [], "3 speakers"),
        ("hub", [], "3 speakers"),
        ("my häuser & töne", [], "my-häuser-töne"),
        ("./jnv", ["--corpus-option", PATTERN], "jnv-recordings"),
    ],
)
def test_the_first_recipe_runs_as_it_is(
    here: Path, call: Call, word: str, options: list[str], found: str
) -> None:
    code, _, err = call("init", word, *options, "--out", "first.toml")
    assert code == 0, err
    text = (here / "first.toml").read_text("utf-8")
    assert found in text
    assert "next: nver run first.toml" in err
    code, out, err = call("run", "first.toml", "--dry-run", "--workers", "1", "--json")
    assert code == 0, err
    assert json.loads(out)["to_do"]["cells"] == 5
    given, own = read_experiment("first.toml"), read_experiment(
        word, options=dict(o.split("=", 1) for o in options[1::2])
    )  # fmt: skip
    assert (given.corpora, given.classifiers) == (own.corpora, own.classifiers)


def test_every_line_of_the_first_recipe_may_be_used(here: Path, call: Call) -> None:
    """Each commented table is TOML, and its keys are known."""
    call("init", "clips.csv", "--out", "first.toml")
    text = (here / "first.toml").read_text("utf-8")
    tables = re.split(r"\n(?=#? ?\[)", text)
    used = [re.sub(r"^# (?=\[|\w+ = )", "", table, flags=re.MULTILINE) for table in tables]
    loud = "\n".join(used).replace("one = ", "all = ")
    tree = tomllib.loads(loud)
    assert {"filter", "families", "training", "stress", "folds", "roots"} <= set(tree)
    assert len(tree["encoders"]) > 10
    assert len(tree["classifiers"]) == 8
    tree["encoders"] = tree["encoders"][:2]
    experiment = parse_experiment(tree)
    assert experiment.stress.kinds == ("noise-10dB", "telephone")
    assert experiment.training.epochs == TrainingConfig().epochs


def test_the_first_recipe_of_a_corpus_that_nver_makes_has_no_root(here: Path, call: Call) -> None:
    few = ["--corpus-option", "speakers=2", "--corpus-option", "clips_per_sound=1"]
    assert call("init", "synthetic", *few)[0] == 0
    tree = tomllib.loads((here / "synthetic.toml").read_text("utf-8"))
    assert "roots" not in tree
    assert tree["corpora"] == [{"name": "synthetic", "speakers": 2, "clips_per_sound": 1}]


def test_a_table_of_one_name_is_not_written_over(here: Path, call: Call) -> None:
    assert call("init", "clips.csv")[0] == 0
    (here / "clips.toml").write_text("mine")
    assert call("init", "clips.csv")[0] == 2
    assert (here / "clips.toml").read_text() == "mine"
    assert call("init", "clips.csv", "--force")[0] == 0
    assert (here / "clips.toml").read_text() != "mine"


NEXT = {
    "corpus bursts": "next: nver run bursts\n  or: nver init bursts\n",
    f"corpus bursts --corpus-option {PATTERN}": f"nver run bursts --corpus-option '{PATTERN}'",
    "extract bursts --encoder logmel-stats --store s": "next: nver run bursts --set store=s\n",
    "extract bursts --encoder duration-level": "next: nver init bursts\n",
    "run bursts --dry-run": "next: nver run bursts\n",
    "list encoders": "next: nver extract FOLDER --encoder NAME\n",
    "list corpora": "next: nver corpus NAME --root DIR\n",
    "list classifiers": "next: nver init FOLDER\n",
    "predict bursts/laugh": "next: nver predict bursts/laugh --csv answers.csv\n",
    "predict bursts/cry --csv a.csv": "next: nver train FOLDER --out MODEL\n",
    "doctor": "next: nver demo\n",
    "init bursts": "next: nver run bursts.toml\n",
}


@pytest.mark.parametrize("command", NEXT)
def test_a_command_ends_with_the_next_one(here: Path, call: Call, command: str) -> None:
    code, out, err = call(*command.split())
    assert code == 0, err
    assert NEXT[command] in err
    assert "next: " not in out
    if command.startswith("init"):
        command += " --force"
    _, out, err = call(*command.split(), "--json")
    json.loads(out)
    assert "next: " not in err, "a program asked"


@pytest.mark.parametrize(
    "args",
    [
        ["corpus"],
        ["extract", "--encoder", "logmel-stats"],
        ["run", *FEW, "--set", SMALL[2], "--set", SMALL[3]],
        ["init"],
        ["train", "--out", "m", *FEW[:2], "--workers", "1"],
    ],
)
def test_the_warnings_of_a_corpus_are_shown_by_all(
    here: Path, call: Call, monkeypatch: pytest.MonkeyPatch, args: list[str]
) -> None:
    from dataclasses import replace

    load = nver.corpora._load

    def warned(*given: object) -> nver.Corpus:
        return replace(load(*given), warnings=("beware of the dog",))  # type: ignore[arg-type]

    monkeypatch.setattr("nver.corpora._load", warned)
    code, _, err = call(args[0], "bursts", *args[1:])
    assert code == 0, err
    assert re.search("warning: (bursts: )?beware of the dog", err)


@pytest.mark.parametrize("word", ["jnv", "./jnv"])
@pytest.mark.parametrize("command", [["corpus"], ["run", "--dry-run"], ["init"]])
def test_what_is_taken_is_said_where_a_word_could_mean_two(
    here: Path, call: Call, command: list[str], word: str
) -> None:
    code, _, err = call(command[0], word, *command[1:])
    assert f"note: {find_corpus(word).note}" in err
    assert code == int(word == "jnv"), "the known corpus has no root, the folder needs none"


def test_help_is_a_command_too(call: Call) -> None:
    assert call("help") == call("--help")
    assert call("help", "run") == call("run", "--help")
    commands = [*nver.cli.COMMANDS]
    assert commands[:5] == ["demo", "corpus", "run", "init", "doctor"]


# --- how far it is


def test_lines_come_at_the_begin_and_end_and_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(counting.time, "monotonic", lambda: now[0])
    for _ in counted(range(6), "train", 6, "cell", True):
        now[0] += 4.0
    lines = ["train: 0/6 cells", "train: 4/6 cells", "train: 6/6 cells"]
    assert capsys.readouterr().err.splitlines() == lines


@pytest.mark.parametrize(
    ("total", "initial", "brief", "lines"),
    [
        (0, 0, False, []),
        (1, 1, False, ["s: 1/1 clip"]),
        (2000, 0, False, ["s: 0/2,000 clips", "s: 1/2,000 clips"]),
        (5, 0, True, []),
    ],
)
def test_a_stage_says_no_more_than_it_must(
    capsys: pytest.CaptureFixture[str], total: int, initial: int, brief: bool, lines: list[str]
) -> None:
    with Count("s", total, "clip", True, initial=initial, brief=brief) as count:
        if initial < total:
            count.update()
    assert capsys.readouterr().err.splitlines() == lines


def test_a_terminal_has_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with Count("train", 2, "cell", True) as count:
        count.update(2)
        count.details({"loss": "0.1"})
    assert "train: 100%" in capsys.readouterr().err


def test_a_library_is_silent(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    nver.run("bursts", overrides=SMALL, workers=1)
    assert capfd.readouterr() == ("", "")


# --- the doctor


REQUIRES = [
    "numpy>=2.0",
    "no-such-package>=3",
    'soxr>=99.0; extra == "fast"',
    "nver-no-codec>=1; extra == 'media'",
    "click>=8.1; extra == 'small'",
    "nver[media]; extra == 'dev'",
]


def test_requirements_are_read_from_the_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "requires", lambda _: REQUIRES)
    faults = {name: [r.fault for r in own] for name, own in installation.extras().items()}
    assert list(faults) == ["fast", "media", "small"]
    assert re.match(r"soxr [\d.]+ is older than 99.0", faults["fast"][0])
    assert faults["media"] == ["nver-no-codec is missing"]
    assert faults["small"] == [""]
    assert not installation.extra_is_here("media")
    assert installation.numbers("2.10.1+cpu") > installation.numbers("2.9")


def test_what_is_needed_and_missing_fails(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "requires", lambda _: REQUIRES)
    code, out, err = call("doctor")
    assert code == 1
    assert "broken: no-such-package is missing: pip install 'no-such-package>=3'" in err
    assert 'nver-no-codec is missing: pip install "nver[media]"' in out
    assert "next:" not in err


def test_an_extra_that_is_missing_is_no_failure(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "requires", lambda _: [REQUIRES[0], *REQUIRES[2:]])
    code, out, _ = call("doctor", "--json")
    assert code == 0
    found = {extra["name"]: extra for extra in json.loads(out)["extras"]}
    assert found["media"] == {
        "name": "media",
        "missing": ["nver-no-codec is missing"],
        "install": 'pip install "nver[media]"',
    }


def test_the_doctor_needs_no_torch_and_leaves_nothing(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(surroundings, "find_spec", lambda _: None)
    code, out, _ = call("doctor", "--store", str(tmp_path / "s"))
    assert code == 0
    assert "none that torch can use" in out
    assert f"{tmp_path / 's'}: not there yet" in out
    assert "HF_HUB_OFFLINE is set: nothing is fetched" in out
    assert [*tmp_path.iterdir()] == []


def test_a_folder_that_cannot_be_written_fails(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(surroundings, "TemporaryFile", refused)
    code, out, err = call("doctor")
    assert (code, "CANNOT BE WRITTEN" in out) == (1, True)
    assert "cannot be written; set NVER_CACHE to another folder" in err


def test_a_model_that_is_damaged_fails(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged() -> None:
        raise NverError("config.json: damaged")

    monkeypatch.setattr("nver.models.check_up.load_predictor", damaged)
    code, _, err = call("doctor")
    assert (code, "the model that comes with nver cannot be loaded: config.json" in err) == (1, 1)
