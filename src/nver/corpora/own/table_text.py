"""The lines of a table file, whatever its encoding: UTF-8, UTF-16 with its mark, Windows-1252."""

import codecs
import re
from pathlib import Path
from typing import NamedTuple

from nver.errors import CorpusError

# The longer mark first: UTF-32's begins as UTF-16's does.
BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
NOT_UTF8 = re.compile("[\\udc80-\\udcff\\ufffd]")  # what `decode` leaves of bytes that are no text
BEYOND_ASCII = re.compile("[^\\x00-\\x7f\\udc80-\\udcff]")
# Bytes that are letters of Western Europe, or signs around them, in Windows-1252. Missing: C2 and
# C3, which begin a letter in UTF-8, and letters of Icelandic, which random bytes are as often.
WESTERN = frozenset(
    "ÀÁÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜßàáâãäåæçèéêëìíîïñòóôõöøùúûüŠšŽžŒœŸ‘’“”–—…°«»\xa0".encode("cp1252")
)
IN_A_ROW = re.compile(rb"[\x80-\xff]{2}")
BESIDE = re.compile(rb"[A-Za-z][\x80-\xff]|[\x80-\xff][A-Za-z]")
BAD_LINE = "the line is not UTF-8; save the table in UTF-8"
NUL = "the line has NUL bytes"


class Text(NamedTuple):
    """The lines of a file without their ends, and a sentence on how it was read."""

    lines: list[str]
    warnings: tuple[str, ...] = ()


def read_text(table: Path, most: int | None = None) -> Text:
    """The lines of a table, or of its first `most` bytes; see `fault_of` for lines that are none.

    Raises:
        CorpusError: it looks like UTF-16 without its mark.
    """
    with table.open("rb") as file:
        data = file.read() if most is None else file.read(most)
    for bom, encoding in BOMS:
        if data.startswith(bom):
            return Text(_lines(data[len(bom) :].decode(encoding, _on_error(encoding))))
    if data[:2].count(0) == 1:
        raise CorpusError(f"{table}: UTF-16 without its mark; save the table in UTF-8")
    text = data.decode("utf-8", "surrogateescape")
    lines = _lines(text)
    if text.isascii():
        return Text(lines)
    bad = [line for line in lines if NOT_UTF8.search(line)]
    if not bad or BEYOND_ASCII.search(text) or not all(map(_is_western, bad)):
        return Text(lines)
    example = bad[0].encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    said = (
        f"{table.name} is not in UTF-8 and was read as Windows-1252 (Latin-1), for example "
        f"{example.strip()[:60]!r}; if that is wrong, save the table in UTF-8"
    )
    return Text(_lines(data.decode("cp1252", "replace")), (said,))


def fault_of(line: str) -> str:
    """Why a line cannot be read, "" if it can."""
    if "\0" in line:
        return NUL
    return BAD_LINE if not line.isascii() and NOT_UTF8.search(line) else ""


def _on_error(encoding: str) -> str:
    return "surrogateescape" if encoding == "utf-8" else "replace"


def _lines(text: str) -> list[str]:
    """Lines that end as in Unix, Windows or an old Mac, and nowhere else."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def _is_western(line: str) -> bool:
    """Whether the bytes that are no UTF-8 are letters in Windows-1252, alone or beside others.

    Two of them in a row are a letter of another script, unless plain letters stand beside.
    """
    data = line.encode("utf-8", "surrogateescape")
    high = {byte for byte in data if byte > 127}
    return high <= WESTERN and (BESIDE.search(data) is not None or not IN_A_ROW.search(data))
