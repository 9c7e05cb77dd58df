"""What emotions are confused, and what a grouping into families is worth, from a run's predictions.

    python experiments/families.py RUN [GROUPING]

RUN is the folder of `nver run experiments/families.toml`; GROUPING is a name of
`nver.recipe.families` (default emogator). Prints, for the mean of the run's systems: the pairs most
confused, the UAR of the grouping, and what moving one emotion to another family would change.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from nver.evaluation.run_folder.predictions import PROBABILITY_PREFIX, emotions_of, read_predictions
from nver.recipe.families import membership, read_families
from nver.results.calibration import temperatures_of, tempered
from nver.results.metrics import codes_of, confusion_matrix, systems, unweighted_average_recall

SHOWN = 25


def families_uar(
    probability: npt.NDArray[np.floating],
    truth: npt.NDArray[np.integer],
    emotions: Sequence[str],
    families: Mapping[str, Sequence[str]],
) -> float:
    """The mean over families of the share of their clips that are given one of their emotions.

    Args:
        probability: (clips, emotions), calibrated; a family's is the sum of its emotions'.
        truth: (clips,) places in `emotions`.
    """
    members = membership(families, emotions)
    home, given = members.argmax(axis=1)[truth], (probability @ members).argmax(axis=1)
    return unweighted_average_recall([str(h) for h in home], [str(g) for g in given])


def confused_pairs(
    confusion: npt.NDArray[np.integer], emotions: Sequence[str]
) -> list[tuple[float, str, str]]:
    """(how often the one is taken for the other or back, share of clips, their names), falling."""
    share = confusion / confusion.sum(axis=1, keepdims=True)
    both = (share + share.T) / 2
    pairs = [
        (float(both[i, j]), emotions[i], emotions[j])
        for i in range(len(emotions))
        for j in range(i + 1, len(emotions))
    ]
    return sorted(pairs, reverse=True)


def mean_probability(predictions: pd.DataFrame) -> tuple[list[str], np.ndarray, np.ndarray]:
    """(emotions, truth as their places (clips,), calibrated probability (clips, emotions))."""
    emotions = emotions_of(predictions)
    columns = [f"{PROBABILITY_PREFIX}{emotion}" for emotion in emotions]
    found = []
    for _, rows in systems(predictions):
        rows = rows.sort_values("clip")
        found.append(tempered(rows[columns].to_numpy(float), temperatures_of(rows)))
    return emotions, codes_of(rows["emotion"].to_numpy(object), emotions), np.mean(found, axis=0)


def main() -> None:
    run, name = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "emogator"
    emotions, truth, probability = mean_probability(read_predictions(run / "predictions.csv"))
    names = np.array(emotions)
    counts = confusion_matrix(list(names[truth]), list(names[probability.argmax(1)]), emotions)
    print("share taken for each other, mean of both directions")
    for share, one, other in confused_pairs(counts, emotions)[:SHOWN]:
        print(f"  {share:.3f}  {one} - {other}")
    families = read_families(name)
    score = families_uar(probability, truth, emotions, families)
    print(f"family UAR {score:.4f}, chance {1 / len(families):.3f}")
    moves = []
    for home, own in families.items():
        for emotion in own if len(own) > 1 else ():
            for other in (family for family in families if family != home):
                moved = {f: [e for e in es if e != emotion] for f, es in families.items()}
                moved[other].append(emotion)
                new = families_uar(probability, truth, emotions, moved)
                moves.append((new - score, emotion, other))
    print("one emotion moved:")
    for gain, emotion, other in sorted(moves, reverse=True)[:SHOWN]:
        print(f"  {gain:+.4f}  {emotion} to {other}")


if __name__ == "__main__":
    main()
