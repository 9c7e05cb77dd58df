"""RAVDESS: the speech part, 24 actors, eight emotions in up to two intensities."""

from nver.corpora.base import CorpusCard, Options
from nver.corpora.published.naming import Naming, Row, same

EMOTIONS = {
    "01": "neutral", "02": "calm", "03": "happy", "04": "sad",
    "05": "angry", "06": "fearful", "07": "disgust", "08": "surprised",
}  # fmt: skip
COUNTS = {e: 96 if e == "neutral" else 192 for e in EMOTIONS.values()}
ACTORS = " ".join(f"{actor:02d}" for actor in range(1, 25))


def _left_out(row: Row, options: Options) -> str | None:
    """The sound of the films, which is the same recording once more, and the songs."""
    if row["modality"] != "audio":
        return "film"
    return "song" if row["channel"] == "song" else None


NAMING = Naming(
    pattern=r"(?P<modality>\d\d)-(?P<channel>\d\d)-(?P<emotion>\d\d)-(?P<intensity>\d\d)-"
    r"(?P<statement>\d\d)-(?P<repetition>\d\d)-(?P<speaker>\d\d)",
    example="03-01-05-02-01-01-12",
    codes={
        "modality": {"01": "film", "02": "silent film", "03": "audio"},
        "channel": {"01": "speech", "02": "song"},
        "emotion": EMOTIONS,
        "intensity": {"01": "normal", "02": "strong"},
        "statement": same("01 02"),
        "repetition": same("01 02"),
        "speaker": same(ACTORS),
    },
    complete=lambda row, _: {"sex": "male" if int(str(row["speaker"])) % 2 else "female"},
    left_out=_left_out,
)

RAVDESS = CorpusCard(
    name="ravdess",
    title="RAVDESS: Ryerson Audio-Visual Database of Emotional Speech and Song (speech)",
    citation="S. R. Livingstone, F. A. Russo (2018). The Ryerson Audio-Visual Database of "
    "Emotional Speech and Song (RAVDESS). PLOS ONE 13(5), e0196391. "
    "doi:10.1371/journal.pone.0196391",
    licence="CC BY-NC-SA 4.0",
    url="https://zenodo.org/records/1188976",
    read=NAMING.read,
    emotions=tuple(EMOTIONS.values()),
    clips=sum(COUNTS.values()),
    speakers=24,
    clips_per_emotion=COUNTS,
)
