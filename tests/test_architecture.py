"""docs/architecture.md is a true map: its rooms are the folders, its dotted names exist."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from nver.registry import RENAMED
from test_import_direction import ROOMS

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "nver"
MAP = ROOT / "docs" / "architecture.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DOTTED = re.compile(r"\bnver(?:\.[A-Za-z_]\w*)+")


def tree() -> str:
    """The drawing of the rooms, the first block of the page."""
    return MAP.read_text("utf-8").split("```text\n")[1].split("```")[0]


def rooms() -> set[str]:
    """Every folder of the package with something in it, by its name, and the loose files."""
    folders = {file.parent for file in SOURCE.rglob("*") if file.is_file()} - {SOURCE}
    loose = {file.name for file in SOURCE.glob("*.py")} - {"__init__.py"}
    return {f"{folder.name}/" for folder in folders if folder.name != "__pycache__"} | loose


def test_every_room_is_on_the_map_and_every_room_of_the_map_exists() -> None:
    on_the_map = set(re.findall(r"[\w-]+(?:/|\.py\b)", tree()))
    assert on_the_map == rooms()


def test_the_map_has_the_rooms_in_the_order_of_imports() -> None:
    first_words = [line.split()[0] for line in tree().splitlines() if not line.startswith(" ")]
    assert [word.rstrip("/").removesuffix(".py") for word in first_words] == ROOMS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_dotted_name_of_a_page_is_one_of_today(page: Path) -> None:
    for name in sorted(set(DOTTED.findall(page.read_text("utf-8")))):
        assert name not in RENAMED, f"{page.name} has the old name {name}"
        resolve(name)


def resolve(name: str) -> object:
    """The module, class, function or method of a dotted name."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[length:]:
            found = getattr(found, attribute)
        return found
    raise AssertionError(name)


def test_paths_in_the_table_of_what_to_add_exist() -> None:
    section = MAP.read_text("utf-8").split("## Where to add what")[1].split("\n## ")[0]
    paths = re.findall(r"`([\w/]+(?:/|\.py))`", section)
    assert len(paths) > 8
    assert [path for path in paths if not (SOURCE / path).exists()] == []
