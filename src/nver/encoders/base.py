"""The contract of an encoder: a waveform in, one vector a clip out."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from inspect import isfunction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from nver.audio.recording import load_audio
from nver.machine.counting import Count
from nver.machine.threads import one_thread
from nver.registry import lookup

FloatArray = npt.NDArray[np.float32]
AudioLike = str | Path | npt.NDArray[np.floating]
POOLINGS = ("mean", "mean+std")
KINDS = ("mamba", "attention", "codec", "speaker", "handcrafted", "other")
CLIPS_A_CALL = 32  # bounds memory; a clip's vector does not depend on it


@dataclass(frozen=True)
class EncoderCard:
    """What an encoder declares before its weights are loaded (`nver list encoders`).

    `dim` is the embedding's length with the default options (None: the weights decide),
    `sampling_rate` in Hz, `weights` the default hub id (None: none is needed, or the user must give
    them), `tag` the papers' abbreviation. `load` builds the encoder from an `EncoderSpec` and
    imports what it needs then. `kind` is one of `KINDS`; a hypothesis may select by it.
    """

    name: str
    family: str
    dim: int | None
    sampling_rate: int
    licence: str
    url: str
    citation: str
    load: Callable[["EncoderSpec"], "Encoder"]
    parameters: int | None = None
    weights: str | None = None
    extra: str | None = None
    tag: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    layers: bool = False
    poolings: tuple[str, ...] = ("mean",)
    kind: str = "other"


def card_of(name: str) -> EncoderCard:
    """The card of an encoder; a hub id ("org/model") has the generic card of its family."""
    return lookup("encoders", "transformers" if "/" in str(name) else name)


@dataclass(frozen=True)
class EncoderSpec:
    """Which encoder, with which weights and options: all that a worker needs to load it."""

    name: str
    weights: str | None = None
    revision: str | None = None
    layer: int | str = "last"
    pooling: str = "mean"
    device: str = "cpu"
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EncoderIdentity:
    """Everything beside the audio that decides the numbers of an embedding.

    Two embeddings may be compared, or one reused for the other, only if all of this is equal.
    """

    name: str
    revision: str
    weights_hash: str
    layer: str
    pooling: str
    sampling_rate: int
    code_version: int
    dim: int
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the JSON form, hexadecimal."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


class Encoder(ABC):
    """A frozen model that turns waveforms into embeddings.

    A subclass sets `card` and `spec` (`__init__` does), sets `identity` (`identify` makes it), and
    says how a waveform becomes a vector. It raises its `code_version` by one whenever its code
    changes the numbers. Whatever calls them, `embed` and `frames` hold the numerical libraries to
    one thread (`nver.machine.threads`).
    """

    code_version: ClassVar[int] = 1
    as_recorded: ClassVar[bool] = False  # takes (samples, channels) as decoded, at any rate
    card: EncoderCard
    spec: EncoderSpec
    identity: EncoderIdentity

    def __init__(self, spec: EncoderSpec | None = None) -> None:
        if spec is not None:  # without one, a plug-in sets spec and card itself
            self.spec, self.card = spec, card_of(spec.name)

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        for name in {"embed", "frames"} & set(vars(cls)):
            if isfunction(method := vars(cls)[name]):
                setattr(cls, name, one_thread()(method))

    @property
    def name(self) -> str:
        return self.identity.name

    @property
    def dim(self) -> int:
        return self.identity.dim

    @property
    def sampling_rate(self) -> int:
        """Hz; audio is resampled to it in memory."""
        return self.identity.sampling_rate

    def identify(
        self,
        weights_hash: str,
        width: int,
        *,
        revision: str = "local",
        layer: str = "last",
        pooling: str | None = None,
        sampling_rate: int | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> EncoderIdentity:
        """The identity of this encoder: what its weights decide, the rest from its card and spec.

        Args:
            width: length of a vector that is pooled by "mean"; "mean+std" doubles it.
            pooling: of an encoder that pools in its own way; None takes the spec's.
            sampling_rate: in Hz, where the weights decide it; None takes the card's.
        """
        pooling = pooling or self.spec.pooling
        return EncoderIdentity(
            name=self.spec.name,
            revision=revision,
            weights_hash=weights_hash,
            layer=layer,
            pooling=pooling,
            sampling_rate=sampling_rate or self.card.sampling_rate,
            code_version=self.code_version,
            dim=width * (2 if pooling == "mean+std" else 1),
            options=options or {},
        )

    @abstractmethod
    def embed(self, waveforms: Sequence[FloatArray]) -> FloatArray:
        """(clips, dim) from mono float32 waveforms at `sampling_rate`.

        A clip's vector must not depend on the other clips of the call.
        """

    def encode(
        self,
        audio: Sequence[AudioLike],
        sampling_rate: int | None = None,
        *,
        show_progress_bar: bool = False,
    ) -> FloatArray:
        """Embeddings of files or arrays.

        Args:
            audio: paths, or float arrays of shape (samples,) or (samples, channels).
            sampling_rate: of the arrays, in Hz; None means the encoder's own. Files know theirs.
            show_progress_bar: on stderr.

        Returns:
            float32, (clips, dim), in input order.

        Raises:
            AudioError: naming the first clip that cannot be used.
        """
        _check_several(audio, "encode")
        vectors = np.empty((len(audio), self.dim), np.float32)
        with Count("embed", len(audio), "clip", show_progress_bar) as bar:
            for start in range(0, len(audio), CLIPS_A_CALL):
                clips = audio[start : start + CLIPS_A_CALL]
                vectors[start : start + len(clips)] = self.embed(
                    [load_audio(c, self.sampling_rate, source_rate=sampling_rate) for c in clips]
                )
                bar.update(len(clips))
        return vectors


class FrameEncoder(Encoder):
    """An encoder whose vector is the pooling of frame embeddings over time."""

    @abstractmethod
    def frames(self, waveform: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The clip's frame embeddings (frames, frame_dim), and their times (frames,) in s."""

    def embed(self, waveforms: Sequence[FloatArray]) -> FloatArray:
        return np.stack([pool(self.frames(w)[0], self.identity.pooling) for w in waveforms])

    def encode_frames(
        self, audio: Sequence[AudioLike], sampling_rate: int | None = None
    ) -> list[tuple[FloatArray, FloatArray]]:
        """For each clip its frame embeddings (frames, frame_dim) and their times (frames,) in s."""
        _check_several(audio, "encode_frames")
        return [
            self.frames(load_audio(clip, self.sampling_rate, source_rate=sampling_rate))
            for clip in audio
        ]


def frame_times(frames: int, hop_s: float) -> FloatArray:
    """(frames,): the times of frames that are `hop_s` apart, in s."""
    return (np.arange(frames) * hop_s).astype(np.float32)


def _check_several(audio: Any, method: str) -> None:
    """Refuse one clip by itself: a path is a sequence too, of letters."""
    if isinstance(audio, str | Path | np.ndarray):
        raise TypeError(f"{method} takes a list of clips; for one clip write {method}([clip])")


def pool(frames: FloatArray, pooling: str) -> FloatArray:
    """One vector from (frames, frame_dim): the mean, or mean and deviation side by side."""
    mean = frames.mean(axis=0, dtype=np.float64)
    if pooling == "mean":
        return mean.astype(np.float32)
    return np.concatenate([mean, frames.std(axis=0, dtype=np.float64)]).astype(np.float32)
