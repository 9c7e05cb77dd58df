"""Files that are named as in a published corpus."""

from collections.abc import Sequence
from pathlib import Path

from nver.corpora.own.folder_names import MOST
from nver.corpora.published.asvp_esd import NAMING as ASVP_ESD
from nver.corpora.published.crema_d import NAMING as CREMA_D
from nver.corpora.published.emodb import NAMING as EMODB
from nver.corpora.published.emogator import NAMING as EMOGATOR
from nver.corpora.published.jnv import NAMING as JNV
from nver.corpora.published.ravdess import NAMING as RAVDESS
from nver.corpora.published.vivae import NAMING as VIVAE

LOOKED_AT = 200  # files, evenly spaced: a name of a published corpus is not met by chance
NAMINGS = {
    "asvp-esd": ASVP_ESD, "crema-d": CREMA_D, "emodb": EMODB, "emogator": EMOGATOR,
    "jnv": JNV, "ravdess": RAVDESS, "vivae": VIVAE,
}  # fmt: skip


def published_name(files: Sequence[str], root: Path) -> str | None:
    """The published corpus whose names nearly all files have (`files` are relative to `root`)."""
    looked_at = files[:: len(files) // LOOKED_AT + 1]
    return next(
        (
            name
            for name, naming in NAMINGS.items()
            if sum(not isinstance(naming.parse(file, root), str) for file in looked_at)
            >= MOST * len(looked_at)
        ),
        None,
    )
