"""CREMA-D: twelve sentences in six emotions from 91 actors (speech)."""

from nver.corpora.base import CorpusCard
from nver.corpora.published.naming import Naming, same

EMOTIONS = {
    "ANG": "anger", "DIS": "disgust", "FEA": "fear",
    "HAP": "happiness", "NEU": "neutral", "SAD": "sadness",
}  # fmt: skip
COUNTS = {e: 1087 if e == "neutral" else 1271 for e in EMOTIONS.values()}
ACTORS = " ".join(str(actor) for actor in range(1001, 1092))
# X is the one irregular name of the release: 1040_ITH_SAD_X.
LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified", "X": "unspecified"}

NAMING = Naming(
    pattern=r"(?P<speaker>\d{4})_(?P<sentence>[A-Z]{3})_(?P<emotion>[A-Z]{3})_(?P<level>[A-Z]{1,2})",
    example="1001_DFA_ANG_XX",
    codes={
        "speaker": same(ACTORS),
        "sentence": same("DFA IEO IOM ITH ITS IWL IWW MTI TAI TIE TSI WSI"),
        "emotion": EMOTIONS,
        "level": LEVELS,
    },
)

CREMA_D = CorpusCard(
    name="crema-d",
    title="CREMA-D: Crowd-sourced Emotional Multimodal Actors (speech)",
    citation="H. Cao, D. G. Cooper, M. K. Keutmann, R. C. Gur, A. Nenkova, R. Verma (2014). "
    "CREMA-D: Crowd-Sourced Emotional Multimodal Actors Dataset. IEEE Transactions on Affective "
    "Computing 5(4), 377-390. doi:10.1109/TAFFC.2014.2336244",
    licence="ODbL-1.0",
    url="https://github.com/CheyneyComputerScience/CREMA-D",
    read=NAMING.read,
    emotions=tuple(EMOTIONS.values()),
    clips=sum(COUNTS.values()),
    speakers=91,
    clips_per_emotion=COUNTS,
)
