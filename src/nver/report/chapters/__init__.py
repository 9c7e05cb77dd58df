"""The chapters of the report, in the order of the page and of the terminal.

A chapter is one file here and one line below.
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

CHAPTERS: tuple[Chapter, ...] = (
    scores.CHAPTER,
    ties.CHAPTER,
    coarser_views.CHAPTER,
    protocol_gap.CHAPTER,
    answers.CHAPTER,
    failures.CHAPTER,
    robustness.CHAPTER,
    printed_numbers.CHAPTER,
    recipe_figures.CHAPTER,
    certainty.CHAPTER,
    training_log.CHAPTER,
    embedding_maps.CHAPTER,
    skipped_clips.CHAPTER,
    fold_by_fold.CHAPTER,
    ingredients.CHAPTER,
    repetition.CHAPTER,
)
