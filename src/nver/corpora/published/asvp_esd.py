"""ASVP-ESD: emotional sounds, speech and non-speech, cut from films, television and the web."""

from typing import Any

from nver.corpora.base import CorpusCard, Options
from nver.corpora.published.naming import Naming, Row
from nver.errors import check_choice

# Among the non-speech clips happy is laughter, sad crying, fear screams and pain groans. Code 13 is
# breath and not "others", as some tools have it.
EMOTIONS = {
    "01": "boredom", "02": "neutral", "03": "happy", "04": "sad", "05": "angry", "06": "fear",
    "07": "disgust", "08": "surprise", "09": "excited", "10": "pleasure", "11": "pain",
    "12": "disappointment", "13": "breath",
}  # fmt: skip
# The non-speech clips of Audio/ by code, counted in the published list of files: 7,545. We read
# "7,545 non-speech clips" of the papers' tables as this number, so breath is in by default.
COUNTS = (447, 281, 1172, 964, 389, 1001, 709, 1094, 131, 330, 778, 77, 172)
NON_SPEECH = dict(zip(EMOTIONS.values(), COUNTS, strict=True))
NON_SPEECH_WITH_BONUS = 8824  # counted in the same list; its emotions were not
MEDIA_SOURCES = 130  # the actor folders of the non-speech clips of Audio/
CHANNELS = {"01": "speech", "02": "non-speech"}
AGES = {"01": "over 65", "02": "20-64", "03": "under 20", "04": "baby"}


def _complete(row: Row, folders: tuple[str, ...]) -> Row:
    """The media source is the actor folder (one is named `actor_`); without one, the actor code."""
    actor = row["actor"] or ""
    source = next((f for f in reversed(folders) if f.lower().startswith("actor_")), None)
    speaker = (source or f"actor_{actor}").lower()
    part = "Bonus" if "bonus" in (f.lower() for f in folders) else "Audio"
    return {
        "clip": f"{part}/{speaker}/{row['clip']}",
        "speaker": speaker,
        "sex": ("female" if int(actor) % 2 else "male") if actor.isdecimal() else None,
        "part": part,
    }


def _left_out(row: Row, options: Options) -> str | None:
    if row["part"] == "Bonus" and not options["bonus"]:
        return "Bonus"
    if options["channel"] not in ("both", row["channel"]):
        return row["channel"]
    return "breath" if row["emotion"] == "breath" and not options["breath"] else None


def _variant(options: Options) -> dict[str, Any]:
    """The known counts: of the non-speech clips by emotion, with Bonus their sum alone."""
    channel, breath, bonus = options["channel"], options["breath"], options["bonus"]
    check_choice("value of channel", channel, (*CHANNELS.values(), "both"))
    unknown: dict[str, Any] = {"clips": None, "speakers": None, "clips_per_emotion": {}}
    if channel != "non-speech" or (bonus and not breath):
        return unknown
    if bonus:
        return {**unknown, "clips": NON_SPEECH_WITH_BONUS}
    counts = {e: n for e, n in NON_SPEECH.items() if breath or e != "breath"}
    speakers = MEDIA_SOURCES if breath else None
    return {"clips": sum(counts.values()), "speakers": speakers, "clips_per_emotion": counts}


# 8 to 12 codes, read from the left; source and language stay as coded.
NAMING = Naming(
    pattern=r"(?P<modality>\d\d)-(?P<channel>\d\d)-(?P<emotion>\d\d)-(?P<intensity>[^-]*)-"
    r"(?P<statement>[^-]*)-(?P<actor>[^-]*)-(?P<age>[^-]*)-(?P<source>[^-]*)"
    r"(?:-(?P<language>[^-]*))?(?:-[^-]*){0,3}",
    example="03-02-03-01-01-02-02-01-16",
    codes={"channel": CHANNELS, "emotion": EMOTIONS},
    words={"age": AGES, "intensity": {"01": "normal", "02": "high"}},
    complete=_complete,
    left_out=_left_out,
)

ASVP_ESD = CorpusCard(
    name="asvp-esd",
    title="ASVP-ESD: Audio, Speech and Vision Processing Lab Emotional Sound Database",
    citation="D. T. T. Landry, Q. He, H. Yan, Y. Li (2020). ASVP-ESD: A dataset and its benchmark "
    "for emotion recognition using both speech and non-speech utterances. Global Scientific "
    "Journals 8. Data: doi:10.5281/zenodo.7132783",
    licence="see the Zenodo record",
    url="https://zenodo.org/records/7132783",
    read=NAMING.read,
    emotions=tuple(EMOTIONS.values()),
    clips=sum(NON_SPEECH.values()),
    speakers=MEDIA_SOURCES,
    clips_per_emotion=NON_SPEECH,
    speaker_is="media source",
    options={"channel": "non-speech", "breath": True, "bonus": False},
    variant=_variant,
)
