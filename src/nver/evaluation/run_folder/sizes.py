"""How many bytes each file of a run has, so that one that is cut off later is seen."""

import json
from collections.abc import Iterator
from pathlib import Path

from nver.errors import NverError
from nver.evaluation.run_folder import layout
from nver.machine.files import write_whole

CHUNK = 2**20  # bytes looked at at a time: bounds memory


def save_sizes(folder: Path) -> None:
    """Write down the bytes of every file of a run and of its cells: the last file of a run."""
    files = [folder / name for name in layout.SIZED]
    files += sorted((folder / layout.CELLS).glob("*.csv"))
    sizes = {f.relative_to(folder).as_posix(): f.stat().st_size for f in files if f.exists()}
    write_whole(folder / layout.SIZES, json.dumps(sizes, indent=1) + "\n")


def forget_sizes(folder: Path) -> None:
    """Remove what `save_sizes` wrote, before the files are written anew."""
    (folder / layout.SIZES).unlink(missing_ok=True)


def check_whole(folder: Path) -> None:
    """Raise `NverError` if a file beside the cells is cut off; it says which, and what to do."""
    cells = folder / layout.CELLS
    cut = {file: said for file, said in cut_off(folder).items() if file.parent != cells}
    if cut:
        raise NverError(
            f"{'; '.join(cut.values())}. The same `nver run` again writes it from the finished "
            f"cells; if it was made shorter on purpose, remove {folder / layout.SIZES}"
        )


def cut_off(folder: Path) -> dict[Path, str]:
    """file -> how it is cut off: shorter than when the run ended, or with NUL bytes in it.

    Raises:
        NverError: the list of sizes is damaged.
    """
    found = {}
    for file, size in _sizes(folder).items():
        if not file.exists():
            continue
        now = file.stat().st_size
        if now < size:
            found[file] = f"{file}: cut off, it has {now:,} of {size:,} bytes"
        elif _has_nul(file):
            found[file] = f"{file}: damaged, it holds NUL bytes"
    return found


def is_table_whole(file: Path) -> bool:
    """Whether a table ends as a line does, which is all that is known of a run under way."""
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - 1))
        return stream.read() == b"\n"


def _sizes(folder: Path) -> dict[Path, int]:
    """The sizes as the run wrote them; none where it has not ended, or is of an older nver."""
    path = folder / layout.SIZES
    if not path.exists():
        return {}
    try:
        sizes = json.loads(path.read_text("utf-8"))
        return {folder / name: int(size) for name, size in sizes.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise NverError(
            f"{path}: damaged ({error}); the same `nver run` again writes it, or remove it"
        ) from error


def _has_nul(file: Path) -> bool:
    return any(b"\0" in chunk for chunk in _chunks(file))


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk
