"""The chunks that a WAV, RF64, W64, AIFF or CAF file consists of, and what they say of sizes."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

# A program that does not know the size, as it writes to a pipe, writes 0 or at least this.
UNKNOWN_SIZE = 0x7FFFF000
UNKNOWN_SIZE_64 = 0x7FFFFFFFFFFFF000  # the same where a size has 64 bits
FORM_BYTES = 22  # of that chunk that are looked at: up to the codec of an AIFF-C
MOST_CHUNKS = 1000  # our choice: a file has about ten; more may be a walk through rubbish


@dataclass(frozen=True)
class Container:
    """How a kind of file lays out its chunks.

    Attributes:
        form: of a chunk's header, for `struct`.
        first: the place of the first chunk.
        data: the name of the chunk that holds the samples.
        before: bytes of that chunk before its samples.
        own: bytes of a chunk's header that its size counts.
        multiple: a chunk begins at a multiple of so many bytes.
    """

    form: str
    first: int
    data: bytes
    before: int = 0
    own: int = 0
    multiple: int = 2

    @property
    def header(self) -> int:
        """The bytes of a chunk's header."""
        return struct.calcsize(self.form)


W64_DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"  # a GUID, as Sony has it
CONTAINERS = {
    b"RIFF": Container("<4sI", 12, b"data"),
    b"RIFX": Container(">4sI", 12, b"data"),
    b"RF64": Container("<4sI", 12, b"data"),
    b"FORM": Container(">4sI", 12, b"SSND", before=8),
    b"riff": Container("<16sQ", 40, W64_DATA, own=24, multiple=8),
    b"caff": Container(">4sq", 8, b"data", before=4, multiple=1),
}
AU_KINDS = {b".snd": ">", b"dns.": "<"}  # an AU has one header, of this order of bytes


@dataclass(frozen=True)
class Chunk:
    """A chunk: its name, the place of its content in the file, and its size in bytes as it says."""

    name: bytes
    place: int
    size: int


def chunks(stream: BinaryIO, kind: Container, place: int | None = None) -> Iterator[Chunk]:
    """The chunks from `place` (the first) on, as far as one leads to the next within the file."""
    end = stream.seek(0, 2)
    place = kind.first if place is None else place
    for _ in range(MOST_CHUNKS):
        if place + kind.header > end:
            return
        stream.seek(place)
        name, size = struct.unpack(kind.form, stream.read(kind.header))
        chunk = Chunk(name, place + kind.header, size - kind.own)
        yield chunk
        if chunk.size < 0:
            return
        place = chunk.place + chunk.size
        place += -place % kind.multiple


def form_chunk(stream: BinaryIO, kind: Container) -> bytes:
    """The beginning of the chunk with the rate and the codec, "fmt " or "COMM"; b"" without one."""
    for chunk in chunks(stream, kind):
        if chunk.name in (b"fmt ", b"COMM"):
            stream.seek(chunk.place)
            return stream.read(min(max(chunk.size, 0), FORM_BYTES))
    return b""


@dataclass(frozen=True)
class Samples:
    """Where a file's samples are: the place of the chunk's content, and what the header says of it.

    Attributes:
        said: its size in bytes.
        field, form: the place of the size in the file, and its form for `struct`.
        least: the size of a chunk without samples.
    """

    place: int
    said: int
    field: int
    form: str
    least: int = 0

    @property
    def is_zero(self) -> bool:
        """Whether there are no samples, or their size was not known."""
        return 0 <= self.said <= self.least

    @property
    def size(self) -> int | None:
        """The size in bytes; None: it was not known when the header was written."""
        most = UNKNOWN_SIZE if self.form[1] == "I" else UNKNOWN_SIZE_64
        return self.said if self.least < self.said < most else None


def find_samples(stream: BinaryIO, kind: Container) -> Samples | None:
    """The chunk that holds the samples; the size of an RF64 is the one in its first chunk, ds64."""
    large: Samples | None = None
    for chunk in chunks(stream, kind):
        if chunk.name == b"ds64":
            large = _ds64(stream, chunk.place)
        if chunk.name != kind.data:
            continue
        if large is not None and chunk.size in (0, 0xFFFFFFFF):
            return replace(large, place=chunk.place)
        form = kind.form[0] + kind.form[-1]
        field = chunk.place - struct.calcsize(form)
        return Samples(chunk.place, chunk.size, field, form, kind.before)
    return None


def _ds64(stream: BinaryIO, place: int) -> Samples | None:
    """The size of the samples in an RF64's ds64 chunk (EBU Tech 3306), behind the file's size."""
    stream.seek(place)
    content = stream.read(16)
    if len(content) < 16:
        return None
    (said,) = struct.unpack("<8xQ", content)
    return Samples(0, said, place + 8, "<Q")


def ends_with_chunks(stream: BinaryIO, kind: Container, place: int) -> bool:
    """Whether what follows is nothing, or whole chunks with names up to the end of the file."""
    end = stream.seek(0, 2)
    for chunk in chunks(stream, kind, place):
        if not (chunk.name.isascii() and chunk.name.decode("ascii").isprintable()):
            return False
        place = chunk.place + chunk.size
    return abs(end - place) <= 1  # the last one may lack its padding
