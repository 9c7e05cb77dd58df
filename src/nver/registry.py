"""Corpora, encoders and classifiers by name, as "module:attribute", imported on first use.

A package of your own adds to it by an entry point of the group `nver.corpora`, `nver.encoders`
or `nver.classifiers`, for example in its pyproject.toml::

    [project.entry-points."nver.encoders"]
    my-encoder = "my_package.my_module:MY_ENCODER"
"""

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from nver.errors import UsageError, unknown_name

VERSION = "0.1.0"  # of nver

CORPORA = {
    "emogator": "nver.corpora.published.emogator:EMOGATOR",
    "vivae": "nver.corpora.published.vivae:VIVAE",
    "jnv": "nver.corpora.published.jnv:JNV",
    "asvp-esd": "nver.corpora.published.asvp_esd:ASVP_ESD",
    "crema-d": "nver.corpora.published.crema_d:CREMA_D",
    "emodb": "nver.corpora.published.emodb:EMODB",
    "ravdess": "nver.corpora.published.ravdess:RAVDESS",
    "synthetic": "nver.corpora.synthetic.corpus:SYNTHETIC",
    "folder": "nver.corpora.own.folder:FOLDER",
    "table": "nver.corpora.own.table:TABLE",
    "audformat": "nver.corpora.own.audformat:AUDFORMAT",
    "audiofolder": "nver.corpora.own.audiofolder:AUDIOFOLDER",
}

ENCODERS = {
    "wavlm-base": "nver.encoders.attention.hub_models:WAVLM_BASE",
    "unispeech-sat-base": "nver.encoders.attention.hub_models:UNISPEECH_SAT_BASE",
    "wav2vec2-base": "nver.encoders.attention.hub_models:WAV2VEC2_BASE",
    "hubert-base": "nver.encoders.attention.hub_models:HUBERT_BASE",
    "mms-1b": "nver.encoders.attention.hub_models:MMS_1B",
    "voc2vec": "nver.encoders.attention.hub_models:VOC2VEC",
    "voc2vec-hubert-ls-pt": "nver.encoders.attention.hub_models:VOC2VEC_HUBERT_LS_PT",
    "transformers": "nver.encoders.attention.hub_models:TRANSFORMERS",
    "nver-mamba": "nver.encoders.audio_mamba.nver_mamba:NVER_MAMBA",
    "audio-mamba-tiny": "nver.encoders.audio_mamba:AUDIO_MAMBA_TINY",
    "audio-mamba-small": "nver.encoders.audio_mamba:AUDIO_MAMBA_SMALL",
    "audio-mamba-base": "nver.encoders.audio_mamba:AUDIO_MAMBA_BASE",
    "x-vector": "nver.encoders.speakers.speaker_models:X_VECTOR",
    "ecapa": "nver.encoders.speakers.speaker_models:ECAPA",
    "d-vector": "nver.encoders.speakers.speaker_models:D_VECTOR",
    "yamnet": "nver.encoders.yamnet:YAMNET",
    "soundstream": "nver.encoders.codecs.soundstream:SOUNDSTREAM",
    "encodec-24khz": "nver.encoders.codecs.neural_codecs:ENCODEC_24KHZ",
    "dac-16khz": "nver.encoders.codecs.neural_codecs:DAC_16KHZ",
    "mimi": "nver.encoders.codecs.neural_codecs:MIMI",
    "logmel-stats": "nver.encoders.weightless.logmel_stats:LOGMEL_STATS",
    "prosody-stats": "nver.encoders.weightless.prosody_stats:PROSODY_STATS",
    "duration-level": "nver.encoders.weightless.duration_level:DURATION_LEVEL",
    "sound-print": "nver.encoders.weightless.sound_print:SOUND_PRINT",
    "recording-traits": "nver.encoders.weightless.recording_traits:RECORDING_TRAITS",
}

CLASSIFIERS = {
    "linear": "nver.classifiers.heads:LINEAR",
    "fcn": "nver.classifiers.heads:FCN",
    "cnn": "nver.classifiers.heads:CNN",
    "concat": "nver.classifiers.concat:CONCAT",
    "reno": "nver.classifiers.reno:RENO",
    "hyfuse": "nver.classifiers.hyfuse:HYFUSE",
    "late-average": "nver.classifiers.late_average:LATE_AVERAGE",
    "cross-attention": "nver.classifiers.cross_attention:CROSS_ATTENTION",
}

KINDS = {"corpora": CORPORA, "encoders": ENCODERS, "classifiers": CLASSIFIERS}
_SINGULAR = {"corpora": "corpus", "encoders": "encoder", "classifiers": "classifier"}


@cache
def targets(kind: str) -> dict[str, str]:
    """name -> "module:attribute" of a kind, built-in ones first; no plug-in replaces one."""
    from importlib.metadata import entry_points

    found = dict(KINDS[kind])
    for point in entry_points(group=f"nver.{kind}"):
        found.setdefault(point.name, point.value)
    return found


def names(kind: str) -> list[str]:
    """The known names of a kind ("corpora", "encoders" or "classifiers")."""
    return list(targets(kind))


@cache
def lookup(kind: str, name: str) -> Any:
    """The object with this name; an unknown name is a `UsageError` that suggests the nearest."""
    if not isinstance(name, str):
        raise UsageError(f"expected the name of a known {_SINGULAR[kind]}, got {name!r}")
    known = targets(kind)
    if name not in known:
        raise unknown_name(_SINGULAR[kind], name, known)
    module, _, attribute = known[name].partition(":")
    return getattr(import_module(module), attribute)


def on_first_use(package: str, places: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """The `__getattr__` of a package (PEP 562) that imports a name when it is first asked for.

    Args:
        package: its `__name__`.
        places: module -> the names that it has.
    """
    place_of = {name: place for place, names in places.items() for name in names}

    def find(name: str) -> Any:
        if name not in place_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(place_of[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return find


# Modules of version 0.1 that others may import, and where they are now.
RENAMED = {
    "nver.calibration": "nver.results.calibration",
    "nver.comparison": "nver.results.comparison",
    "nver.downstream": "nver.classifiers",
    "nver.downstream.base": "nver.classifiers.base",
    "nver.downstream.poincare": "nver.classifiers.layers.poincare",
    **{
        f"nver.downstream.{name}": f"nver.classifiers.{name}"
        for name in ("heads", "concat", "reno", "hyfuse", "late_average", "cross_attention")
    },
    **{
        f"nver.downstream.{name}": f"nver.classifiers.layers.{name}"
        for name in ("attention", "blocks", "convolution")
    },
    "nver.downstream.dropped": "nver.classifiers.layers.drop_attention",
    "nver.downstream.divergence": "nver.classifiers.losses.divergence",
    "nver.downstream.scaling": "nver.classifiers.training.scaling",
    "nver.experiment": "nver.recipe",
    "nver.extraction": "nver.embeddings.extraction",
    "nver.families": "nver.recipe.families",
    "nver.folds": "nver.evaluation.folds.fold_assignment",
    "nver.gaps": "nver.results.speaker_gap",
    "nver.metrics": "nver.results.metrics",
    "nver.predictions": "nver.evaluation.run_folder.predictions",
    "nver.predictor": "nver.models.predictor",
    "nver.pretraining": "nver.models.pretraining",
    "nver.resampling": "nver.results.resampling",
    "nver.subgroups": "nver.results.subgroups",
    "nver.teaching": "nver.models.train",
    "nver.training": "nver.classifiers.training.loop",
    "nver.uncertainty": "nver.results.uncertainty",
}


class RenamedModules(Loader, MetaPathFinder):
    """Imports a module of `RENAMED` under its old name, with a warning that names the new one."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in RENAMED else None

    def exec_module(self, module: ModuleType) -> None:
        new = RENAMED[module.__name__]
        warnings.warn(f"{module.__name__} is now {new}", DeprecationWarning, stacklevel=2)
        sys.modules[module.__name__] = import_module(new)
