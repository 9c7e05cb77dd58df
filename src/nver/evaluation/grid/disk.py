"""How much would be written."""

from collections.abc import Sequence

from nver.evaluation.grid.cells import dim_of
from nver.evaluation.grid.forecast_extraction import Extraction
from nver.evaluation.grid.plan import PlannedCell
from nver.evaluation.grid.sizes import Size
from nver.recipe import Experiment

SPREAD = 100  # bytes of a prediction's row beside its probabilities: ids, names, fold
BYTES_A_PROBABILITY = 13  # as CSV with nine digits
COPIES = 2  # of predictions: in `cells/`, and all of them in predictions.csv
REPORT_BYTES = 400_000  # of the report's figures and tables for each system and corpus, about


def disk_of(
    experiment: Experiment,
    sizes: Sequence[Size],
    cells: Sequence[PlannedCell],
    extraction: Sequence[Extraction],
) -> dict[str, int]:
    """Bytes by what they are for, of all that can be run now."""
    by_corpus = {size.corpus: size for size in sizes}
    possible = [cell for cell in cells if not cell.waits_for]
    rows = sum(
        by_corpus[c.corpus].clips * (SPREAD + BYTES_A_PROBABILITY * by_corpus[c.corpus].emotions)
        for c in possible
    )
    vectors = sum(4 * e.clips * dim_of(experiment, e.encoder) for e in extraction)
    largest = max((size.clips for size in sizes), default=0)
    dims = sum(dim_of(experiment, label) for label in experiment.encoders)
    return {
        "embeddings": vectors,
        "predictions": COPIES * rows,
        "report": REPORT_BYTES * len(possible),
        "temporary": 4 * largest * dims,
    }
