"""EmoGator: short vocal bursts of 30 emotions from 357 speakers."""

from nver.corpora.base import CorpusCard
from nver.corpora.published.naming import Naming

# The published codes 01 to 30 are these names in this order (the corpus's README).
EMOTIONS = (
    "Adoration", "Amusement", "Anger", "Awe", "Confusion", "Contempt", "Contentment", "Desire",
    "Disappointment", "Disgust", "Distress", "Ecstasy", "Elation", "Embarrassment", "Fear",
    "Guilt", "Interest", "Neutral", "Pain", "Pride", "Realization", "Relief", "Romantic Love",
    "Sadness", "Serenity", "Shame", "Surprise (Negative)", "Surprise (Positive)", "Sympathy",
    "Triumph",
)  # fmt: skip
SPEAKERS, TAKES = 357, 3

NAMING = Naming(
    pattern=r"(?P<speaker>\d{6})-(?P<emotion>\d\d)-(?P<take>[1-3])",
    example="000001-01-1",
    codes={"emotion": {f"{i:02d}": emotion for i, emotion in enumerate(EMOTIONS, 1)}},
)

EMOGATOR = CorpusCard(
    name="emogator",
    title="EmoGator: vocal bursts, labelled with what the speaker meant",
    citation="F. W. Buhl (2023). EmoGator: A New Open Source Vocal Burst Dataset with Baseline "
    "Machine Learning Classification Methodologies. arXiv:2301.00508",
    licence="Apache-2.0",
    url="https://github.com/fredbuhl/EmoGator",
    read=NAMING.read,
    emotions=EMOTIONS,
    clips=len(EMOTIONS) * SPEAKERS * TAKES,
    speakers=SPEAKERS,
    clips_per_emotion=dict.fromkeys(EMOTIONS, SPEAKERS * TAKES),
)
