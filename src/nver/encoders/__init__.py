"""Frozen audio models, one family a file; `load_encoder` finds them by name."""

import re
from importlib import import_module
from typing import Any

from nver.encoders.base import POOLINGS, Encoder, EncoderCard, EncoderSpec, FrameEncoder, card_of
from nver.errors import MissingExtraError, UsageError, check_option, shown, unknown_name
from nver.machine.files import found_at

__all__ = [
    "Encoder",
    "EncoderCard",
    "EncoderSpec",
    "FrameEncoder",
    "card_of",
    "load_encoder",
    "load_spec",
]

DEVICES = (
    r"(cpu|cuda|mps|xpu)(:[0-9]{1,3})?"  # torch's names; whether it is there, an encoder tries
)

EXTRAS = {  # extra -> the module of it that encoders use
    "transformers": "transformers",
    "litert": "ai_edge_litert.interpreter",
}


def load_encoder(
    name: str,
    weights: str | None = None,
    revision: str | None = None,
    device: str = "cpu",
    *,
    layer: int | str = "last",
    pooling: str = "mean",
    **options: Any,
) -> Encoder:
    """A frozen encoder, ready to `encode`.

    Args:
        name: one of `nver list encoders`, or a hub id ("org/model") of a wav2vec2-like model.
        weights: a hub id or a local folder; None takes the published one.
        revision: a branch, tag or commit of the hub id; of a local folder a `UsageError`.
        device: "cpu", "cuda", "cuda:1", ...
        layer: "last", an integer (0 is the input of the first layer), or "mean" of all layers.
        pooling: over time: "mean" or "mean+std".
        options: the encoder's own, see its page.

    Raises:
        UsageError: an unknown name or option.
        WeightsError: the weights are absent or do not fit.
        MissingExtraError: an optional dependency is needed.
    """
    return load_spec(EncoderSpec(name, weights, revision, layer, pooling, device, options))


def load_spec(spec: EncoderSpec) -> Encoder:
    """The encoder that a spec describes, after a check of its options against the card."""
    card = check_spec(spec)
    if card.extra and card.extra in EXTRAS:
        try:
            import_module(EXTRAS[card.extra])
        except ImportError as error:
            raise MissingExtraError(f"the encoder {spec.name}", card.extra) from error
    return card.load(spec)


def check_spec(spec: EncoderSpec) -> EncoderCard:
    """The card of a spec, after a check of all that can be checked without the weights."""
    card = card_of(spec.name)
    for option, value in spec.options.items():
        if option not in card.options:
            raise unknown_name(f"option of {spec.name}", option, card.options or ["none"])
        default = card.options[option]
        also = (int,) if isinstance(default, str) else ()  # codebooks: "all", or a number
        check_option(f"{spec.name}: {option}", value, default, *also)
    if spec.pooling not in POOLINGS or spec.pooling not in card.poolings:
        raise UsageError(
            f"{spec.name}: pooling {shown(spec.pooling)} is not one of {', '.join(card.poolings)}"
        )
    if not re.fullmatch(DEVICES, str(spec.device)):
        raise UsageError(
            f"{spec.name}: device {shown(spec.device)} is unknown: cpu, cuda, cuda:1, ..."
        )
    if spec.revision is not None and spec.weights and found_at(spec.weights):
        raise UsageError(
            f"{spec.name}: weights {spec.weights!r} are local and have no revision; got"
            f" {spec.revision!r}: leave it out, the hash of the weights tells versions apart"
        )
    if spec.layer != "last" and not card.layers:
        got = shown(spec.layer)
        raise UsageError(f"{spec.name} has no layers to choose from; got layer={got}")
    return card
