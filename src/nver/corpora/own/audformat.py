"""A user's own corpus in audformat: a database folder, or one of its tables as a CSV file.

Specification: https://audeering.github.io/audformat/. The header (db.yaml) is read by the package
audformat; a table in CSV needs no package. Pickled tables are never read.
"""

from pathlib import Path

from nver.corpora.base import Options, Tables
from nver.corpora.file_tree import Skip
from nver.corpora.own import own_card
from nver.corpora.own.clips import EMOTION_NAMES, corpus_tables
from nver.corpora.own.plain_yaml import check_plain_yaml
from nver.corpora.own.rows import Columns, read_columns, read_header
from nver.errors import CorpusError, MissingExtraError, UsageError, check_choice

SPEAKER = "speaker"  # the usual scheme, in the table of emotions or in another table of the files


def read_audformat(root: Path, options: Options) -> Tables:
    """The tables of a database folder, or of a CSV file with the index file[, start, end].

    `table`: the table of the database, by default the one with an emotion; `column` and
    `speaker_column`: its columns, by default emotion or label, and speaker.

    Raises:
        MissingExtraError: the folder has a db.yaml and the package is not installed.
        UsageError: there are several tables to choose from.
    """
    base = root.absolute() if root.is_dir() else root.absolute().parent
    if (root / "db.yaml").is_file():
        columns, skipped = _read_database(base, options)
    elif root.is_file():
        columns, skipped = read_columns(root)
    else:
        tables = index_tables(root)
        columns, skipped = read_columns(tables[_choose(root, list(tables), options["table"])])
    return corpus_tables(columns, base, options, source=root, skipped=skipped)


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
        raise UsageError(f"{root} has several tables; give table=, one of {', '.join(names)}")
    return names[0]


def _read_database(root: Path, options: Options) -> tuple[Columns, list[Skip]]:
    """The columns of the table of emotions, with the speaker from another table if need be."""
    schemes = _header(root)
    wanted = [options["column"]] if options["column"] else list(EMOTION_NAMES)
    fitting = [name for name, have in schemes.items() if any(w in have for w in wanted)]
    name = _choose(root, list(schemes) if options["table"] else fitting, options["table"])
    columns, skipped = _read_table(root, name)
    speaker = options["speaker_column"] or SPEAKER
    elsewhere = next((t for t, have in schemes.items() if speaker in have), None)
    if speaker not in columns and elsewhere is not None:
        files, _ = _read_table(root, elsewhere)
        speakers = dict(zip(files["file"], files[speaker], strict=True))
        columns[speaker] = [speakers.get(file, "") for file in columns["file"]]
    return columns, skipped


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


def _read_table(root: Path, name: str) -> tuple[Columns, list[Skip]]:
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


AUDFORMAT = own_card(
    name="audformat",
    title="Your own: an audformat database, or a CSV table with its index",
    url="https://audeering.github.io/audformat/",
    read=read_audformat,
    options={"table": None, "column": None, "speaker_column": None},
)
