"""JNV: Japanese non-verbal vocalisations of six emotions from four speakers."""

from nver.corpora.base import CorpusCard
from nver.corpora.published.naming import Naming, same

# Versions of the corpus spell three of the emotions in two ways.
SPELLINGS = {"angry": "anger", "happy": "happiness", "sad": "sadness"}
EMOTIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")

NAMING = Naming(
    pattern=r"(?P<speaker>[FM]\d)_(?P<emotion>[a-z]+)_(?P<phrase>\d+)_(?P<session>[A-Za-z]+)",
    example="F1_happy_01_F",
    codes={
        "speaker": same("F1 F2 M1 M2"),
        "emotion": {**same(" ".join(EMOTIONS)), **SPELLINGS},
        "session": {"F": "free", "R": "regular", **same("free regular")},
    },
    complete=lambda row, _: {"sex": "female" if str(row["speaker"])[0] == "F" else "male"},
)

JNV = CorpusCard(
    name="jnv",
    title="JNV: Japanese Nonverbal Vocalizations",
    citation="D. Xin, S. Takamichi, H. Saruwatari (2024). JNV corpus: A corpus of Japanese "
    "nonverbal vocalizations with diverse phrases and emotions. Speech Communication 156, 103004",
    licence="CC BY-SA 4.0",
    url="https://sites.google.com/site/shinnosuketakamichi/research-topics/jnv_corpus",
    read=NAMING.read,
    emotions=EMOTIONS,
    clips=420,
    speakers=4,
)
