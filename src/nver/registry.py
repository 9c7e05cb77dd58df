"""What there is, by name: "module:attribute", imported on first use.

A package of your own adds to it by an entry point of the group `nver.corpora`, `nver.encoders`
or `nver.classifiers`, for example in its pyproject.toml::

    [project.entry-points."nver.encoders"]
    my-encoder = "my_package.my_module:MY_ENCODER"
"""

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from nver.errors import UsageError, unknown_name

CORPORA = {
    "emogator": "nver.corpora.emogator:EMOGATOR",
    "vivae": "nver.corpora.vivae:VIVAE",
    "jnv": "nver.corpora.jnv:JNV",
    "asvp-esd": "nver.corpora.asvp_esd:ASVP_ESD",
    "crema-d": "nver.corpora.crema_d:CREMA_D",
    "emodb": "nver.corpora.emodb:EMODB",
    "ravdess": "nver.corpora.ravdess:RAVDESS",
    "synthetic": "nver.corpora.synthetic:SYNTHETIC",
    "folder": "nver.corpora.folder:FOLDER",
    "table": "nver.corpora.table:TABLE",
    "audformat": "nver.corpora.audformat:AUDFORMAT",
    "audiofolder": "nver.corpora.audiofolder:AUDIOFOLDER",
}

ENCODERS = {
    "wavlm-base": "nver.encoders.transformers:WAVLM_BASE",
    "unispeech-sat-base": "nver.encoders.transformers:UNISPEECH_SAT_BASE",
    "wav2vec2-base": "nver.encoders.transformers:WAV2VEC2_BASE",
    "hubert-base": "nver.encoders.transformers:HUBERT_BASE",
    "mms-1b": "nver.encoders.transformers:MMS_1B",
    "voc2vec": "nver.encoders.transformers:VOC2VEC",
    "voc2vec-hubert-ls-pt": "nver.encoders.transformers:VOC2VEC_HUBERT_LS_PT",
    "transformers": "nver.encoders.transformers:TRANSFORMERS",
    "nver-mamba": "nver.encoders.nver_mamba:NVER_MAMBA",
    "audio-mamba-tiny": "nver.encoders.audio_mamba:AUDIO_MAMBA_TINY",
    "audio-mamba-small": "nver.encoders.audio_mamba:AUDIO_MAMBA_SMALL",
    "audio-mamba-base": "nver.encoders.audio_mamba:AUDIO_MAMBA_BASE",
    "x-vector": "nver.encoders.speakers:X_VECTOR",
    "ecapa": "nver.encoders.speakers:ECAPA",
    "d-vector": "nver.encoders.d_vector:D_VECTOR",
    "yamnet": "nver.encoders.yamnet:YAMNET",
    "soundstream": "nver.encoders.soundstream:SOUNDSTREAM",
    "encodec-24khz": "nver.encoders.neural_codecs:ENCODEC_24KHZ",
    "dac-16khz": "nver.encoders.neural_codecs:DAC_16KHZ",
    "mimi": "nver.encoders.neural_codecs:MIMI",
    "logmel-stats": "nver.encoders.logmel_stats:LOGMEL_STATS",
    "prosody-stats": "nver.encoders.prosody_stats:PROSODY_STATS",
    "duration-level": "nver.encoders.duration_level:DURATION_LEVEL",
    "sound-print": "nver.encoders.sound_print:SOUND_PRINT",
}

CLASSIFIERS = {
    "linear": "nver.downstream.heads:LINEAR",
    "fcn": "nver.downstream.heads:FCN",
    "cnn": "nver.downstream.heads:CNN",
    "concat": "nver.downstream.concat:CONCAT",
    "reno": "nver.downstream.reno:RENO",
    "hyfuse": "nver.downstream.hyfuse:HYFUSE",
    "late-average": "nver.downstream.late_average:LATE_AVERAGE",
    "cross-attention": "nver.downstream.cross_attention:CROSS_ATTENTION",
}

KINDS = {"corpora": CORPORA, "encoders": ENCODERS, "classifiers": CLASSIFIERS}
_SINGULAR = {"corpora": "corpus", "encoders": "encoder", "classifiers": "classifier"}


@cache
def targets(kind: str) -> dict[str, str]:
    """name -> "module:attribute" of a kind, the built-in ones first; a plug-in cannot hide one."""
    found = dict(KINDS[kind])
    for point in entry_points(group=f"nver.{kind}"):
        found.setdefault(point.name, point.value)
    return found


def names(kind: str) -> list[str]:
    """The known names of a kind ("corpora", "encoders" or "classifiers")."""
    return list(targets(kind))


@cache
def lookup(kind: str, name: str) -> Any:
    """The object of that name; an unknown one raises `UsageError` and names the nearest."""
    if not isinstance(name, str):
        raise UsageError(f"expected the name of a known {_SINGULAR[kind]}, got {name!r}")
    known = targets(kind)
    if name not in known:
        raise unknown_name(_SINGULAR[kind], name, known)
    module, _, attribute = known[name].partition(":")
    return getattr(import_module(module), attribute)
