"""Which kind of file a recording is, by its first bytes, and where they say nothing by its suffix.

Only what libsndfile does not read is named here; `nver.audio.media` reads it.
"""

import io
import struct
from pathlib import Path

from nver.audio.chunks import CONTAINERS, form_chunk
from nver.audio.mp3_frames import after_id3

# Suffix -> kind, of what people record in and libsndfile does not read.
MEDIA_SUFFIXES = {
    **dict.fromkeys((".m4a", ".m4b", ".m4r", ".m4p", ".mp4", ".m4v", ".mov", ".qt"), "MP4"),
    **dict.fromkeys((".aax", ".3gp", ".3gpp", ".3g2", ".3ga"), "MP4"),
    **dict.fromkeys((".webm", ".weba", ".mkv", ".mka"), "Matroska"),
    **dict.fromkeys((".wma", ".wmv", ".asf"), "Windows Media"),
    **dict.fromkeys((".ts", ".mts", ".m2ts"), "an MPEG transport stream"),
    **dict.fromkeys((".mpg", ".mpeg", ".vob"), "MPEG"),
    **dict.fromkeys((".aac", ".adts"), "AAC"),
    **dict.fromkeys((".amr", ".awb"), "AMR"),
    **dict.fromkeys((".ac3", ".eac3"), "AC-3"),
    **dict.fromkeys((".spx", ".ogv", ".ogx"), "Ogg"),
    **dict.fromkeys((".ra", ".rm"), "RealAudio"),
    ".ape": "Monkey's Audio",
    ".wv": "WavPack",
    ".tta": "True Audio",
    ".tak": "TAK",
    ".mpc": "Musepack",
    ".dts": "DTS",
    ".avi": "AVI",
    ".flv": "Flash video",
    ".dss": "DSS",
    ".oma": "ATRAC",
    ".qcp": "QCP",
}
HEADERLESS_SUFFIXES = {".raw", ".pcm", ".gsm", ".g722"}
NO_HEADER = "samples without a header: neither their rate nor their form is known; convert to WAV"

HEAD = 4096  # bytes that are looked at
_STARTS = {
    b"\x1aE\xdf\xa3": "Matroska",
    bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"): "Windows Media",
    b"#!AMR": "AMR",
    b"MAC ": "Monkey's Audio",
    b"wvpk": "WavPack",
    b"TTA1": "True Audio",
    b"TTA2": "True Audio",
    b"tBaK": "TAK",
    b"MP+": "Musepack",
    b"MPCK": "Musepack",
    b"\x0bw": "AC-3",
    b"\x7f\xfe\x80\x01": "DTS",
    b"FLV\x01": "Flash video",
    b"\x00\x00\x01\xba": "MPEG",
    b".RMF": "RealAudio",
    b".ra\xfd": "RealAudio",
    b"\x02dss": "DSS",
    b"\x03ds2": "DSS",
    b"ea3\x03": "ATRAC",
}
# What a file of ISO 14496-12 or QuickTime begins with, behind four bytes of length.
MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"moof", b"styp")
# What libsndfile decodes: WAVE format tags, codecs of CAF and AIFF-C, streams of Ogg.
_WAVE_TAGS = {1, 2, 3, 6, 7, 0x11, 0x31, 0x38, 0x40, 0x55, 0xFFFE}
_CAF_CODECS = {b"lpcm", b"alac", b"alaw", b"ulaw"}
_AIFC_CODECS = {
    *(b"NONE", b"sowt", b"twos", b"raw ", b"in24", b"in32", b"42n1", b"ni24", b"23ni"),
    *(b"fl32", b"FL32", b"fl64", b"FL64", b"ulaw", b"ULAW", b"alaw", b"ALAW", b"ima4", b"GSM "),
    *(b"DWVW", b"dwvw"),
}
_OGG_FOREIGN = (b"Speex   ", b"\x80theora", b"BBCD", b"\x01video")
_SNDFILE_STARTS = (
    *(b"RIFF", b"RIFX", b"RF64", b"riff", b"FORM", b"fLaC", b"OggS", b".snd", b"dns.", b"caff"),
    *(b"NIST", b"Creative Voice", b"ID3", b"\xff", b" paf", b"fap ", b"PVF1", b"2BIT", b"ALaw"),
)


def container_of(path: Path) -> str:
    """The kind of a file that libsndfile does not read and PyAV may, "" for any other.

    Raises:
        OSError: it cannot be read.
    """
    head = _head(path)
    kind = _by_bytes(head)
    if kind or not head or head.startswith(_SNDFILE_STARTS):
        return kind
    return MEDIA_SUFFIXES.get(path.suffix.lower(), "")


def _head(path: Path) -> bytes:
    """The first bytes of a file, behind an ID3v2 tag if there is one."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        if not (start := after_id3(head)):
            return head
        file.seek(start)
        return file.read(HEAD) or head


def _by_bytes(head: bytes) -> str:
    """The kind of file that the first bytes name, "" for what libsndfile reads or nobody knows."""
    for start, kind in _STARTS.items():
        if head.startswith(start):
            return kind
    if head[4:8] in MP4_BOXES:
        return "MP4"
    if head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xF6 == 0xF0:
        return "AAC"  # the sync word of ADTS; an MP3's layer is not 0
    if len(head) > 376 and head[0] == head[188] == head[376] == 0x47:
        return "an MPEG transport stream"
    if len(head) > 388 and head[4] == head[196] == head[388] == 0x47:
        return "an MPEG transport stream"  # of a camera, with 4 bytes before each packet
    return _by_codec(head)


def _by_codec(head: bytes) -> str:
    """The kind of a file that libsndfile knows, with a codec that it does not."""
    kind = head[8:12]
    if head[:4] == b"OggS" and len(head) > 27:
        packet = head[27 + head[26] :]
        return "Ogg with Speex or pictures" if packet.startswith(_OGG_FOREIGN) else ""
    if head[:4] == b"RIFF" and kind == b"AVI ":
        return "AVI"
    if head[:4] == b"RIFF" and kind == b"QLCM":
        return "QCP"
    if head[:4] in (b"RIFF", b"RF64") and kind == b"WAVE":
        body = form_chunk(io.BytesIO(head), CONTAINERS[head[:4]])
        tag = struct.unpack("<H", body[:2])[0] if len(body) >= 14 else 1
        return "" if tag in _WAVE_TAGS else f"WAV with the codec 0x{tag:04X}"
    if head[:4] == b"FORM" and kind == b"AIFC":
        codec = form_chunk(io.BytesIO(head), CONTAINERS[b"FORM"])[18:22]
        return "" if len(codec) < 4 or codec in _AIFC_CODECS else f"AIFF-C with {codec!r}"
    if head[:4] == b"caff" and head[8:12] == b"desc":
        codec = head[28:32]
        return "" if len(codec) < 4 or codec in _CAF_CODECS else f"CAF with {codec!r}"
    return ""
