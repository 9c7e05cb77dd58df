"""`nver demo`: the main job on the embedded default."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from nver.cli.output import finish_run
from nver.models.model_folder import has_shipped


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("nver-demo"),
    show_default=True,
    help="The run folder.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Processes.  [default: one a core]")
@click.option("--json", "as_json", is_flag=True, help="Print the scores for a machine to read.")
def command(out: Path, workers: int | None, as_json: bool) -> None:
    """The main job on a small SYNTHETIC corpus, offline: embeddings, folds, heads, fusion, report.

    The recordings are made by a synthesiser and say nothing about people. Look at the recipe that
    it runs in OUT/recipe.toml; change the corpus and the root, and it is yours. At the end, where
    a trained model comes with nver, what it answers to these sounds.
    """
    from importlib.resources import as_file, files

    import nver

    with as_file(files("nver.recipe") / "demo.toml") as recipe:
        result = nver.run(recipe, out, workers=workers, show_progress_bar=sys.stderr.isatty())
    finish_run(result, strict=False, as_json=as_json)
    if not as_json and has_shipped():
        _say_answers()


def _say_answers() -> None:
    """What the model that comes with nver answers to one synthetic clip of each sound."""
    import nver
    from nver.cli.predict import Table

    clips = nver.load_corpus("synthetic").table.drop_duplicates("emotion")
    predictor = nver.load_predictor()
    click.echo(f"\nThe model that comes with nver ({predictor.model.title}) on synthetic sounds:")
    shown = Table(list(clips["emotion"]), by_emotion=False)
    answers = predictor.predict(clips["file"].tolist())
    for sound, answer in zip(clips["emotion"], answers, strict=True):
        click.echo("  " + shown.line(replace(answer, file=str(sound))))
    click.echo("They express nothing. On recordings of your own: nver predict FILE|DIR...")
