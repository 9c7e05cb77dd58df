"""Score tables written: plain text, Markdown, LaTeX."""

import re
from collections.abc import Callable, Iterator, Sequence

from nver.report.formats.sections import BEST, COLUMNS, SCORE_TITLES, Section

# --------------------------------------------------------------------------------- plain text


def text_tables(tables: Sequence[Section]) -> str:
    """Every table aligned for a terminal."""
    return "\n\n".join(_text_section(table) for table in tables)


def _text_section(section: Section) -> str:
    wide = any(cell.high >= 99.95 for row in section.rows for cell in row.cells)
    grid = aligned(COLUMNS, _grid(section, lambda text: _flush(text, 5 if wide else 4)))
    return "\n".join([section.title, "", grid, "", *section.notes])


def _flush(text: str, width: int) -> str:
    """The ends of an interval, " [3.1, 12.0]", as wide as in the other rows."""
    return re.sub(
        r" \[([\d.]+), ([\d.]+)\]( \*)?$",
        lambda found: f" [{found[1]:>{width}}, {found[2]:>{width}}]{found[3] or ''}",
        text,
    )


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]], names: int = 2) -> str:
    """Columns of text: the first `names` flush left, the others flush right, under a rule."""
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    sides = [str.ljust if i < names else str.rjust for i in range(len(head))]
    texts = [
        "  ".join(side(text, width) for side, text, width in zip(sides, line, widths, strict=True))
        for line in lines
    ]
    rule = "  ".join("─" * width for width in widths)
    return "\n".join(text.rstrip() for text in [texts[0], rule, *texts[1:]])


def _grid(section: Section, escape: Callable[[str], str]) -> list[list[str]]:
    """The cells as text, flush with the marked cells of their column."""
    columns = zip(*(row.cells for row in section.rows), strict=True)
    unmarked = ["  " if any(cell.best for cell in column) else "" for column in columns]
    rows = []
    for row in section.rows:
        cells = zip(row.cells, unmarked, strict=True)
        texts = [cell.text + (f" {BEST}" if cell.best else blank) for cell, blank in cells]
        rows.append([escape(text) for text in (row.encoders, row.classifier, *texts)])
    return rows


# ----------------------------------------------------------------------------------- Markdown


def markdown_tables(tables: Sequence[Section]) -> str:
    """Every table under its heading, as GitHub's Markdown."""
    return "\n".join(line for table in tables for line in _markdown(table))


def _markdown(section: Section) -> Iterator[str]:
    yield from (f"### {markdown_escape(section.title)}", "")
    yield "| " + " | ".join(COLUMNS) + " |"
    yield "| :-- | :-- |" + " --: |" * len(SCORE_TITLES)
    for row in _grid(section, markdown_escape):
        yield "| " + " | ".join(text.strip() for text in row) + " |"
    yield ""
    for note in section.notes:
        yield from (markdown_escape(note), "")


def markdown_escape(text: str) -> str:
    """Text that Markdown shows as it is, also in a table's cell."""
    flat = re.sub(r"\s+", " ", text) if "\n" in text or "\r" in text else text
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~#$])", r"\\\1", flat)


# -------------------------------------------------------------------------------------- LaTeX

_LATEX = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "*": r"$^{\ast}$",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def latex_tables(tables: Sequence[Section]) -> str:
    """Every table as a LaTeX table with the rules of booktabs."""
    head = "% needs \\usepackage{booktabs}\n"
    return head + "\n".join("\n".join(_latex(table)) + "\n" for table in tables)


def _latex(section: Section) -> Iterator[str]:
    caption = latex_escape(" ".join([f"{section.title}.", *section.notes]))
    yield from (r"\begin{table}", r"\centering", rf"\caption{{{caption}}}")
    yield from (rf"\begin{{tabular}}{{ll{'r' * len(SCORE_TITLES)}}}", r"\toprule")
    yield " & ".join(COLUMNS) + r" \\"
    yield r"\midrule"
    for row in _grid(section, lambda text: latex_escape(text.strip())):
        yield " & ".join(row) + r" \\"
    yield from (r"\bottomrule", r"\end{tabular}", r"\end{table}")


def latex_escape(text: str) -> str:
    """Text that LaTeX sets as it is."""
    flat = re.sub(r"\s+", " ", text)
    return "".join(_LATEX.get(character, character) for character in flat)
