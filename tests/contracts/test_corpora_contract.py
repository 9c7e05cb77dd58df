"""Every corpus of the registry keeps the contract of `nver.corpora.base`."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from nver import registry
from nver.corpora import Corpus, CorpusCard, card_of, load_corpus
from nver.corpora.base import COLUMNS, SKIPPED_COLUMNS

NAMES = registry.names("corpora")
EXAMPLES = {  # a good file, and one that is no clip
    "emogator": ("000001-01-1.wav", "x.wav"),
    "vivae": ("full_set/S01_fear_peak_01.wav", "x.wav"),
    "jnv": ("F1_sad_01_F.wav", "x.wav"),
    "asvp-esd": ("Audio/actor_02/03-02-04-01-01-02-02-01.wav", "x.wav"),
    "crema-d": ("1001_DFA_ANG_XX.wav", "x.wav"),
    "emodb": ("03a01Wa.wav", "x.wav"),
    "ravdess": ("03-01-01-01-01-01-01.wav", "x.wav"),
    "synthetic": ("synthetic01_laugh_01.wav", "x.wav"),
    "folder": ("joy/a.wav", "x.wav"),
    "audiofolder": ("train/joy/a.wav", "x.wav"),
}
TABLE = "file,emotion\na.wav,joy\ngone.wav,joy\n"


def one_clip_and_one_stray(root: Path, name: str) -> Path:
    """The least tree of a corpus; returns its root."""
    if ".published." in registry.CORPORA[name]:
        assert name in EXAMPLES, f"add a line for {name} to EXAMPLES"
    for file in EXAMPLES.get(name, ("a.wav",)):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    if name not in EXAMPLES:
        (root / "t.csv").write_text(TABLE)
        return root / "t.csv"
    return root


@pytest.fixture(params=NAMES)
def corpus(request: pytest.FixtureRequest, tmp_path: Path) -> Corpus:
    return load_corpus(request.param, one_clip_and_one_stray(tmp_path, request.param))


@pytest.mark.parametrize("name", NAMES)
def test_the_card_says_all_that_is_needed(name: str) -> None:
    card: CorpusCard = card_of(name)
    assert card.name == name
    for text in (card.title, card.citation, card.licence, card.url, card.speaker_is):
        assert text.strip()
        assert text == text.strip()


@pytest.mark.parametrize("name", NAMES)
def test_published_counts_agree_with_each_other(name: str) -> None:
    card: CorpusCard = card_of(name)
    assert len(set(card.emotions)) == len(card.emotions)
    if card.clips_per_emotion:
        assert sum(card.clips_per_emotion.values()) == card.clips
        assert tuple(card.clips_per_emotion) == card.emotions
    if card.variant is not None:
        changed = card.variant(card.options)
        for field in ("clips", "speakers", "clips_per_emotion"):
            declared = getattr(card, field)
            assert not declared or changed.get(field, declared) == declared


def test_the_table_has_the_columns_of_the_contract(corpus: Corpus) -> None:
    table = corpus.table
    assert tuple(table.columns[: len(COLUMNS)]) == COLUMNS
    assert len(table) == 1
    assert table["clip"].is_unique
    assert table["clip"].is_monotonic_increasing
    assert Path(table["file"][0]).is_absolute()
    assert Path(table["file"][0]).is_file()
    assert table["start"].dtype == table["end"].dtype == float
    for column in ("clip", "file", "emotion"):
        assert isinstance(table[column][0], str)
        assert table[column].str.len().min() > 0
    assert pd.isna(table["speaker"][0]) or isinstance(table["speaker"][0], str)


def test_what_is_no_clip_has_a_row_with_a_reason(corpus: Corpus) -> None:
    assert tuple(corpus.skipped.columns) == SKIPPED_COLUMNS
    assert len(corpus.skipped) == 1
    assert all(len(text) > 0 for text in corpus.skipped.iloc[0])
    assert Path(corpus.skipped["file"][0]).is_absolute()


def test_the_corpus_knows_itself(corpus: Corpus) -> None:
    assert corpus.card.name == corpus.name
    assert corpus.emotions == corpus.table["emotion"].tolist()
    assert not corpus.has_speakers
    assert isinstance(corpus.warnings, tuple)
    assert dict(corpus.left_out) == {}


def test_relative_roots_give_absolute_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_clip_and_one_stray(tmp_path, "emodb")
    monkeypatch.chdir(tmp_path)
    corpus = load_corpus("emodb", ".")
    assert corpus.table["file"][0] == str(tmp_path / "03a01Wa.wav")


def test_cards_are_read_without_the_heavy_packages() -> None:
    code = (
        "import sys; from nver import registry\n"
        "for name in registry.names('corpora'): registry.lookup('corpora', name)\n"
        "print([m for m in ('torch', 'transformers', 'pandas', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
