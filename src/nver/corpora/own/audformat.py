"""A user's own corpus in audformat: a database folder, or one of its tables as a CSV file.

Specification: https://audeering.github.io/audformat/. The header (db.yaml) is read by the package
audformat; a table in CSV needs no package. Pickled tables are never read.
"""

from pathlib import Path

from nver.corpora.base import Options, Tables
from nver.corpora.own import own_card
from nver.corpora.own.column_names import fitting, wanted_column
from nver.corpora.own.folder import or_folders
from nver.corpora.own.other_tables import with_audio_in_no_row
from nver.corpora.own.plain_yaml import check_plain_yaml
from nver.corpora.own.rows import Columns, Read, read_columns, read_header
from nver.corpora.own.table_clips import TABLE_OPTIONS, table_clips
from nver.errors import CorpusError, MissingExtraError, UsageError, check_choice


def read_audformat(root: Path, options: Options) -> Tables:
    """The tables of a database folder, or of a CSV file with the index file[, start, end].

    `table`: the table of the database, by default the one with an emotion; the other options name
    its columns, see `choose_columns`.

    Raises:
        MissingExtraError: the folder has a db.yaml and the package is not installed.
        UsageError: there are several tables to choose from.
    """
    base = root.absolute() if root.is_dir() else root.absolute().parent
    if (root / "db.yaml").is_file():
        read = _read_database(base, options)
    elif root.is_file():
        read = read_columns(root)
    else:
        tables = index_tables(root)
        read = read_columns(tables[_choose(root, list(tables), options["table"])])
    with or_folders(root):
        return with_audio_in_no_row(root, table_clips(read, base, options, root))


def index_tables(root: Path) -> dict[str, Path]:
    """name -> CSV file in a folder, not below, whose first column is `file`, as in audformat."""
    found = [f for f in sorted(root.glob("*.csv")) if read_header(f)[:1] == ["file"]]
    return {f.stem.removeprefix("db."): f for f in found}


def _choose(root: Path, names: list[str], wanted: str | None) -> str:
    """The wanted table's name, or the name of the only one."""
    if wanted is not None:
        check_choice(f"table of {root}", wanted, names)
        return wanted
    if not names:
        raise CorpusError(f"{root}: expected db.yaml, or a CSV file whose first column is file")
    if len(names) > 1:
        raise UsageError(
            f"{root} has several tables; give table=, one of {', '.join(names)}; on the command "
            f"line --corpus-option table={names[0]}"
        )
    return names[0]


def _read_database(root: Path, options: Options) -> Read:
    """The columns of the table of emotions, with the speaker from another table if need be."""
    schemes = _header(root)
    fitting_tables = [name for name, have in schemes.items() if _column("emotion", have, options)]
    name = _choose(root, list(schemes) if options["table"] else fitting_tables, options["table"])
    read = _read_table(root, name)
    if _column("speaker", list(read.columns), options) is None:
        read.columns.update(_speakers_elsewhere(root, schemes, read.columns["file"], options))
    return read


def _speakers_elsewhere(
    root: Path, schemes: dict[str, list[str]], files: list[str], options: Options
) -> Columns:
    """The column of speakers from the first table of files that has one."""
    for table, have in schemes.items():
        column = _column("speaker", have, options)
        if column is not None:
            columns = _read_table(root, table).columns
            speakers = dict(zip(columns["file"], columns[column], strict=True))
            return {column: [speakers.get(file, "") for file in files]}
    return {}


def _column(role: str, columns: list[str], options: Options) -> str | None:
    """The column of a role, if there is one."""
    wanted = wanted_column(role, options)
    if wanted is not None:
        return wanted if wanted in columns else None
    return next((one.column for one in fitting(role, columns)), None)


def _header(root: Path) -> dict[str, list[str]]:
    """table -> its columns, from db.yaml."""
    try:
        import audformat
    except ImportError:
        raise MissingExtraError("an audformat database", "audformat") from None
    check_plain_yaml(root / "db.yaml", "a header of audformat")
    try:
        database = audformat.Database.load(str(root), load_data=False)
    except Exception as error:  # a YAML error or one of the package's own
        raise CorpusError(f"{root / 'db.yaml'}: not a header of audformat ({error})") from error
    return {name: list(database.tables[name].columns) for name in database.tables}


def _read_table(root: Path, name: str) -> Read:
    parquet, text = root / f"db.{name}.parquet", root / f"db.{name}.csv"
    if parquet.is_file():
        import pandas as pd

        frame = pd.read_parquet(parquet)
        cells = {c: frame[c].astype(object).where(frame[c].notna(), "") for c in frame}
        columns = {str(c): [str(value) for value in column] for c, column in cells.items()}
        return Read(columns, [])
    if text.is_file():
        return read_columns(text)
    raise CorpusError(
        f"{root}: the table {name!r} lies there neither as CSV nor as parquet (pickle is not read)"
    )


AUDFORMAT = own_card(
    name="audformat",
    title="Your own: an audformat database, or a CSV table with its index",
    url="https://audeering.github.io/audformat/",
    read=read_audformat,
    options={"table": None, **TABLE_OPTIONS},
)
