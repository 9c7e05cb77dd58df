"""Which form a user's own corpus has: a table, an audformat database, an audiofolder, folders."""

from difflib import get_close_matches
from pathlib import Path

from nver.corpora.base import Options
from nver.corpora.file_tree import walk
from nver.corpora.own.audformat import index_tables
from nver.corpora.own.audiofolder import metadata_files
from nver.corpora.own.folder import has_emotion_folders
from nver.corpora.own.folder_names import SPLITS
from nver.corpora.own.known_names import published_name
from nver.corpora.own.other_tables import columns_of, lacks
from nver.corpora.own.patterns import emotion_offer
from nver.corpora.own.rows import TABLE_SUFFIXES, WORKBOOKS
from nver.errors import CorpusError, UsageError
from nver.registry import CORPORA

FORMS = ("folder", "table", "audformat", "audiofolder")  # names of the registry
NEAR = 0.8  # difflib's ratio from which a name is taken for a misspelt one (our choice)


def find_form(name: str, root: Path, options: Options) -> str:
    """The form of the corpus at `root`, whose name is not in the registry.

    Raises:
        CorpusError: nothing lies there, or no corpus of a known form.
        UsageError: the name is nearly the name of a known corpus, and at `root` there are only
            folders, or no known form.
    """
    if not root.exists():
        raise CorpusError(f"{name}: {root} does not exist")
    form = _form_of(root, options)
    near = get_close_matches(name, [n for n in CORPORA if n not in FORMS], n=1, cutoff=NEAR)
    hint = f"; did you mean the corpus {near[0]!r}?" if near else ""
    if form is None:
        kind = UsageError if near else CorpusError
        raise kind(
            f"{name}: {root} is not a corpus of a known form: a table (.csv, .tsv, .jsonl "
            f"with the columns file and emotion), a folder with metadata.csv or metadata.jsonl, "
            f"an audformat database (db.yaml), or a folder with a folder an emotion"
            f"{_of_files_alone(root)}{hint}"
        )
    if form == "folder" and near:
        raise UsageError(f"unknown corpus {name!r}{hint} (if not: give form='folder')")
    return form


def _form_of(root: Path, options: Options) -> str | None:
    if root.is_file():
        return "table" if root.suffix.lower() in TABLE_SUFFIXES else None
    if options.get("layout") or options.get("emotion_pattern"):
        return "folder"
    if (root / "db.yaml").is_file() or _has_index(root, options):
        return "audformat"
    folders = [f.name for f in root.iterdir() if f.is_dir() and not f.name.startswith(".")]
    if metadata_files(root) or (folders and all(name.lower() in SPLITS for name in folders)):
        return "audiofolder"
    return "folder" if folders else None


def _has_index(root: Path, options: Options) -> bool:
    """Whether a table of audformat lies there; one without emotions counts for less than folders
    of emotions.
    """
    tables = index_tables(root).values()
    usable = any(not lacks(columns_of(table), options) for table in tables)
    return usable or (bool(tables) and not has_emotion_folders(root))


def _of_files_alone(root: Path) -> str:
    """What to do with a folder of audio files and tables without folders, for a message."""
    if not root.is_dir():
        return "; export it as CSV in UTF-8" if root.suffix.lower() in WORKBOOKS else ""
    tables = [f for f in sorted(root.iterdir()) if f.suffix.lower() in TABLE_SUFFIXES]
    whole = [str(table) for table in tables if not lacks(columns_of(table), {})]
    if whole:
        return f"; give the table as the root: {whole[0]}"
    audio = walk(root)[0]
    if not audio:
        return ""
    if published := published_name(audio, root):
        return f". The files are named as in {published}: `nver corpus {published} --root {root}`"
    return f". Where the names of the files say the emotion, {emotion_offer(audio)}"
