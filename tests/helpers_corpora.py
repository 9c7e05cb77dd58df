"""Trees of files with the published names and counts of each named corpus; the files are empty."""

from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, islice, product
from pathlib import Path

VIVAE_EMOTIONS = ("achievement", "anger", "fear", "pain", "pleasure", "surprise")
VIVAE_SPEAKERS = (93, 101, 101, 108, 111, 111, 103, 108, 108, 87, 54)  # published, S01 to S11
VIVAE_COUNTS = (161, 174, 176, 185, 202, 187)
INTENSITIES = ("low", "moderate", "strong", "peak")
ASVP_COUNTS = (447, 281, 1172, 964, 389, 1001, 709, 1094, 131, 330, 778, 77, 172)
EMODB_COUNTS = {"W": 127, "L": 81, "E": 46, "A": 69, "F": 71, "T": 62, "N": 79}
EMODB_SPEAKERS = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
CREMA_SENTENCES = (
    "DFA",
    "IEO",
    "IOM",
    "ITH",
    "ITS",
    "IWL",
    "IWW",
    "MTI",
    "TAI",
    "TIE",
    "TSI",
    "WSI",
)


def touch(root: Path, names: Iterable[str]) -> Path:
    """Empty files, and the folders they lie in."""
    made: set[Path] = set()
    for name in names:
        file = root / name
        if file.parent not in made:
            file.parent.mkdir(parents=True, exist_ok=True)
            made.add(file.parent)
        file.touch()
    return root


def emogator() -> Iterator[str]:
    for speaker, emotion, take in product(range(1, 358), range(1, 31), range(1, 4)):
        yield f"data/mp3/{speaker:06d}-{emotion:02d}-{take}.mp3"


def vivae() -> Iterator[str]:
    """Who says what is made up; the sums over speakers and over emotions are the published ones."""
    speakers = (f"S{i:02d}" for i, n in enumerate(VIVAE_SPEAKERS, 1) for _ in range(n))
    left = dict(zip(VIVAE_EMOTIONS, VIVAE_COUNTS, strict=True))
    turn = cycle(VIVAE_EMOTIONS)
    for index, speaker in enumerate(speakers):
        emotion = next(e for e in turn if left[e])
        left[emotion] -= 1
        digits = 3 if index % 7 == 0 else 2
        intensity = INTENSITIES[index % 4]
        yield f"VIVAE/full_set/{speaker}_{emotion}_{intensity}_{index % 90 + 10:0{digits}d}.wav"


def vivae_core() -> Iterator[str]:
    cells = product(range(1, 11), VIVAE_EMOTIONS, INTENSITIES, (1, 2))
    for speaker, emotion, intensity, item in cells:
        yield f"VIVAE/core_set/S{speaker:02d}_{emotion}_{intensity}_{item:02d}.wav"


def jnv() -> Iterator[str]:
    """105 clips a speaker, with both spellings of the emotions that have two."""
    spellings = (
        "angry",
        "anger",
        "disgust",
        "fear",
        "happy",
        "happiness",
        "sad",
        "sadness",
        "surprise",
    )
    cells = product(range(1, 13), spellings, "FR")
    for index, (phrase, emotion, session) in enumerate(islice(cells, 105)):
        for speaker in ("F1", "F2", "M1", "M2"):
            yield f"JNV/{speaker}/{speaker}_{emotion}_{phrase + index // 90:02d}_{session}.wav"


def asvp_esd(channel: str = "02", part: str = "Audio") -> Iterator[str]:
    """130 media sources, one of them in the folder `actor_`; 8 to 12 codes a name."""
    emotions = (f"{i:02d}" for i, n in enumerate(ASVP_COUNTS, 1) for _ in range(n))
    for index, emotion in enumerate(emotions):
        actor = index % 130
        code = f"{actor:02d}" if actor else ""
        more = ("", "-01", "-01-16", "-02-16-00", "-02-01-16-00")[index % 5]
        intensity, source = f"{1 + index % 2:02d}", f"{1 + index % 3:02d}"
        name = f"03-{channel}-{emotion}-{intensity}-{index:04d}-{code}-02-{source}{more}"
        yield f"ASVP-ESD-Update/{part}/actor_{code}/{name}.wav"


def crema_d() -> Iterator[str]:
    """1,271 clips of each emotion but 1,087 neutral ones; one name has a level of one letter."""
    for emotion, clips in (
        *((e, 1271) for e in ("ANG", "DIS", "FEA", "HAP", "SAD")),
        ("NEU", 1087),
    ):
        cells = product(("XX", "LO", "MD", "HI"), CREMA_SENTENCES, range(1001, 1092))
        for level, sentence, actor in islice(cells, clips):
            odd = (actor, sentence, emotion, level) == (1040, "ITH", "SAD", "XX")
            yield f"AudioWAV/{actor}_{sentence}_{emotion}_{'X' if odd else level}.wav"


def emodb() -> Iterator[str]:
    for letter, clips in EMODB_COUNTS.items():
        cells = product("ab", ("01", "02", "04", "05", "07", "10"), "abcd", EMODB_SPEAKERS)
        for side, text, version, speaker in islice(cells, clips):
            yield f"wav/{speaker}{side}{text}{letter}{version}.wav"


def ravdess() -> Iterator[str]:
    for actor, emotion, intensity, statement, repetition in product(
        range(1, 25), range(1, 9), (1, 2), (1, 2), (1, 2)
    ):
        if (emotion, intensity) != (1, 2):
            codes = (3, 1, emotion, intensity, statement, repetition, actor)
            yield f"Actor_{actor:02d}/{'-'.join(f'{code:02d}' for code in codes)}.wav"


TREES: dict[str, Callable[[], Iterator[str]]] = {
    "emogator": emogator,
    "vivae": vivae,
    "jnv": jnv,
    "asvp-esd": asvp_esd,
    "crema-d": crema_d,
    "emodb": emodb,
    "ravdess": ravdess,
}
