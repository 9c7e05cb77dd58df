"""A person's own corpus in audformat: a database folder, or one of its tables as a CSV file.

Specification: https://audeering.github.io/audformat/. The header (db.yaml) is read by the package
audformat; a table in CSV needs no package. Pickled tables are never read.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nver.corpora.base import CorpusCard
from nver.corpora.file_tree import Skip
from nver.corpora.own.clips import EMOTION_NAMES, Roles, clips_of
from nver.corpora.own.rows import Columns, read_columns, read_header
from nver.corpora.own.table import OWN
from nver.errors import CorpusError, MissingExtraError, UsageError, unknown_name

if TYPE_CHECKING:
    import pandas as pd

SPEAKER = "speaker"  # the usual scheme, in the table of emotions or in another table of the files


def read_audformat(root: Path, options: Mapping[str, Any]) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """(table, skipped) of a database folder, or of a CSV file with the index file[, start, end].

    `table`: the table of the database, else the one with an emotion; `column` and
    `speaker_column`: its columns, else emotion or label, and speaker.

    Raises:
        MissingExtraError: the folder has a db.yaml and the package is not installed.
        UsageError: there are several tables to choose from.
    """
    base = root.absolute() if root.is_dir() else root.absolute().parent
    if (root / "db.yaml").is_file():
        columns, skipped = _of_database(base, options)
    else:
        columns, skipped = read_columns(root if root.is_file() else _index_table(root, options))
    roles = Roles(options["column"], options["speaker_column"])
    return clips_of(columns, base, roles=roles, source=root, skipped=skipped)


def index_tables(root: Path) -> dict[str, Path]:
    """name -> CSV file right in a folder whose first column is `file`, as audformat writes them."""
    found = [f for f in sorted(root.glob("*.csv")) if read_header(f)[:1] == ["file"]]
    return {f.stem.removeprefix("db."): f for f in found}


def _index_table(root: Path, options: Mapping[str, Any]) -> Path:
    tables = index_tables(root)
    return tables[_choose(root, list(tables), options["table"])]


def _choose(root: Path, names: list[str], asked: str | None) -> str:
    if asked is not None and asked not in names:
        raise unknown_name(f"table of {root}", asked, names)
    if not names:
        raise CorpusError(f"{root}: expected db.yaml, or a CSV file whose first column is file")
    if asked is None and len(names) > 1:
        raise UsageError(f"{root} has several tables; give table=, one of {', '.join(names)}")
    return asked or names[0]


def _of_database(root: Path, options: Mapping[str, Any]) -> tuple[Columns, list[Skip]]:
    """The columns of the table of emotions, with the speaker from another table if need be."""
    schemes = _header(root)
    wanted = [options["column"]] if options["column"] else list(EMOTION_NAMES)
    fitting = [name for name, have in schemes.items() if any(w in have for w in wanted)]
    name = _choose(root, list(schemes) if options["table"] else fitting, options["table"])
    columns, skipped = _read(root, name)
    speaker = options["speaker_column"] or SPEAKER
    elsewhere = next((t for t, have in schemes.items() if speaker in have), None)
    if speaker not in columns and elsewhere is not None:
        files, _ = _read(root, elsewhere)
        speakers = dict(zip(files["file"], files[speaker], strict=True))
        columns[speaker] = [speakers.get(file, "") for file in columns["file"]]
    return columns, skipped


def _header(root: Path) -> dict[str, list[str]]:
    """table -> its columns."""
    try:
        import audformat
    except ImportError:
        raise MissingExtraError("an audformat database", "audformat") from None
    try:
        database = audformat.Database.load(str(root), load_data=False)
    except Exception as error:  # a YAML error or one of the package's own
        raise CorpusError(f"{root / 'db.yaml'}: is no header of audformat ({error})") from error
    return {name: list(database.tables[name].columns) for name in database.tables}


def _read(root: Path, name: str) -> tuple[Columns, list[Skip]]:
    parquet, text = root / f"db.{name}.parquet", root / f"db.{name}.csv"
    if parquet.is_file():
        import pandas as pd

        frame = pd.read_parquet(parquet)
        cells = {c: frame[c].astype(object).where(frame[c].notna(), "") for c in frame}
        return {str(c): [str(value) for value in column] for c, column in cells.items()}, []
    if text.is_file():
        return read_columns(text)
    raise CorpusError(
        f"{root}: the table {name!r} lies there neither as CSV nor as parquet (pickle is not read)"
    )


AUDFORMAT = CorpusCard(
    name="audformat",
    title="Your own: an audformat database, or a CSV table with its index",
    citation=OWN,
    licence=OWN,
    url="https://audeering.github.io/audformat/",
    read=read_audformat,
    options={"table": None, "column": None, "speaker_column": None},
)
