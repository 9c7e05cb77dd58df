"""Some clips of a prepared corpus: everything that has a row a clip is cut alike."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nver.corpora import Corpus, card_of
from nver.evaluation import Stressed
from nver.evaluation.prepared_corpus import PreparedCorpus


def prepared(name: str, emotions: list[str], first: int) -> PreparedCorpus:
    """A clip of each emotion; the embedding, the print and the stress of a clip are its number."""
    clips = pd.DataFrame({"clip": [f"{name}{i}" for i in range(len(emotions))]})
    clips["emotion"] = emotions
    number = np.arange(first, first + len(emotions), dtype=np.float32)[:, None]
    return PreparedCorpus(
        Corpus(name, card_of("folder"), Path("."), clips, pd.DataFrame()),
        clips,
        sorted(set(emotions)),
        {"e": number},
        {},
        np.array([0, 1, 0, 2, 3])[: len(emotions)],
        number,
        {"noise": Stressed(np.array([1, 2]), {"e": number[1:3]})},
    )


@pytest.fixture
def corpus() -> PreparedCorpus:
    return prepared("a", ["cry", "laugh", "cry", "sigh", "laugh"], 0)


def described(corpus: PreparedCorpus) -> list[object]:
    noise = corpus.stress["noise"]
    assert np.array_equal(corpus.embeddings["e"], corpus.prints)
    assert np.array_equal(corpus.embeddings["e"][noise.rows], noise.embeddings["e"])
    return [
        corpus.clips["clip"].tolist(),
        corpus.emotions,
        corpus.prints[:, 0].tolist(),
        noise.rows.tolist(),
    ]


def test_some_rows(corpus: PreparedCorpus) -> None:
    found = described(corpus.with_rows(np.array([0, 2, 3])))
    assert found == [["a0", "a2", "a3"], ["cry", "sigh"], [0, 2, 3], [1]]


def test_a_recording_twice_is_no_more_data(corpus: PreparedCorpus) -> None:
    assert corpus.without_repeats(np.arange(5)).tolist() == [0, 1, 3, 4]
    assert corpus.without_repeats(np.array([1, 2, 3])).tolist() == [1, 2, 3]


def test_other_names_for_emotions_keep_only_what_they_name(corpus: PreparedCorpus) -> None:
    found = corpus.relabelled({"laugh": "joy", "sigh": "relief"})
    assert described(found) == [["a1", "a3", "a4"], ["joy", "relief"], [1, 3, 4], [0]]
    assert found.clips["emotion"].tolist() == ["joy", "relief", "joy"]


def test_after_the_clips_of_another_corpus_its_own_are_under_stress(corpus: PreparedCorpus) -> None:
    found = corpus.after(prepared("b", ["moan", "cry", "cry"], 7))
    clips, emotions, numbers, rows = described(found)
    assert clips == ["b0", "b1", "b2", "a0", "a1", "a2", "a3", "a4"]
    assert emotions == ["cry", "moan", "laugh", "sigh"]
    assert (numbers, rows) == ([7, 8, 9, 0, 1, 2, 3, 4], [4, 5])
    assert (found.name, len(set(found.sounds))) == ("a", 8)
