"""`nver train`: a recipe's one classifier as a model folder."""

import json
from pathlib import Path
from typing import Any

import click

from nver.cli.given import read_given, say_next
from nver.cli.options import (
    CORPUS_OPTION,
    CORPUS_OR_RECIPE,
    JSON,
    ROOT,
    SET,
    WORKERS,
    example,
    out_option,
)
from nver.cli.output import say_warnings

FUSION = 'classifiers=["reno"]'  # of the default recipe's classifiers the one that takes both


@click.command(
    epilog=example(
        "nver train my-recordings --out my-model", "nver train mine.toml --out mine-model"
    )
)
@CORPUS_OR_RECIPE
@ROOT
@CORPUS_OPTION
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
    recipe: str,
    root: Path | None,
    options: dict[str, Any],
    out: Path,
    overrides: tuple[str, ...],
    as_json: bool,
    **settings: Any,
) -> None:
    """Train one classifier for `nver predict`: that of RECIPE, a TOML file, or RENO on the
    recordings in FOLDER or TABLE, or a known corpus at --root.

    A recipe has one corpus, one classifier on one set of encoders, and one seed. Embeddings that
    the store has are not computed again. The test speakers of a split are not used.
    """
    import nver
    from nver.recipe.reading import is_recipe

    own = () if is_recipe(recipe) else (FUSION,)
    experiment = read_given(recipe, root, options, [*own, *overrides])
    model = nver.train(experiment, out, show_progress_bar=True, **settings)
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
    say_warnings(model.made["warnings"])
    say_next(["nver", "predict", "NEW-RECORDINGS", "--model", str(out)])
