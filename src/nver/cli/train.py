"""`nver train`: a recipe's one classifier as a model folder."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from nver.cli.options import JSON, RECIPE, SET, WORKERS, example, out_option


@click.command(epilog=example("nver train mine.toml --out mine-model"))
@RECIPE
@out_option("The model folder.", required=True)
@SET
@click.option(
    "--answered",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.8,
    show_default=True,
    help="The share of the validation clips that get an answer; the others are not sure.",
)
@WORKERS
@JSON
def command(
    recipe: Path, out: Path, overrides: tuple[str, ...], as_json: bool, **settings: Any
) -> None:
    """Train the one classifier of RECIPE, a TOML file as for `nver run`, for `nver predict`.

    The recipe has one corpus, one classifier on one set of encoders, and one seed. Embeddings that
    the store has are not computed again. The test speakers of a split are not used.
    """
    import nver

    experiment = nver.read_experiment(recipe, overrides)
    model = nver.train(experiment, out, show_progress_bar=sys.stderr.isatty(), **settings)
    measured = model.made["validation"]
    if as_json:
        click.echo(json.dumps({"folder": str(out), "threshold": model.threshold, **measured}))
        return
    click.echo(f"{model.title}: {len(model.emotions)} emotions, {len(model.families)} families")
    family = f", family UAR {measured['family_uar']:.3f}" if model.families else ""
    right = "family accuracy" if model.families else "accuracy"
    click.echo(
        f"on {measured['clips']:,} validation clips, by which it was stopped and calibrated (no "
        f"result): UAR {measured['unweighted_average_recall']:.3f}, top-3 "
        f"{measured['top3_accuracy']:.3f}{family}"
    )
    click.echo(
        f"not sure below {model.threshold:.3f} ({measured['threshold_rule']}; {right} of "
        f"those {measured['family_accuracy_of_answered']:.3f})"
    )
    click.echo(f"model: {out}")
