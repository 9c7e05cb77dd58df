"""A trained model on recordings: what they may mean, how sure that is, or why they cannot be used.

from nver import load_predictor
predictor = load_predictor()
for answer in predictor.predict(["laugh.wav", "sigh.mp3"]): ...
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nver.audio.recording import (
    FloatArray,
    Recording,
    as_recording,
    check_kind,
    check_rate,
    prepare,
    read_start,
)
from nver.audio.remarks import LONGEST_S, SHORTEST_S
from nver.classifiers.training.temperature import tempered
from nver.corpora.file_tree import walk
from nver.embeddings.batches import ENCODER, embed
from nver.encoders import Encoder, load_spec
from nver.encoders.base import EncoderIdentity
from nver.errors import (
    MEMORY,
    TOO_LARGE,
    AudioError,
    NverError,
    UsageError,
    WeightsError,
    check_choice,
    check_count,
)
from nver.machine.threads import one_thread
from nver.models.model_folder import Model, ModelEncoder, read_model
from nver.models.prediction import Prediction as Prediction
from nver.recipe.families import membership

if TYPE_CHECKING:
    from nver.classifiers.training.loop import Fitted

Audio = str | PathLike[str] | npt.NDArray[Any]
TOP = 3
MODEL = "model"  # the reason of a clip for which the model has no answer


class Predictor:
    """A model with its encoders, ready to `predict`. Made by `load_predictor`."""

    def __init__(self, model: Model, encoders: Sequence[Encoder]) -> None:
        self.model, self.encoders = model, tuple(encoders)
        alone = {emotion: (emotion,) for emotion in model.emotions}
        self._families = list(model.families or alone)
        self._members = membership(model.families or alone, model.emotions)

    def predict(
        self, audio: Audio | Iterable[Audio], sampling_rate: int | None = None, *, top: int = TOP
    ) -> list[Prediction]:
        """One answer a clip, in input order; the answer of a bad clip says why it is bad.

        Args:
            audio: a path or an array (samples,) or (samples, channels), or several.
            sampling_rate: of the arrays, in Hz; None: that of the first encoder.
            top: how many emotions `Prediction.top` has.

        Raises:
            UsageError: the input is no audio, or the sampling rate is not above 0.
        """
        if isinstance(audio, str | PathLike | np.ndarray):
            audio = [audio]
        elif not isinstance(audio, Iterable) or isinstance(audio, bytes | Mapping):
            check_kind(audio)
        return list(self.each(audio, sampling_rate, top=top))

    def each(
        self, audio: Iterable[Audio], sampling_rate: int | None = None, *, top: int = TOP
    ) -> Iterator[Prediction]:
        """Yield the answers of `predict` one by one, as soon as each is ready."""
        check_rate(sampling_rate)
        check_count("top", top, 0)
        rate = sampling_rate or self.encoders[0].sampling_rate
        for number, clip in enumerate(audio, 1):
            check_kind(clip)
            file = f"array {number}" if isinstance(clip, np.ndarray) else str(clip)
            seconds, remark = float("nan"), ""
            try:
                recording, seconds, remark = _read(clip, rate)
                with one_thread():
                    answer = self._answer(file, self._probability(recording, file), top)
            except AudioError as error:
                said = str(error).removeprefix(f"{file}: ")
                answer = Prediction(file, error=said, reason=error.reason)
            except MemoryError:
                answer = Prediction(file, error=TOO_LARGE, reason=MEMORY)
            sure = answer.sure and seconds >= SHORTEST_S
            yield replace(answer, sure=sure, duration_s=seconds, note=_note(seconds, remark))

    def _probability(self, recording: Recording, file: str) -> npt.NDArray[np.float64]:
        """The calibrated probabilities (emotions,)."""
        from nver.classifiers.training.loop import predict_proba

        rates = {encoder.sampling_rate for encoder in self.encoders}
        waveforms = {rate: prepare(recording, rate, file) for rate in rates}
        rows = [_embedding(e, waveforms[e.sampling_rate], file) for e in self.encoders]
        found = tempered(predict_proba(self._fitted, rows), self.model.temperature)[0]
        if not np.isfinite(found).all():
            raise AudioError(f"{file}: the model's answer is NaN: its weights are too large", MODEL)
        return found

    def _answer(self, file: str, probability: npt.NDArray[np.float64], top: int) -> Prediction:
        order = np.argsort(-probability, kind="stable")
        families = probability @ self._members
        best = int(families.argmax())
        return Prediction(
            file,
            emotion=self.model.emotions[order[0]],
            probability=float(probability[order[0]]),
            top=tuple((self.model.emotions[i], float(probability[i])) for i in order[:top]),
            family=self._families[best],
            family_probability=float(families[best]),
            sure=bool(families[best] >= self.model.threshold),
        )

    @cached_property
    def _fitted(self) -> "Fitted":
        """The classifier with its weights, and the scale of each stream."""
        import torch

        from nver.classifiers.build import build_classifier
        from nver.classifiers.training.loop import Fitted
        from nver.classifiers.training.scaling import Scale

        model, tensors = self.model, self.model.tensors
        dims = [encoder.identity.dim for encoder in model.encoders]
        wanted = (model.classifier, dims, len(model.emotions))
        try:
            with torch.device("meta"):  # a size that does not fit asks for no memory
                network = build_classifier(*wanted, **model.options)
        except (RuntimeError, TypeError, OverflowError, UsageError) as error:
            raise NverError(f"{model.classifier}: cannot be built ({error})") from error
        expected = {f"classifier.{n}": tuple(t.shape) for n, t in network.state_dict().items()}
        for n, dim in enumerate(dims):
            expected |= {f"scale.{n}.mean": (dim,), f"scale.{n}.deviation": (dim,)}
        _check_shapes(model, expected)
        classifier = build_classifier(*wanted, **model.options)
        classifier.load_state_dict(
            {name: torch.from_numpy(tensors[f"classifier.{name}"].copy())
             for name in network.state_dict()}
        )  # fmt: skip
        scales = tuple(
            Scale(tensors[f"scale.{n}.mean"], tensors[f"scale.{n}.deviation"])
            for n in range(len(dims))
        )
        return Fitted(classifier.eval(), scales, (), 0)


def _check_shapes(model: Model, expected: dict[str, tuple[int, ...]]) -> None:
    """Raise where the model's tensors are not all those that its classifier and scales need."""
    given = {name: tensor.shape for name, tensor in model.tensors.items()}
    wrong = sorted(n for n in expected | given if expected.get(n) != given.get(n))
    if wrong:
        raise NverError(
            f"the model's weights do not fit its classifier {model.classifier}: {len(wrong)} are "
            f"missing, of another shape or too many, first {wrong[0]}; train it again"
        )


def _embedding(encoder: Encoder, waveform: FloatArray, file: str) -> FloatArray:
    """The embedding (1, dim); AudioError where the encoder fails on it, as in an extraction."""
    (vector,) = embed(encoder, [waveform])
    if isinstance(vector, str):
        raise AudioError(f"{file}: {encoder.name}: {vector}", ENCODER)
    return vector[None]


def _note(seconds: float, remark: str) -> str:
    """What a person should know of an answer for a clip of this length; "": nothing.

    Args:
        remark: of the reader, for example on what is missing of the file.
    """
    notes = [f"only the first {LONGEST_S:g} s"] if seconds > LONGEST_S else []
    if seconds < SHORTEST_S:
        notes.append(f"only {seconds:.2g} s long")
    return "; ".join([*notes, remark] if remark else notes)


def _read(clip: Audio, rate: int) -> tuple[Recording, float, str]:
    """The first `LONGEST_S` of a clip, the duration of the whole clip in s, and a remark."""
    if not isinstance(clip, np.ndarray):
        return read_start(clip, LONGEST_S)
    whole = as_recording(clip, rate)
    start = replace(whole, samples=whole.samples[: round(LONGEST_S * rate)])
    return start, float(len(whole.samples) / rate), ""


def find_recordings(paths: Sequence[str]) -> list[str]:
    """The files as given, and in place of a folder the audio files below it, sorted.

    Audio in formats that nver cannot read is among them: it gets an answer that says so.
    """
    found: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            found += [os.path.join(path, name) for names in walk(Path(path)) for name in names]
        else:
            found.append(path)
    return found


def load_predictor(
    path: str | Path | None = None,
    *,
    weights: Mapping[str, str] | None = None,
    device: str = "cpu",
) -> Predictor:
    """A trained model, ready to predict.

    Args:
        path: a folder that `nver train` wrote; None: the model that comes with nver.
        weights: encoder -> hub id or local folder, in place of the ones that the model names.
        device: of the encoders.

    Raises:
        NverError: no such model, one of another version, or a damaged one.
        WeightsError: an encoder's weights are absent, or not those that the model was trained on.
    """
    model = read_model(None if path is None else Path(path).expanduser())
    weights = weights or {}
    labels = [encoder.label for encoder in model.encoders]
    for label in weights:
        check_choice("encoder of the model", label, labels)
    predictor = Predictor(
        model, [_load(encoder, weights.get(encoder.label), device) for encoder in model.encoders]
    )
    _check_answer(predictor._fitted)  # weights that do not fit are an error now
    return predictor


def _check_answer(fitted: "Fitted") -> None:
    """Raise `NverError` for a model that answers NaN: for an ordinary clip, and for an odd one."""
    from nver.classifiers.training.loop import predict_proba

    for deviations in (0.0, 3.0):
        rows = [(scale.mean + deviations * scale.deviation)[None] for scale in fitted.scales]
        if (
            not all(np.isfinite(row).all() for row in rows)
            or not np.isfinite(predict_proba(fitted, rows)).all()
        ):
            raise NverError(
                "the model would answer NaN: its weights are damaged; copy its folder again, or "
                "train it again"
            )


def _load(wanted: ModelEncoder, weights: str | None, device: str) -> Encoder:
    """The encoder of a stream, checked to be the one that the model was trained on."""
    spec = replace(wanted.spec, device=device)
    if weights is not None:
        spec = replace(spec, weights=weights, revision=None)
    try:
        encoder = load_spec(spec)
    except UsageError as error:
        raise NverError(f"encoder {wanted.label} of the model: {error}") from error
    except WeightsError as error:
        if weights is not None or spec.weights is None:
            raise
        raise WeightsError(
            f"encoder {wanted.label}: {error}. The model was trained with weights from there; say "
            f"where they are now: --weights {wanted.label}=FOLDER, in Python weights={{...}}"
        ) from error
    differences = _differences(encoder.identity, wanted.identity)
    if differences:
        raise WeightsError(
            f"encoder {wanted.label}: not the one that the model was trained on: {differences}. Its"
            " answers would mean nothing; give the same weights and the same nver, or train again"
        )
    return encoder


def _differences(ours: EncoderIdentity, theirs: EncoderIdentity) -> str:
    """What tells two identities apart, "key ours (the model: theirs)"; revisions may differ."""
    plain = json.loads(ours.to_json())
    return ", ".join(
        f"{key} {_short(plain[key])} (the model: {_short(value)})"
        for key, value in json.loads(theirs.to_json()).items()
        if key != "revision" and plain[key] != value
    )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 16 else f"{text[:12]}..."
