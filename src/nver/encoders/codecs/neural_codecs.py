"""Neural codecs by transformers: EnCodec, DAC, Mimi; the cards, light to import."""

from functools import partial

from nver.encoders.base import POOLINGS, Encoder, EncoderCard, EncoderSpec
from nver.encoders.codecs.codec_options import OPTIONS


def load(spec: EncoderSpec) -> Encoder:
    """The encoder of a spec."""
    from nver.encoders.codecs.codec_frames import CodecEncoder

    return CodecEncoder(spec)


_card = partial(
    EncoderCard, kind="codec", load=load, extra="transformers", options=OPTIONS, poolings=POOLINGS
)
ENCODEC_24KHZ = _card(
    name="encodec-24khz",
    family="encodec",
    dim=128,
    sampling_rate=24_000,
    weights="facebook/encodec_24khz",
    # Its page names none, that of encodec_48khz MIT; elsewhere they are listed as non-commercial.
    licence="unknown",
    url="https://huggingface.co/facebook/encodec_24khz",
    citation="Défossez et al. (2022), High Fidelity Neural Audio Compression, arXiv 2210.13438",
)
DAC_16KHZ = _card(
    name="dac-16khz",
    family="dac",
    dim=1024,
    sampling_rate=16_000,
    weights="descript/dac_16khz",
    licence="MIT",  # of github.com/descriptinc/descript-audio-codec, which released the weights
    url="https://huggingface.co/descript/dac_16khz",
    citation="Kumar et al. (2023), High-Fidelity Audio Compression with Improved RVQGAN,"
    " arXiv 2306.06546",
)
MIMI = _card(
    name="mimi",
    family="mimi",
    dim=512,
    sampling_rate=24_000,
    weights="kyutai/mimi",
    licence="CC-BY-4.0",
    url="https://huggingface.co/kyutai/mimi",
    citation="Défossez et al. (2024), Moshi: a speech-text foundation model for real-time dialogue,"
    " arXiv 2410.00037",
)
