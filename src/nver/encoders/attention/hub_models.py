"""Attention models by transformers: WavLM, UniSpeech-SAT, wav2vec 2.0, HuBERT, MMS, voc2vec."""

import logging
from functools import partial
from typing import Any

from nver.encoders.base import POOLINGS, Encoder, EncoderCard, EncoderSpec, card_of

logger = logging.getLogger("nver")


def load(spec: EncoderSpec) -> Encoder:
    """The encoder of a spec, with a warning where its licence is for non-commercial use only."""
    from nver.encoders.attention.wav2vec2_like import TransformersEncoder

    card = card_of(spec.name)
    if "NC" in card.licence.split("-"):
        logger.warning("%s: licence %s, for non-commercial use only", card.name, card.licence)
    return TransformersEncoder(spec)


_card = partial(
    EncoderCard,
    sampling_rate=16_000,
    load=load,
    extra="transformers",
    layers=True,
    poolings=POOLINGS,
    kind="attention",
)


def _base_card(name: str, weights: str, **others: Any) -> EncoderCard:
    """The card of a model on the hub, unless `others` say otherwise of wav2vec 2.0's base size."""
    size = {"dim": 768, "parameters": 94_371_712}
    url = f"https://huggingface.co/{weights}"
    return _card(name=name, weights=weights, url=url, **{**size, **others})


# Parameters: of the encoder as loaded, without the heads of its pre-training (the RENO paper prints
# 95.04 M for wav2vec2-base with them). Licences: the models' pages on the hub, which for both of
# Microsoft's point to the LICENSE of github.com/microsoft/UniSpeech.
WAVLM_BASE = _base_card(
    "wavlm-base",
    "microsoft/wavlm-base",
    family="wavlm",
    parameters=94_381_936,
    licence="CC-BY-SA-3.0",
    citation="Chen et al. (2022), WavLM: Large-Scale Self-Supervised Pre-Training for Full Stack"
    " Speech Processing, arXiv 2110.13900",
    tag="W",
)
UNISPEECH_SAT_BASE = _base_card(
    "unispeech-sat-base",
    "microsoft/unispeech-sat-base",
    family="unispeech-sat",
    licence="CC-BY-SA-3.0",
    citation="Chen et al. (2022), UniSpeech-SAT: Universal Speech Representation Learning with"
    " Speaker Aware Pre-Training, arXiv 2110.05752",
    tag="U",
)
WAV2VEC2_BASE = _base_card(
    "wav2vec2-base",
    "facebook/wav2vec2-base",
    family="wav2vec2",
    licence="Apache-2.0",
    citation="Baevski et al. (2020), wav2vec 2.0: A Framework for Self-Supervised Learning of"
    " Speech Representations, arXiv 2006.11477",
    tag="W2",
)
HUBERT_BASE = _base_card(
    "hubert-base",
    "facebook/hubert-base-ls960",
    family="hubert",
    licence="Apache-2.0",
    citation="Hsu et al. (2021), HuBERT: Self-Supervised Speech Representation Learning by Masked"
    " Prediction of Hidden Units, arXiv 2106.07447",
    tag="H",
)
MMS_1B = _base_card(
    "mms-1b",
    "facebook/mms-1b",
    family="wav2vec2",
    dim=1280,
    parameters=962_497_408,
    licence="CC-BY-NC-4.0",
    citation="Pratap et al. (2023), Scaling Speech Technology to 1,000+ Languages,"
    " arXiv 2305.13516",
)
_VOC2VEC = (
    "Koudounas et al. (2025), voc2vec: A Foundation Model for Non-Verbal Vocalization,"
    " arXiv 2502.16298"
)
VOC2VEC = _base_card(
    "voc2vec",
    "alkiskoudounas/voc2vec",
    family="wav2vec2",
    licence="Apache-2.0",
    citation=_VOC2VEC,
)
VOC2VEC_HUBERT_LS_PT = _base_card(
    "voc2vec-hubert-ls-pt",
    "alkiskoudounas/voc2vec-hubert-ls-pt",
    family="hubert",
    licence="Apache-2.0",
    citation=_VOC2VEC,
)
TRANSFORMERS = _card(
    name="transformers",
    family="any wav2vec2-like",
    dim=None,
    licence="the model's own",
    url="https://huggingface.co/models?pipeline_tag=feature-extraction",
    citation="the model's own",
)
