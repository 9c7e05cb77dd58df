"""`nver predict`: what recordings may mean, by a trained model."""

import csv
import json
import math
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nver.errors import NverError, UsageError

if TYPE_CHECKING:
    from nver.models.predictor import Prediction, Predictor

FAMILIES, EMOTIONS = "families", "emotions"
WIDEST = 48  # characters of a file's name in the table: of a longer one its end (our choice)
BARE = ("file", "answer", "family", "family_probability", "sure", "emotion", "probability")
MORE = ("duration_s", "note", "reason", "error")


@click.command()
@click.argument(
    "paths", nargs=-1, required=True, metavar="FILE|DIR...", type=click.Path(readable=False)
)
@click.option("--model", type=click.Path(), help="A model folder.  [default: nver's own]")
@click.option("--top", type=click.IntRange(min=1), default=3, show_default=True, help="Emotions.")
@click.option(
    "--view", type=click.Choice([FAMILIES, EMOTIONS]), help="What answers.  [default: families]"
)
@click.option("--csv", "as_csv", type=click.Path(dir_okay=False), help="Write a table there too.")
@click.option("--json", "as_json", is_flag=True, help="For a machine to read.")
@click.option("--strict", is_flag=True, help="Exit with 1 if any file could not be used.")
@click.option(
    "--weights",
    multiple=True,
    metavar="ENCODER=WEIGHTS",
    help="Where an encoder's weights are; again for more.",
)
def command(
    paths: tuple[str, ...],
    model: str | None,
    top: int,
    view: str | None,
    as_csv: str | None,
    as_json: bool,
    strict: bool,
    weights: tuple[str, ...],
) -> None:
    """What recordings of voices may mean: one row a file; of a folder all audio below it.

    An answer whose probability is below the model's threshold is "not sure". A file that cannot be
    used has a row that says why.
    """
    files = list(find_files(paths))
    if not files:
        raise UsageError(f"no audio file below {', '.join(paths)}")
    from nver.models.predictor import load_predictor

    predictor = load_predictor(model, weights=_weights(weights))
    if view == FAMILIES and not predictor.model.families:
        raise UsageError("this model has no families; use --view emotions")
    by_emotion = view == EMOTIONS or not predictor.model.families
    shown = Table(files, by_emotion)
    answers: list[Prediction] = []
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        for answer in predictor.each(files, top=top):
            answers.append(answer)
            if not as_json:
                click.echo(shown.line(answer))
        if as_json:
            click.echo(json.dumps(summary(predictor, answers), indent=1))
    finally:  # stopped halfway, or the reader of a pipe is gone: what is there is kept
        if as_csv and answers:
            write_csv(Path(as_csv), answers)
        signal.signal(signal.SIGTERM, before)
    bad = sum(bool(answer.error) for answer in answers)
    click.echo(counted(predictor, answers), err=True)
    if bad == len(answers) or (strict and bad):
        sys.exit(1)


def _terminated(number: int, frame: object) -> None:
    """As `timeout` and batch systems stop a command: the table is written all the same."""
    sys.exit(128 + number)


def find_files(paths: Sequence[str]) -> Iterator[str]:
    """The files as given, and the audio below the folders, sorted; foreign formats too."""
    from nver.corpora.file_tree import walk

    for path in paths:
        if os.path.isdir(path):
            yield from (os.path.join(path, name) for names in walk(Path(path)) for name in names)
        else:
            yield path


class Table:
    """Lines of a table that is printed as it grows."""

    def __init__(self, files: Sequence[str], by_emotion: bool) -> None:
        self.by_emotion = by_emotion
        self.width = min(WIDEST, max(len(plain(file)) for file in files))

    def line(self, answer: "Prediction") -> str:
        """File, answer, its probability, the most probable emotions, a note."""
        name, note = plain(answer.file), f"  ({answer.note})" if answer.note else ""
        if len(name) > self.width:
            name = f"…{name[1 - self.width :]}"
        if answer.error:
            return f"{name:<{self.width}}  cannot be used: {plain(answer.error)}{note}"
        share = answer.probability if self.by_emotion else answer.family_probability
        said = answer.emotion if self.by_emotion and answer.sure else answer.answer
        top = ", ".join(f"{emotion} {100 * p:.0f} %" for emotion, p in answer.top)
        return f"{name:<{self.width}}  {said:<22} {100 * share:3.0f} %   {top}{note}"


def plain(text: str) -> str:
    """With what would break a line or drive a terminal written as in Python, "\\n"."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def counted(predictor: "Predictor", answers: Sequence["Prediction"]) -> str:
    """ "12 files: 9 answered, 2 not sure (18.2 % of those used, below 0.31), 1 cannot be used"."""
    bad = sum(bool(answer.error) for answer in answers)
    sure = sum(answer.sure for answer in answers)
    used = len(answers) - bad
    doubtful = f"{used - sure} not sure"
    if used:
        doubtful += f" ({100 * (used - sure) / used:.1f} %, below {predictor.model.threshold:.2f})"
    return (
        f"{len(answers)} file{'s' if len(answers) != 1 else ''}: {sure} answered, {doubtful}"
        + (f", {bad} cannot be used" if bad else "")
    )  # fmt: skip


def summary(predictor: "Predictor", answers: Sequence["Prediction"]) -> dict[str, Any]:
    model = predictor.model
    return {
        "model": model.title,
        "threshold": model.threshold,
        "families": {family: list(own) for family, own in model.families.items()},
        "predictions": [answer.to_dict() for answer in answers],
    }


def write_csv(file: Path, answers: Sequence["Prediction"]) -> None:
    """One row a file; the most probable emotions as emotion_1, probability_1, ..."""
    import io

    from nver.machine.files import write_whole

    number = max(len(answer.top) for answer in answers)
    ranks = [f"{name}_{i}" for i in range(1, number + 1) for name in ("emotion", "probability")]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*BARE, *ranks, *MORE])
    for answer in answers:
        top = [value for pair in answer.top for value in pair]
        row = [
            *(getattr(answer, name) for name in BARE),
            *top,
            *[""] * (2 * number - len(top)),
            *(getattr(answer, name) for name in MORE),
        ]
        writer.writerow(["" if isinstance(v, float) and math.isnan(v) else v for v in row])
    try:
        write_whole(file, text.getvalue().encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise NverError(f"{file}: cannot be written ({error.strerror})") from error


def _weights(texts: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        label, equals, value = text.partition("=")
        if not equals or not label or not value:
            raise UsageError(f"--weights takes ENCODER=WEIGHTS; got {text!r}")
        found[label] = value
    return found
