"""`nver demo`: the main job on synthetic recordings."""

from dataclasses import replace
from pathlib import Path

import click

from nver.cli.given import say_next
from nver.cli.options import JSON, WORKERS, example, out_option
from nver.cli.output import finish_run


@click.command(epilog=example("nver demo --out runs/demo"))
@out_option("The run folder.", default=Path("nver-demo"), show_default=True)
@WORKERS
@JSON
def command(out: Path, workers: int | None, as_json: bool) -> None:
    """Run the main job on a small SYNTHETIC corpus, offline: embeddings, folds, heads, fusions,
    report.

    The recordings are made by a synthesiser and say nothing about people. The recipe is in
    OUT/recipe.toml; change the corpus and the root, and it is yours. At the end the model that
    comes with nver, if there is one, answers to these sounds.
    """
    from importlib.resources import as_file, files

    import nver
    from nver.models.model_folder import has_shipped

    with as_file(files("nver.recipe") / "demo.toml") as recipe:
        result = nver.run(recipe, out, workers=workers, show_progress_bar=True)
    finish_run(result, strict=False, as_json=as_json)
    if not as_json and has_shipped():
        _print_answers()
    say_next(["nver", "corpus", "my-recordings"], as_json=as_json)


def _print_answers() -> None:
    """What the model that comes with nver answers to one synthetic clip of each sound."""
    import nver
    from nver.cli.predict import Table

    clips = nver.load_corpus("synthetic").table.drop_duplicates("emotion")
    predictor = nver.load_predictor()
    click.echo(f"\nThe model that comes with nver ({predictor.model.title}) on synthetic sounds:")
    table = Table(list(clips["emotion"]), by_emotion=False)
    answers = predictor.predict(clips["file"].tolist())
    for sound, answer in zip(clips["emotion"], answers, strict=True):
        click.echo("  " + table.line(replace(answer, file=str(sound))))
    click.echo("They express nothing. On recordings of your own: nver predict FILE|DIR...")
