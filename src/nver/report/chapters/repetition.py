"""How to make the run again: commands, recipe, environment."""

import shlex

from nver.evaluation.run_folder.saved_run import SavedRun
from nver.report.chapter import Chapter


def environment_rows(run: SavedRun) -> list[tuple[str, str]]:
    """(what, value) of the saved environment, packages one by one."""
    flat = {**run.environment}
    packages = flat.pop("packages", None) or {}
    rows = [
        (key, shlex.join(map(str, value)) if isinstance(value, list) else str(value))
        for key, value in flat.items()
    ]
    return rows + [(str(k), "not installed" if v is None else str(v)) for k, v in packages.items()]


def commands(run: SavedRun) -> list[str]:
    """The lines that make the run again from its own recipe, and this page from the run."""
    version = run.environment.get("nver")
    folder = shlex.quote(run.folder.resolve().name)
    return [
        f'pip install "nver=={version}"' if version else "pip install nver",
        f"nver run {folder}/recipe.toml --out again  # trains and tests again",
        f"nver report {folder}  # this page, from the saved predictions",
    ]


CHAPTER = Chapter(
    anchor="again",
    title="Recipe and environment",
    content=lambda tables, _: {
        "commands": commands(tables.run),
        "recipe": tables.run.recipe,
        "environment": environment_rows(tables.run),
    },
    template="repetition.html.j2",
)
