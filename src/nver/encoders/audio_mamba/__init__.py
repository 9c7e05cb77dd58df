"""Audio-Mamba (SSAM) tiny, small and base: the cards, light to import."""

from functools import partial

from nver.encoders.base import POOLINGS, Encoder, EncoderCard, EncoderSpec
from nver.errors import WeightsError

REPOSITORY = "https://github.com/SarthakYadav/audio-mamba-official"
# the link "Pre-trained weights" of the repository's README
PUBLISHED = "https://drive.google.com/drive/folders/1l6_8e1TFEfnobwUMIbA7-aKw2FwlBhho"
OPTIONS = {"token_order": "upstream", "precision": "float32"}


def load(spec: EncoderSpec) -> Encoder:
    """The encoder of a spec, whose weights the user must have fetched.

    A size that was never published loads under any name.

    Raises:
        WeightsError: no weights were given, or weights of another published size.
    """
    if spec.weights is None:
        run = f"ssam_{spec.name.rpartition('-')[2]}_200_16x4_4x256_fp16_r1"
        raise WeightsError(
            f"{spec.name} needs weights: its authors publish them in the folder {run} of"
            f" {PUBLISHED} (linked from {REPOSITORY}); download that folder and pass its path"
        )
    from nver.encoders.audio_mamba.encoder import AudioMambaEncoder

    encoder = AudioMambaEncoder(spec)
    width = encoder.dim // (2 if spec.pooling == "mean+std" else 1)
    other = next((c.name for c in CARDS if c.dim == width and c is not encoder.card), None)
    if other:
        raise WeightsError(f"{spec.weights} holds the weights of {other}, not of {spec.name}")
    return encoder


# Parameters: of the state dict as published, its pre-training head (not used) included.
_card = partial(
    EncoderCard,
    family="audio-mamba",
    sampling_rate=16_000,
    licence="MIT",
    url=REPOSITORY,
    citation="Yadav and Tan (2024), Audio Mamba: Selective State Spaces for Self-Supervised Audio"
    " Representations, Interspeech, arXiv 2406.02178",
    load=load,
    options=OPTIONS,
    poolings=POOLINGS,
    kind="mamba",
)
AUDIO_MAMBA_TINY = _card(name="audio-mamba-tiny", dim=960, parameters=4_808_704, tag="A(T)")
AUDIO_MAMBA_SMALL = _card(name="audio-mamba-small", dim=1920, parameters=17_985_472, tag="A(S)")
AUDIO_MAMBA_BASE = _card(name="audio-mamba-base", dim=3840, parameters=69_443_392, tag="A(B)")
CARDS = (AUDIO_MAMBA_TINY, AUDIO_MAMBA_SMALL, AUDIO_MAMBA_BASE)
