"""nver-mamba, the encoder in the package: a small Audio-Mamba, trained by `nver pretrain`."""

from dataclasses import replace
from importlib.resources import files

from nver.encoders.base import POOLINGS, Encoder, EncoderCard, EncoderSpec
from nver.errors import UsageError

FOLDER = files("nver") / "models" / "nver-mamba"  # its weights and its card.md


def load(spec: EncoderSpec) -> Encoder:
    """The encoder of a spec; without `weights` those in the package.

    With a folder that `nver pretrain` wrote, the same network with other weights, or one of other
    sizes: untrained, or trained without emotions, for a comparison.
    """
    from nver.encoders.audio_mamba.encoder import AudioMambaEncoder

    if spec.revision is not None:
        raise UsageError(f"{spec.name} comes with nver and has no revision; got {spec.revision!r}")
    return AudioMambaEncoder(replace(spec, weights=spec.weights or str(FOLDER)))


NVER_MAMBA = EncoderCard(
    name="nver-mamba",
    family="audio-mamba",
    dim=960,
    sampling_rate=16_000,
    licence="Apache-2.0",
    url="https://github.com/fredbuhl/EmoGator",
    citation="this package: SSAM (Yadav and Tan 2024, arXiv 2406.02178) with convolutions before"
    " it, trained on EmoGator (Buhl 2023, arXiv 2301.00508)",
    load=load,
    parameters=715_328,
    tag="nver",
    options={"token_order": "time", "precision": "float32"},
    poolings=POOLINGS,
    kind="mamba",
)
