"""Emo-DB: the Berlin database of emotional speech, ten actors, German."""

from nver.corpora.base import CorpusCard
from nver.corpora.published.naming import Naming, same

# The letters are the German words: Wut, Langeweile, Ekel, Angst, Freude, Trauer, neutral.
EMOTIONS = {
    "W": "anger", "L": "boredom", "E": "disgust", "A": "fear",
    "F": "happiness", "T": "sadness", "N": "neutral",
}  # fmt: skip
COUNTS = dict(zip(EMOTIONS.values(), (127, 81, 46, 69, 71, 62, 79), strict=True))
MALE = ("03", "10", "11", "12", "15")  # the corpus's page

NAMING = Naming(
    pattern=r"(?P<speaker>\d\d)(?P<text>[ab]\d\d)(?P<emotion>[A-Z])(?P<version>[a-z])",
    example="03a01Wa",
    codes={"speaker": same("03 08 09 10 11 12 13 14 15 16"), "emotion": EMOTIONS},
    complete=lambda row, _: {"sex": "male" if row["speaker"] in MALE else "female"},
)

EMODB = CorpusCard(
    name="emodb",
    title="Emo-DB: Berlin Database of Emotional Speech",
    citation="F. Burkhardt, A. Paeschke, M. Rolfes, W. F. Sendlmeier, B. Weiss (2005). "
    "A database of German emotional speech. Interspeech 2005, 1517-1520. "
    "doi:10.21437/Interspeech.2005-446",
    licence="see the corpus's page",
    url="http://emodb.bilderbar.info/",
    read=NAMING.read,
    emotions=tuple(EMOTIONS.values()),
    clips=sum(COUNTS.values()),
    speakers=10,
    clips_per_emotion=COUNTS,
)
