"""The tables of a saved run's report, each made once, on first use."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from nver.encoders import card_of
from nver.errors import UsageError
from nver.evaluation.run_folder.saved_run import SavedRun
from nver.recipe.printed import printed_table
from nver.report.figures.drawing import Projection, projections
from nver.report.formats.fold_plans import FoldPlan, fold_plans
from nver.report.formats.sections import Section, sections
from nver.results.calibration import calibration_table
from nver.results.comparison import comparison_table
from nver.results.families import view_table
from nver.results.printed_scores import printed_comparison
from nver.results.results import Results, SystemResults
from nver.results.speaker_gap import gap_table
from nver.results.stress import stress_table
from nver.results.subgroups import confidently_wrong, subgroup_table
from nver.results.uncertainty import emotion_interval_table, interval_table
from nver.results.verdict import hypothesis_table


@dataclass(frozen=True, eq=False)
class RunTables:
    """A saved run and the tables of its report.

    `nver run`, `nver report`, the page and `nver.Run` share one, so that they say the same and
    nothing is computed twice.
    """

    run: SavedRun

    @cached_property
    def results(self) -> Results:
        return Results(self.run.predictions)

    @cached_property
    def scores(self) -> pd.DataFrame:
        return interval_table(self.results)

    @cached_property
    def emotions(self) -> pd.DataFrame:
        return emotion_interval_table(self.results)

    @cached_property
    def pairs(self) -> pd.DataFrame:
        return comparison_table(self.results)

    @cached_property
    def sections(self) -> list[Section]:
        """The tables of scores, as people read them."""
        return sections(self.scores, self.run.synthetic, self.pairs, self.run.rehearsal)

    @cached_property
    def systems(self) -> list[tuple[Section, list[SystemResults]]]:
        """Each section with its systems, in the order of its rows."""
        return list(zip(self.sections, self.results.sections.values(), strict=True))

    @cached_property
    def calibration(self) -> pd.DataFrame:
        return calibration_table(self.results)

    @cached_property
    def subgroups(self) -> pd.DataFrame:
        return subgroup_table(self.results, self.run.clips)

    @cached_property
    def confidently_wrong(self) -> pd.DataFrame:
        return confidently_wrong(self.results, self.run.clips)

    @cached_property
    def gaps(self) -> pd.DataFrame:
        return gap_table(self.results)

    @cached_property
    def views(self) -> pd.DataFrame:
        return view_table(self.results, self.run.experiment.families)

    @cached_property
    def stress(self) -> pd.DataFrame | None:
        """None for a run without stress."""
        return None if self.run.stress is None else stress_table(self.results, self.run.stress)

    @cached_property
    def fold_plans(self) -> list[FoldPlan]:
        return fold_plans(self.run)

    @cached_property
    def projections(self) -> list[Projection]:
        """The saved t-SNE of each corpus and encoder."""
        return projections(self.run)

    @cached_property
    def printed(self) -> pd.DataFrame | None:
        """None where the recipe names no printed table."""
        name = self.run.experiment.printed
        if not name:
            return None
        return printed_comparison(printed_table(name), self.scores, self.run.missing)

    @cached_property
    def hypotheses(self) -> pd.DataFrame:
        """The answers to the recipe's hypotheses."""
        recipe = self.run.experiment
        encoders = {str(e.get("label") or e.get("name")): _identity(e) for e in self.run.encoders}
        classifiers = {entry.label: entry.name for entry in recipe.classifiers}
        return hypothesis_table(recipe.hypotheses, self.results, encoders, classifiers)


def _identity(encoder: dict[str, Any]) -> tuple[str, str]:
    """Name and kind by encoders.json; of a run before kinds were saved, the registry's kind."""
    name, kind = str(encoder.get("name", "?")), encoder.get("kind")
    try:
        return name, str(kind or card_of(name).kind)
    except UsageError:  # of a plug-in that is not here
        return name, "other"
