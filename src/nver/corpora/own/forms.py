"""Which form a user's own corpus has: a table, an audformat database, an audiofolder, folders."""

from difflib import get_close_matches
from pathlib import Path

from nver.corpora.own.audformat import index_tables
from nver.corpora.own.audiofolder import metadata_files
from nver.corpora.own.folder import SPLITS
from nver.corpora.own.rows import TABLE_SUFFIXES
from nver.errors import CorpusError, UsageError
from nver.registry import CORPORA

FORMS = ("folder", "table", "audformat", "audiofolder")  # names of the registry
NEAR = 0.8  # difflib's ratio from which a name is taken for a misspelt one (our choice)


def find_form(name: str, root: Path) -> str:
    """The form of the corpus at `root`, whose name is not in the registry.

    Raises:
        CorpusError: nothing lies there, or no corpus of a known form.
        UsageError: the name is nearly the name of a known corpus, and at `root` there are only
            folders, or no known form.
    """
    if not root.exists():
        raise CorpusError(f"{name}: {root} does not exist")
    form = _form_of(root)
    near = get_close_matches(name, [n for n in CORPORA if n not in FORMS], n=1, cutoff=NEAR)
    hint = f"; did you mean the corpus {near[0]!r}?" if near else ""
    if form is None:
        kind = UsageError if near else CorpusError
        raise kind(
            f"{name}: {root} is not a corpus of a known form: a table (.csv, .tsv, .jsonl "
            f"with the columns file and emotion), a folder with metadata.csv or metadata.jsonl, "
            f"an audformat database (db.yaml), or a folder with a folder an emotion{hint}"
        )
    if form == "folder" and near:
        raise UsageError(f"unknown corpus {name!r}{hint} (if not: give form='folder')")
    return form


def _form_of(root: Path) -> str | None:
    if root.is_file():
        return "table" if root.suffix.lower() in TABLE_SUFFIXES else None
    if (root / "db.yaml").is_file() or index_tables(root):
        return "audformat"
    folders = [f.name for f in root.iterdir() if f.is_dir() and not f.name.startswith(".")]
    if metadata_files(root) or (folders and all(name.lower() in SPLITS for name in folders)):
        return "audiofolder"
    return "folder" if folders else None
