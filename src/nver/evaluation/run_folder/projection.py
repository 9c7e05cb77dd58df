"""Two dimensions of an embedding for the eye: t-SNE (van der Maaten and Hinton, 2008)."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler

from nver.machine.threads import one_thread

MOST_CLIPS = 3000  # our choice: more points are slower to place and no easier to read
FEWEST_CLIPS = 5  # fewer have no neighbourhood to show
DIMENSIONS_BEFORE = 50  # PCA first, as the authors advise


def project(
    embeddings: npt.NDArray[np.float32], clip: "pd.Series[Any]", seed: int = 0
) -> pd.DataFrame:
    """t-SNE coordinates of at most 3,000 clips, drawn at random by `seed`.

    Returns:
        one row a clip drawn: `clip`, `x`, `y`. No emotion is used: the picture is unsupervised.
    """
    if len(embeddings) < FEWEST_CLIPS:
        return pd.DataFrame({"clip": [], "x": [], "y": []})
    chosen = np.arange(len(embeddings))
    if len(chosen) > MOST_CLIPS:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, MOST_CLIPS, replace=False))
    with one_thread():
        rows = StandardScaler().fit_transform(embeddings[chosen].astype(np.float64))
        kept = min(DIMENSIONS_BEFORE, *rows.shape)
        rows = PCA(kept, random_state=seed).fit_transform(rows)
        perplexity = min(30.0, max(2.0, (len(chosen) - 1) / 3))  # 30: sklearn's default
        points = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(rows)
    return pd.DataFrame({"clip": clip.to_numpy()[chosen], "x": points[:, 0], "y": points[:, 1]})
