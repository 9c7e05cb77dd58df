"""nver: emotion recognition from non-verbal voice.

The public names are imported on first use, so that `import nver` is fast and imports
neither torch nor transformers.
"""

import sys
from typing import TYPE_CHECKING

from nver.registry import VERSION, RenamedModules, on_first_use

if TYPE_CHECKING:
    from nver.corpora import Corpus as Corpus
    from nver.corpora import load_corpus as load_corpus
    from nver.embeddings import EmbeddingStore as EmbeddingStore
    from nver.embeddings.extraction import extract as extract
    from nver.encoders import Encoder as Encoder
    from nver.encoders import load_encoder as load_encoder
    from nver.errors import NverError as NverError
    from nver.evaluation import cross_validate as cross_validate
    from nver.evaluation.folds.fold_assignment import make_folds as make_folds
    from nver.models import Model as Model
    from nver.models.predictor import Prediction as Prediction
    from nver.models.predictor import Predictor as Predictor
    from nver.models.predictor import load_predictor as load_predictor
    from nver.models.train import train as train
    from nver.pipeline import Run as Run
    from nver.pipeline import run as run
    from nver.recipe import Experiment as Experiment
    from nver.recipe.reading import read_experiment as read_experiment

__version__ = VERSION

_PLACES = {
    "nver.corpora": ("Corpus", "load_corpus"),
    "nver.embeddings": ("EmbeddingStore",),
    "nver.embeddings.extraction": ("extract",),
    "nver.encoders": ("Encoder", "load_encoder"),
    "nver.errors": ("NverError",),
    "nver.evaluation": ("cross_validate",),
    "nver.evaluation.folds.fold_assignment": ("make_folds",),
    "nver.models": ("Model",),
    "nver.models.predictor": ("Prediction", "Predictor", "load_predictor"),
    "nver.models.train": ("train",),
    "nver.pipeline": ("Run", "run"),
    "nver.recipe": ("Experiment",),
    "nver.recipe.reading": ("read_experiment",),
}
__all__ = ["__version__", *sorted(name for names in _PLACES.values() for name in names)]

__getattr__ = on_first_use(__name__, _PLACES)
sys.meta_path.insert(0, RenamedModules())


def __dir__() -> list[str]:
    return sorted(__all__)
