"""What the folders of a level are called after: emotions, speakers, splits, or something else."""

import re
import unicodedata
from collections.abc import Callable, Collection

from nver.corpora.own.speaker_hints import named_like_speakers

# The folder names that Hugging Face's audiofolder takes for splits, and the split they name.
SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
EMOTION, SPLIT, OTHER, STRONG, WEAK, NUMBER, UNKNOWN = (  # kinds of names
    *("emotion", "split", "other"),
    *("speaker", "numbered"),  # actor_01 or speaker-ann; s01, F1 or 001
    *("number", "unknown"),  # 1 or 12: speakers, takes, days
)
SPEAKERS = (STRONG, WEAK, NUMBER)  # from the surest down
MOST = 0.9  # the share of a level's names that must agree (our choice)
HALF = 0.5  # of emotions, as no list of words has them all (our choice)

# Words for emotions and for sounds that people make (our choice): the names in the published
# corpora's cards, their adjectives, codes of three letters, and the commonest in other languages.
WORDS_OF_EMOTIONS = """
achievement admiration adoration afraid aggression amused amusement ang anger angry anguish
annoyance annoyed anxiety anxious arousal awe awkwardness boredom bored calm confused confusion
contempt content contentment craving delight desire despair determination dis disappointed
disappointment disapproval disgust disgusted distress ecstasy elation embarrassed embarrassment
emotion enthusiasm entrancement envy exc excited excitement fatigue fea fear fearful fru
frustrated frustration fury gratitude grief guilt hap happiness happy hatred hope horror
interest irritation jealousy joy joyful loneliness love neu neutral nostalgia pain panic
pleasure pride proud rage realization regret relaxed relief relieved sad sadness sarcasm
satisfaction serenity shame shock stress sur surprise surprised sympathy tenderness terror
negative positive tired tiredness triumph upset worry
breath breathing cheer chuckle cough cry crying gasp giggle groan growl grunt gulp howl hum
laugh laughing laughs laughter moan mumble pant scream screaming shout shriek sigh sneeze sniff
snore sob sobbing squeal throat wail weep weeping whimper whisper yawn yell
angst ärger ekel freude fröhlich glück langeweile lachen neutrale scham schmerz schrei stolz
trauer traurig überraschung verachtung weinen wut wütend
colère dégoût douleur ennui joie peur rire surpris tristesse
alegría alegria asco dolor enfado ira miedo risa sorpresa tristeza
gioia paura rabbia raiva medo tristezza
"""
# Words of levels that are neither (our choice): of the recording, of its day, of the speaker's sex.
OTHER_WORDS = """
adult audio audios batch block boy cd ch chan channel clean clip clips condition corpus data
dataset day disc disk exp experiment female file files flac fold girl hi high home indoor
intensity lab level lo loud low male man md med medium men mic microphone moderate mono
month mp mp3 noise noisy normal ogg original outdoor part peak phase phone quiet raw rec recording
recordings rep repetition room round run scene scenario seg segment sentence ses sess session set
soft sound sounds stereo strong studio take takes text trial utt utterance ver version vol volume
wav wave wavs weak week woman women year
"""
EMOTIONS, OTHERS = frozenset(WORDS_OF_EMOTIONS.split()), frozenset(OTHER_WORDS.split())
PERSON = (  # words for who speaks
    r"(?:actor|actress|speaker|spkr|spk|subject|subj|participant|person|user|client|performer|"
    r"talker|voice|singer|sprecher|sprecherin|proband|probandin|vpn|vp|locuteur|hablante)"
)
OF_A_PERSON = re.compile(rf"{PERSON}(?:s|in)?(?:[ _.-]*\d+|[ _.-]+\S+)")  # actor_01, speaker-ann
LEAST_DIGITS = 3  # of a number that is taken for a speaker (our choice): a take has one or two
DATE = re.compile(
    r"(?:19|20)\d\d(?:[-_.]?(?:0[1-9]|1[0-2])(?:[-_.]?(?:0[1-9]|[12]\d|3[01]))?)?"
    r"|(?:0?[1-9]|[12]\d|3[01])[-_.](?:0?[1-9]|1[0-2])[-_.](?:19|20)?\d\d"
)


def kind_of(names: Collection[str]) -> str:
    """What nearly all of these names are; `UNKNOWN` where they agree on nothing."""
    plain = [unicodedata.normalize("NFC", name).casefold() for name in set(names)]

    def share(test: Callable[[str], object]) -> float:
        return sum(map(bool, map(test, plain))) / max(1, len(plain))

    if share(SPLITS.__contains__) == 1:
        return SPLIT
    if share(is_emotion) >= HALF:
        return EMOTION
    if share(_is_other) >= MOST:
        return OTHER
    if share(OF_A_PERSON.fullmatch) >= MOST:
        return STRONG
    if share(_is_numbered) >= MOST:
        return WEAK
    return NUMBER if share(str.isdecimal) >= MOST else UNKNOWN


def is_emotion(name: str) -> bool:
    """Whether a word of the name is a known emotion or sound: "anger", "01_Happy"."""
    return any(word in EMOTIONS for word in _words(name))


def _is_numbered(name: str) -> bool:
    digits = name.isdecimal() and len(name) >= LEAST_DIGITS
    return digits or (not name.isdecimal() and named_like_speakers([name]))


def _is_other(name: str) -> bool:
    words = _words(name)
    of_one_letter = name in ("m", "f", "w")  # sexes
    known = bool(words) and all(word in OTHERS for word in words)
    return of_one_letter or known or DATE.fullmatch(name) is not None


def _words(name: str) -> list[str]:
    """The words of a name in lower case, composed; digits and signs part them."""
    return re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", name).casefold())
