"""Classifiers, trained on embeddings, one method a file; `build_classifier` finds them by name."""

from typing import TYPE_CHECKING

from nver.registry import on_first_use

if TYPE_CHECKING:
    from nver.classifiers.base import Classifier, ClassifierCard
    from nver.classifiers.build import build_classifier, check_classifier

__all__ = ["Classifier", "ClassifierCard", "build_classifier", "check_classifier"]

__getattr__ = on_first_use(
    __name__,
    {
        "Classifier": "nver.classifiers.base",
        "ClassifierCard": "nver.classifiers.base",
        "build_classifier": "nver.classifiers.build",
        "check_classifier": "nver.classifiers.build",
    },
)
