"""What columns of a person's table are called: the names that each role of a column has."""

import re
from collections.abc import Sequence
from typing import NamedTuple
from unicodedata import normalize

from nver.corpora.base import Options
from nver.errors import UsageError

# The words that are followed by nothing or by a word for an id, the most exact first (our choice).
SPEAKERS = (
    *("speaker", "spk", "spkr", "speakr", "talker", "actor", "actress", "voiceactor", "singer"),
    *("vocalizer", "vocaliser", "performer", "subject", "subj", "participant", "respondent"),
    *("informant", "volunteer", "person", "client", "user", "voice", "contributor", "donor"),
    *("proband", "sprecher", "locuteur", "hablante", "parlante", "falante", "ppt", "vpn"),
)
IDS = ("", "id", "ids", "code", "name", "no", "nr", "num", "number", "key", "label", "hash", "uid")
# Ids of psychologists' tables, and what is left of "participant" or "speaker" before an id.
SHORT_IDS = ("pid", "sid", "spid", "partid", "subid", "ppid", "ppnr", "vpnr", "vpcode", "vpid")
# The silent names: no warning says that they are used.
SILENT = {
    "file": ("file", "file_name", "path"),  # audformat's word, Hugging Face's, and a usual one
    "emotion": ("emotion", "label"),
    "speaker": ("speaker",),
    "start": ("start",),
    "end": ("end",),
    "clip": ("clip",),
}
# role -> its names, the most exact first, without case, blanks and signs (see `folded`).
NAMES = {
    "file": (
        *("file", "filename", "path", "filepath", "audio", "audiofile", "audiopath"),
        *("audiofilepath", "audiofilename", "wav", "wavfile", "wavpath", "wavfilename", "fname"),
        *(
            "relativepath",
            "relpath",
            "fullpath",
            "absolutepath",
            "soundfile",
            "soundpath",
            "recording",
        ),
        *("recordingfile", "recordingpath", "clippath", "clipfile", "clipfilename", "mediafile"),
        *("filelocation", "audiolocation", "uri", "fileuri", "datei", "fichier"),
        *("archivo", "clip"),
    ),
    "emotion": (
        *("emotion", "label", "emotions", "labels", "emotionlabel", "emotionname", "labelname"),
        *("labeltext", "emotiontext", "labelstring", "émotion", "emoción", "emocion"),
        *("emotionclass", "emotioncategory", "emotiontype", "emotionalstate", "class", "classname"),
        *("classlabel", "category", "categoryname", "target", "emo", "emolabel", "affect"),
        *("sentiment", "groundtruth", "tag", "emotionid", "labelid", "emotioncode", "classid"),
    ),
    "speaker": tuple(
        dict.fromkeys(
            name for word in SPEAKERS for mark in IDS for name in (word + mark, mark + word)
        )
    )
    + SHORT_IDS,
    "start": (
        *("start", "starttime", "timestart", "startoffset", "segmentstart", "clipstart", "onset"),
        *("onsettime", "begin", "begintime", "timebegin", "beginning", "tmin", "xmin"),
        *("anfang", "beginn", "début", "debut", "inicio", "inizio", "startzeit", "anfangszeit"),
        *("startpoint", "startpos", "startposition", "timeonset", "onsets"),
    ),
    "end": (
        *("end", "endtime", "timeend", "endoffset", "segmentend", "clipend", "stop", "stoptime"),
        *("finish", "tmax", "xmax", "offsettime", "ende", "fin"),
        *("fine", "endzeit", "endpoint", "endpos", "endposition", "timeoffset"),
    ),
    "duration": ("duration", "dur", "length", "len", "segmentduration", "clipduration", "dauer"),
    "clip": ("clip", "clipid", "clipname"),
}
SECOND = re.compile(r"(?<=[^\W\d])\.\d$")  # pandas adds it to the second column of a name
OFFSET = "offset"  # a start beside a duration, an end beside an onset, else unclear
# The unit that a name may end with, and its option value; the longer ones first.
UNIT_ENDS = {
    **dict.fromkeys(("hhmmssmsec", "hhmmssms", "ssmsec"), "s"),  # of ELAN's tables
    **dict.fromkeys(("milliseconds", "millisecond", "millis", "msec", "ms"), "ms"),
    **dict.fromkeys(("samples", "sample", "frames", "frame"), "samples"),
    **dict.fromkeys(("minutes", "minute", "mins", "min"), "min"),
    **dict.fromkeys(("seconds", "second", "secs", "sec", "s"), "s"),
}
TIMES = ("start", "end", "duration")
OPTION_OF = {role: f"{role}_column" for role in NAMES if role != "clip"}
COLUMN_OPTIONS: Options = {"column": None, **dict.fromkeys(OPTION_OF.values()), "unit": None}


# The names that say themselves what they are, however they are written (see `folded`).
EVIDENT = {
    "file": ("file", "filename", "path", "filepath"),
    "emotion": ("emotion", "label"),
    "speaker": ("speaker", "speakerid"),
    "start": ("start",),
    "end": ("end",),
}


class Named(NamedTuple):
    """A column whose name fits a role: its rank (0: the most exact), and the unit in its name."""

    rank: int
    said: bool
    column: str
    unit: str | None


def folded(name: str) -> str:
    """A column's name without case, blanks, `_`, `-` and other signs, and pandas's ".1"."""
    name = SECOND.sub("", name)
    return "".join(filter(str.isalnum, normalize("NFKC", name).casefold()))


def fitting(role: str, columns: Sequence[str]) -> list[Named]:
    """The columns that a role's names fit, the most exact first; of one name in their order."""
    ranks = {name: rank for rank, name in enumerate(NAMES[role])}
    found = []
    for column in columns:
        name, unit = folded(column), None
        if name not in ranks and role in TIMES:
            name, unit = _without_unit(name)
        if name in ranks:
            found.append(Named(ranks[name], column not in SILENT.get(role, ()), column, unit))
    return sorted(found, key=lambda one: one[:2])


def _without_unit(name: str) -> tuple[str, str | None]:
    for end, unit in UNIT_ENDS.items():
        if name.endswith(end):
            return name.removesuffix(end), unit
    return name, None


def unit_in(name: str) -> str | None:
    """The unit that is the last word of a column's name: "ms" of start_ms, none of tmin."""
    words = words_of(name)
    return UNIT_ENDS.get(words[-1]) if words else None


def words_of(name: str) -> list[str]:
    """ "sampleRate_hz" -> ["sample", "rate", "hz"]."""
    words = re.findall(r"[A-Z]?[^\W\dA-Z_]+|[A-Z]+|\d+", name)
    return [word.casefold() for word in words]


def wanted_column(role: str, options: Options) -> str | None:
    """The column that the options name for a role; `column` is another word for the emotion's."""
    wanted = options.get(OPTION_OF.get(role, ""))
    short = options.get("column") if role == "emotion" else None
    if None not in (wanted, short) and wanted != short:
        raise UsageError(
            f"column and emotion_column are two words for one option; got {short!r} and {wanted!r}"
        )
    found = short if wanted is None else wanted
    return None if found is None else str(found)
