"""nver: emotion recognition from non-verbal voice.

The public names are imported on first use, so that `import nver` is fast and imports
neither torch nor transformers.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nver.corpora import Corpus, load_corpus
    from nver.embeddings import EmbeddingStore
    from nver.encoders import Encoder, load_encoder
    from nver.errors import NverError
    from nver.evaluation import cross_validate
    from nver.experiment import Experiment
    from nver.extraction import extract
    from nver.folds import make_folds
    from nver.models import Model
    from nver.pipeline import Run, run
    from nver.predictor import Prediction, Predictor, load_predictor
    from nver.recipe import read_experiment
    from nver.teaching import train

__version__ = "0.1.0"

_PUBLIC = {
    "Corpus": "nver.corpora",
    "load_corpus": "nver.corpora",
    "EmbeddingStore": "nver.embeddings",
    "Encoder": "nver.encoders",
    "load_encoder": "nver.encoders",
    "NverError": "nver.errors",
    "cross_validate": "nver.evaluation",
    "Experiment": "nver.experiment",
    "read_experiment": "nver.recipe",
    "extract": "nver.extraction",
    "make_folds": "nver.folds",
    "Run": "nver.pipeline",
    "run": "nver.pipeline",
    "train": "nver.teaching",
    "Model": "nver.models",
    "Prediction": "nver.predictor",
    "Predictor": "nver.predictor",
    "load_predictor": "nver.predictor",
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


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562)."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'nver' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
