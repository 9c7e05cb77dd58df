"""The answer for one clip, and a CSV table of answers."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nver.errors import NverError
from nver.machine.csv_cells import csv_line
from nver.machine.files import write_whole

NOT_SURE = "not sure"
FIRST = ("file", "answer", "family", "family_probability", "sure", "emotion", "probability")
LAST = ("duration_s", "note", "reason", "error")


@dataclass(frozen=True)
class Prediction:
    """The answer for one clip.

    Attributes:
        file: the path as given, or "array N".
        emotion, probability: the most probable emotion; "" and nan where the clip has an `error`.
        top: the most probable emotions with their probabilities, falling.
        family, family_probability: the family of the highest summed probability; the emotion
            itself, where the model has no families.
        sure: whether `family_probability` reaches the model's threshold, the clip 0.1 s.
        duration_s: of what can be decoded of the file; nan where it cannot be read.
        note: says that only its start was used, that it is hardly long enough for a voice, or how
            much of it is missing.
        error: why there is no answer, "" where there is one; `reason` says it in one word.
    """

    file: str
    emotion: str = ""
    probability: float = float("nan")
    top: tuple[tuple[str, float], ...] = ()
    family: str = ""
    family_probability: float = float("nan")
    sure: bool = False
    duration_s: float = float("nan")
    note: str = ""
    error: str = ""
    reason: str = ""

    @property
    def answer(self) -> str:
        """The family, "not sure", or "" for a clip that cannot be used."""
        if self.error:
            return ""
        return self.family if self.sure else NOT_SURE

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; None in place of nan."""
        found = {"file": self.file, "answer": self.answer, **asdict(self)}
        found["top"] = [{"emotion": e, "probability": p} for e, p in self.top]
        return {k: None if v != v else v for k, v in found.items()}


def write_predictions(file: Path, predictions: Sequence[Prediction]) -> None:
    """Write a CSV table, a row a clip; the most probable emotions as emotion_1, probability_1, ...

    Raises:
        NverError: it cannot be written.
    """
    number = max(len(prediction.top) for prediction in predictions)
    ranks = [f"{name}_{i}" for i in range(1, number + 1) for name in ("emotion", "probability")]
    columns = [*FIRST, *ranks, *LAST]
    lines = [csv_line(columns)]
    for prediction in predictions:
        top = [value for pair in prediction.top for value in pair]
        values = prediction.to_dict() | dict(zip(ranks, top, strict=False))
        lines.append(csv_line(values.get(name) for name in columns))
    try:
        write_whole(file, "".join(lines).encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise NverError(f"{file}: cannot be written ({error.strerror})") from error
