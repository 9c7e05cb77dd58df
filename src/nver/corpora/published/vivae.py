"""VIVAE: non-verbal vocalisations of six emotions in four intensities, eleven speakers."""

from typing import Any

from nver.corpora.base import CorpusCard, Options
from nver.corpora.published.naming import Naming, Row, same
from nver.errors import check_choice

SUBSETS = ("full_set", "core_set")  # the folders of VIVAE.zip
# Counts of the full set, from the published list of files; the sum, 1,085, is the paper's.
FULL = {
    "achievement": 161, "anger": 174, "fear": 176,
    "pain": 185, "pleasure": 202, "surprise": 187,
}  # fmt: skip
CORE_A_CELL, CORE_SPEAKERS, INTENSITIES = 2, 10, 4  # the paper's abstract: 6 x 4 x 10 x 2 = 480


def _subset(row: Row, folders: tuple[str, ...]) -> Row:
    """A clip of neither folder is of the full set, which holds the clips of the core set too."""
    return {"subset": "core_set" if "core_set" in folders else "full_set"}


def _left_out(row: Row, options: Options) -> str | None:
    return None if row["subset"] == options["subset"] else row["subset"]


def _variant(options: Options) -> dict[str, Any]:
    check_choice("value of subset", options["subset"], SUBSETS)
    if options["subset"] == "full_set":
        return {}
    each = INTENSITIES * CORE_SPEAKERS * CORE_A_CELL
    return {
        "clips": len(FULL) * each,
        "speakers": CORE_SPEAKERS,
        "clips_per_emotion": dict.fromkeys(FULL, each),
    }


NAMING = Naming(
    pattern=r"(?P<speaker>S\d\d)_(?P<emotion>[a-z]+)_(?P<intensity>[a-z]+)_(?P<index>\d{2,3})",
    example="S01_achievement_low_01",
    codes={
        "speaker": same("S01 S02 S03 S04 S05 S06 S07 S08 S09 S10 S11"),
        "emotion": same(" ".join(FULL)),
        "intensity": same("low moderate strong peak"),
    },
    complete=_subset,
    left_out=_left_out,
)

VIVAE = CorpusCard(
    name="vivae",
    title="VIVAE: Variably Intense Vocalizations of Affect and Emotion",
    citation="N. Holz, P. Larrouy-Maestri, D. Poeppel (2022). The Variably Intense Vocalizations "
    "of Affect and Emotion (VIVAE) Corpus Prompts New Perspective on Nonspeech Perception. "
    "Emotion 22(1), 213-225. doi:10.1037/emo0001048",
    licence="see the Zenodo record",
    url="https://zenodo.org/records/4066235",
    read=NAMING.read,
    emotions=tuple(FULL),
    clips=sum(FULL.values()),
    speakers=11,
    clips_per_emotion=FULL,
    options={"subset": "full_set"},
    variant=_variant,
)
