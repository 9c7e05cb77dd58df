"""The chapters of the report, in the order of the page and of the terminal.

A chapter is one file here, imported and named below.
"""

from nver.report.chapter import Chapter
from nver.report.chapters import (
    answers,
    certainty,
    coarser_views,
    embedding_maps,
    failures,
    fold_by_fold,
    ingredients,
    printed_numbers,
    protocol_gap,
    recipe_figures,
    repetition,
    robustness,
    scores,
    skipped_clips,
    ties,
    training_log,
)

CHAPTERS: tuple[Chapter, ...] = tuple(module.CHAPTER for module in (
    scores, ties, coarser_views, protocol_gap, answers, failures, robustness, printed_numbers,
    recipe_figures, certainty, training_log, embedding_maps, skipped_clips, fold_by_fold,
    ingredients, repetition,
))  # fmt: skip
