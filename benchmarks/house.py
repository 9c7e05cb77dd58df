"""The size of the house: lines of code, functions, files, rooms and arrows between rooms.

    python benchmarks/house.py [SOURCE ...]        (default: src/nver)

A line of code is one that holds a token which is no comment and no docstring. A room is a folder or
a loose file of the package; an arrow is one room that imports another.
"""

import ast
import io
import statistics
import sys
import tokenize
from collections import Counter
from pathlib import Path

SILENT = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
LONG = 40  # lines of code of a function
LARGE = 300  # lines of a file
FULL = 3000  # lines of a room without rooms in it


def main() -> None:
    for source in [Path(place) for place in sys.argv[1:]] or [Path("src/nver")]:
        describe(source)


def describe(source: Path) -> None:
    files = sorted(source.rglob("*.py"))
    code = {file: code_lines(file.read_text()) for file in files}
    functions = [(n, f, name) for f in files for name, n in function_sizes(f.read_text(), code[f])]
    sizes = [n for n, _, _ in functions]
    names = Counter(f.name for f in files if f.parent.name != "cli")
    twice = sorted(n for n, k in names.items() if k > 1 and n not in ("__init__.py", "base.py"))
    print(f"{source}: {len(files)} files, {sum(map(len, code.values())):,} lines of code")
    print("  loose files:", len([f for f in source.iterdir() if f.is_file()]))
    print("  file names that occur twice:", ", ".join(twice) or "none")
    print(f"  functions: {len(sizes)}, median {statistics.median(sizes):g}, longest {max(sizes)}")
    for n, file, name in sorted(functions, reverse=True, key=lambda found: found[0]):
        if n > LONG:
            print(f"    {n} lines: {file.relative_to(source)}:{name}")
    for file in files:
        lines = len(file.read_text().splitlines())
        if lines > LARGE:
            print(f"  {file.relative_to(source)}: {lines} lines")
    for folder in sorted({file.parent for file in files}):
        own = sum(len(f.read_text().splitlines()) for f in folder.glob("*.py"))
        if own > FULL:
            print(f"  {folder.relative_to(source)}/: {own} lines")


def code_lines(text: str) -> set[int]:
    """The numbers of the lines of code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in SILENT and token.string:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        holds = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if holds and body and isinstance(body[0], ast.Expr):
            said = body[0].value
            if isinstance(said, ast.Constant) and isinstance(said.value, str):
                lines -= set(range(body[0].lineno, (body[0].end_lineno or 0) + 1))
    return lines


def function_sizes(text: str, code: set[int]) -> list[tuple[str, int]]:
    """Each function, and its lines of code with its signature."""
    return [
        (node.name, len(code & set(range(node.lineno, (node.end_lineno or 0) + 1))))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


if __name__ == "__main__":
    main()
