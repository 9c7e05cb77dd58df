"""`nver predict`: what recordings may mean, by a trained model."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from nver.cli.given import say_next
from nver.cli.options import JSON, STRICT, WEIGHTS, example, print_json
from nver.errors import UsageError
from nver.models.prediction import Prediction, write_predictions

FAMILIES, EMOTIONS = "families", "emotions"
WIDEST = 48  # characters of a file's name in the table: of a longer one its end (our choice)


@click.command(epilog=example("nver predict my-recordings --csv answers.csv"))
@click.argument(
    "paths", nargs=-1, required=True, metavar="FILE|DIR...", type=click.Path(readable=False)
)
@click.option("--model", type=click.Path(), help="A model folder.  [default: nver's own model]")
@click.option(
    "--top", type=click.IntRange(min=1), default=3, show_default=True, help="Emotions a file."
)
@click.option(
    "--view",
    type=click.Choice([FAMILIES, EMOTIONS]),
    help="Whether families or emotions are the answers.  [default: families]",
)
@click.option("--csv", "table", type=click.Path(dir_okay=False), help="Write a CSV table too.")
@WEIGHTS
@STRICT
@JSON
def command(
    paths: tuple[str, ...],
    model: str | None,
    top: int,
    view: str | None,
    table: str | None,
    weights: dict[str, str],
    strict: bool,
    as_json: bool,
) -> None:
    """Say what recordings of voices may mean, a row a file; of a folder all audio files below it.

    An answer whose probability is below the model's threshold is "not sure". A file that cannot be
    used has a row that says why.
    """
    from nver.models.predictor import find_recordings, load_predictor

    files = find_recordings(paths)
    if not files:
        raise UsageError(f"no audio file below {', '.join(paths)}")
    predictor = load_predictor(model, weights=weights)
    trained = predictor.model
    if view == FAMILIES and not trained.families:
        raise UsageError("this model has no families; use --view emotions")
    rows = Table(files, by_emotion=view == EMOTIONS or not trained.families)
    answers: list[Prediction] = []
    try:
        for answer in predictor.each(files, top=top):
            answers.append(answer)
            if not as_json:
                click.echo(rows.line(answer))
        if as_json:
            facts = {name: getattr(trained, name) for name in ("threshold", "families")}
            plain = [answer.to_dict() for answer in answers]
            print_json({"model": trained.title, **facts, "predictions": plain})
    finally:  # stopped halfway, or the reader of a pipe is gone: what is there is kept
        if table and answers:
            write_predictions(Path(table), answers)
        if len(answers) < len(files):
            kept = f"; they are in {table}" if table and answers else ""
            click.echo(f"{len(answers)} of {len(files)} files were answered{kept}", err=True)
    bad = sum(bool(answer.error) for answer in answers)
    click.echo(counted(answers, trained.threshold), err=True)
    if bad == len(answers) or (strict and bad):
        sys.exit(1)
    if table:
        say_next(["nver", "train", "FOLDER", "--out", "MODEL"], as_json=as_json)
    else:
        own = ["--model", model] if model else []
        say_next(["nver", "predict", *paths, *own, "--csv", "answers.csv"], as_json=as_json)


class Table:
    """Lines of a table that is printed as it grows."""

    def __init__(self, files: Sequence[str], by_emotion: bool) -> None:
        self.by_emotion = by_emotion
        self.width = min(WIDEST, max(len(printable(file)) for file in files))

    def line(self, answer: Prediction) -> str:
        """File, answer, its probability, the most probable emotions, a note."""
        name, note = printable(answer.file), f"  ({answer.note})" if answer.note else ""
        if len(name) > self.width:
            name = f"…{name[1 - self.width :]}"
        if answer.error:
            return f"{name:<{self.width}}  cannot be used: {printable(answer.error)}{note}"
        share = answer.probability if self.by_emotion else answer.family_probability
        said = answer.emotion if self.by_emotion and answer.sure else answer.answer
        top = ", ".join(f"{emotion} {100 * p:.0f} %" for emotion, p in answer.top)
        return f"{name:<{self.width}}  {said:<22} {100 * share:3.0f} %   {top}{note}"


def printable(text: str) -> str:
    """The text; what would break a line or drive a terminal is written as in Python, "\\n"."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def counted(answers: Sequence[Prediction], threshold: float) -> str:
    """ "12 files: 9 answered, 2 not sure (18.2 % of those used, below 0.31), 1 cannot be used"."""
    bad = sum(bool(answer.error) for answer in answers)
    sure = sum(answer.sure for answer in answers)
    used = len(answers) - bad
    files = f"{len(answers)} file{'s' if len(answers) != 1 else ''}"
    share = f" ({100 * (used - sure) / used:.1f} %, below {threshold:.2f})" if used else ""
    unusable = f", {bad} cannot be used" if bad else ""
    return f"{files}: {sure} answered, {used - sure} not sure{share}{unusable}"
