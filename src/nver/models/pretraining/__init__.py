"""An Audio-Mamba of one's own: first from sounds alone, then on emotions; see docs/nver-mamba.md.

`recipe` says what, `reading` makes `spectra` of the recordings, `augment` changes them, `learner`
is the network and `tasks` its two losses, `schedule` the order and pace, `run` the loop,
`checkpoint` and `result` what is kept.
"""

from nver.models.pretraining.pretraining_recipe import PretrainingRecipe, read_recipe
from nver.models.pretraining.run import pretrain

__all__ = ["PretrainingRecipe", "pretrain", "read_recipe"]
