"""nver: emotion recognition from non-verbal voice.

The public names are imported on first use, so that `import nver` is fast and imports
neither torch nor transformers.
"""

import sys
from typing import TYPE_CHECKING

from nver.registry import RenamedModules, on_first_use

if TYPE_CHECKING:
    from nver.corpora import Corpus, load_corpus
    from nver.embeddings import EmbeddingStore
    from nver.embeddings.extraction import extract
    from nver.encoders import Encoder, load_encoder
    from nver.errors import NverError
    from nver.evaluation import cross_validate
    from nver.evaluation.folds.fold_assignment import make_folds
    from nver.models.model_folder import Model
    from nver.models.predictor import Prediction, Predictor, load_predictor
    from nver.models.train import train
    from nver.pipeline import Run, run
    from nver.recipe import Experiment
    from nver.recipe.reading import read_experiment

__version__ = "0.1.0"

_PUBLIC = {
    "Corpus": "nver.corpora",
    "load_corpus": "nver.corpora",
    "EmbeddingStore": "nver.embeddings",
    "Encoder": "nver.encoders",
    "load_encoder": "nver.encoders",
    "NverError": "nver.errors",
    "cross_validate": "nver.evaluation",
    "Experiment": "nver.recipe",
    "read_experiment": "nver.recipe.reading",
    "extract": "nver.embeddings.extraction",
    "make_folds": "nver.evaluation.folds.fold_assignment",
    "Run": "nver.pipeline",
    "run": "nver.pipeline",
    "train": "nver.models.train",
    "Model": "nver.models.model_folder",
    "Prediction": "nver.models.predictor",
    "Predictor": "nver.models.predictor",
    "load_predictor": "nver.models.predictor",
}

__all__ = [
    "Corpus",
    "EmbeddingStore",
    "Encoder",
    "Experiment",
    "Model",
    "NverError",
    "Prediction",
    "Predictor",
    "Run",
    "__version__",
    "cross_validate",
    "extract",
    "load_corpus",
    "load_encoder",
    "load_predictor",
    "make_folds",
    "read_experiment",
    "run",
    "train",
]


__getattr__ = on_first_use(__name__, _PUBLIC)
sys.meta_path.insert(0, RenamedModules())


def __dir__() -> list[str]:
    return sorted(__all__)
