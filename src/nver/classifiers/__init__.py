"""What is trained on embeddings, one method a file; `build_classifier` finds them by name."""

from typing import TYPE_CHECKING

from nver.registry import on_first_use

if TYPE_CHECKING:
    from nver.classifiers.base import Classifier as Classifier
    from nver.classifiers.base import ClassifierCard as ClassifierCard
    from nver.classifiers.build import build_classifier as build_classifier
    from nver.classifiers.build import check_classifier as check_classifier

__all__ = ["Classifier", "ClassifierCard", "build_classifier", "check_classifier"]

__getattr__ = on_first_use(
    __name__,
    {
        "nver.classifiers.base": ("Classifier", "ClassifierCard"),
        "nver.classifiers.build": ("build_classifier", "check_classifier"),
    },
)
