"""Files written whole or not at all."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

DEVICES = (Path("/dev"), Path("/dev/fd"))


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file so that a reader, or a crash, sees the old content or the new, never a part.

    Text is UTF-8; the bytes of a file name that is not go through unharmed. Into a pipe or a device
    it is written as it is.
    """
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    stands_for_another = file.absolute().parent in DEVICES  # /dev/stdout, though it be a file
    if file.exists() and (stands_for_another or not file.is_file()):
        with file.open("ab") as stream:  # what went to a file by /dev/stdout before stays there
            stream.write(data)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as temporary:
        try:
            temporary.write(data)
            temporary.flush()
            os.fsync(temporary.fileno())
            os.chmod(temporary.name, 0o644)
            os.replace(temporary.name, file)
        except BaseException:
            os.unlink(temporary.name)
            raise
