"""An Audio-Mamba encoder of your own: first from sounds alone, then on emotions.

`pretraining_recipe` reads the TOML file, `recordings` makes the `spectra`, `augment` varies them,
`learner` is the network, `tasks` are its two losses, `schedule` is order and pace, `run` is the
loop, `checkpoint` and `result` are the files that it writes. See docs/nver-mamba.md.
"""

from nver.models.pretraining.pretraining_recipe import PretrainingRecipe, read_recipe
from nver.models.pretraining.run import pretrain

__all__ = ["PretrainingRecipe", "pretrain", "read_recipe"]
