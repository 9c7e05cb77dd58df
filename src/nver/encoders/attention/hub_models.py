"""Attention models by transformers: WavLM, UniSpeech-SAT, wav2vec 2.0, HuBERT, MMS, voc2vec."""

import logging
from functools import partial

from nver.encoders.base import POOLINGS, Encoder, EncoderCard, EncoderSpec
from nver.errors import MissingExtraError

logger = logging.getLogger("nver")


def load(spec: EncoderSpec) -> Encoder:
    """The encoder of a spec; needs the extra `transformers`."""
    try:
        import transformers  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(f"the encoder {spec.name}", "transformers") from error
    from nver.encoders.attention.wav2vec2_like import TransformersEncoder

    card = CARDS.get(spec.name, TRANSFORMERS)
    _say_licence(card)
    return TransformersEncoder(card, spec)


def _say_licence(card: EncoderCard) -> None:
    if "NC" in card.licence.split("-"):
        logger.warning("%s: licence %s, for non-commercial use only", card.name, card.licence)


_card = partial(
    EncoderCard,
    sampling_rate=16_000,
    load=load,
    extra="transformers",
    layers=True,
    poolings=POOLINGS,
    kind="attention",
)

# Parameters: of the encoder as loaded, without the heads of its pre-training (the RENO paper prints
# 95.04 M for wav2vec2-base with them). Licences: the models' pages on the hub, which for both of
# Microsoft's point to the LICENSE of github.com/microsoft/UniSpeech.
WAVLM_BASE = _card(
    name="wavlm-base",
    family="wavlm",
    dim=768,
    parameters=94_381_936,
    weights="microsoft/wavlm-base",
    licence="CC-BY-SA-3.0",
    url="https://huggingface.co/microsoft/wavlm-base",
    citation="Chen et al. (2022), WavLM: Large-Scale Self-Supervised Pre-Training for Full Stack"
    " Speech Processing, arXiv 2110.13900",
    tag="W",
)
UNISPEECH_SAT_BASE = _card(
    name="unispeech-sat-base",
    family="unispeech-sat",
    dim=768,
    parameters=94_371_712,
    weights="microsoft/unispeech-sat-base",
    licence="CC-BY-SA-3.0",
    url="https://huggingface.co/microsoft/unispeech-sat-base",
    citation="Chen et al. (2022), UniSpeech-SAT: Universal Speech Representation Learning with"
    " Speaker Aware Pre-Training, arXiv 2110.05752",
    tag="U",
)
WAV2VEC2_BASE = _card(
    name="wav2vec2-base",
    family="wav2vec2",
    dim=768,
    parameters=94_371_712,
    weights="facebook/wav2vec2-base",
    licence="Apache-2.0",
    url="https://huggingface.co/facebook/wav2vec2-base",
    citation="Baevski et al. (2020), wav2vec 2.0: A Framework for Self-Supervised Learning of"
    " Speech Representations, arXiv 2006.11477",
    tag="W2",
)
HUBERT_BASE = _card(
    name="hubert-base",
    family="hubert",
    dim=768,
    parameters=94_371_712,
    weights="facebook/hubert-base-ls960",
    licence="Apache-2.0",
    url="https://huggingface.co/facebook/hubert-base-ls960",
    citation="Hsu et al. (2021), HuBERT: Self-Supervised Speech Representation Learning by Masked"
    " Prediction of Hidden Units, arXiv 2106.07447",
    tag="H",
)
MMS_1B = _card(
    name="mms-1b",
    family="wav2vec2",
    dim=1280,
    parameters=962_497_408,
    weights="facebook/mms-1b",
    licence="CC-BY-NC-4.0",
    url="https://huggingface.co/facebook/mms-1b",
    citation="Pratap et al. (2023), Scaling Speech Technology to 1,000+ Languages,"
    " arXiv 2305.13516",
)
VOC2VEC = _card(
    name="voc2vec",
    family="wav2vec2",
    dim=768,
    parameters=94_371_712,
    weights="alkiskoudounas/voc2vec",
    licence="Apache-2.0",
    url="https://huggingface.co/alkiskoudounas/voc2vec",
    citation="Koudounas et al. (2025), voc2vec: A Foundation Model for Non-Verbal Vocalization,"
    " arXiv 2502.16298",
)
VOC2VEC_HUBERT_LS_PT = _card(
    name="voc2vec-hubert-ls-pt",
    family="hubert",
    dim=768,
    parameters=94_371_712,
    weights="alkiskoudounas/voc2vec-hubert-ls-pt",
    licence="Apache-2.0",
    url="https://huggingface.co/alkiskoudounas/voc2vec-hubert-ls-pt",
    citation="Koudounas et al. (2025), voc2vec: A Foundation Model for Non-Verbal Vocalization,"
    " arXiv 2502.16298",
)
TRANSFORMERS = _card(
    name="transformers",
    family="any wav2vec2-like",
    dim=None,
    licence="the model's own",
    url="https://huggingface.co/models?pipeline_tag=feature-extraction",
    citation="the model's own",
)
CARDS = {
    card.name: card
    for card in (
        WAVLM_BASE,
        UNISPEECH_SAT_BASE,
        WAV2VEC2_BASE,
        HUBERT_BASE,
        MMS_1B,
        VOC2VEC,
        VOC2VEC_HUBERT_LS_PT,
        TRANSFORMERS,
    )
}
