"""What lies in each fold."""

from nver.report.chapter import Chapter

CHAPTER = Chapter(
    anchor="folds",
    title="Folds",
    content=lambda tables, _: {"plans": tables.fold_plans},
    template="folds.html.j2",
)
