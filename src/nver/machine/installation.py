"""What is installed beside nver: its requirements and extras, as its own metadata names them."""

import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

REQUIREMENT = re.compile(
    r"(?P<package>[\w.-]+)(?:\[[^]]*\])?\s*(?P<versions>[^;]*)"
    r"(?:;.*?extra\s*==\s*['\"](?P<extra>[\w.-]+)['\"])?"
)
LEAST = re.compile(r">=\s*([\d.]+)")


@dataclass(frozen=True)
class Requirement:
    """A package that nver, or one of its extras, needs.

    Attributes:
        extra: "" where nver itself needs it.
        least: the least version that will do, or "".
        found: the version that is here, or "".
    """

    package: str
    extra: str
    least: str
    found: str

    @property
    def fault(self) -> str:
        """What is wrong with it, or ""."""
        if not self.found:
            return f"{self.package} is missing"
        if numbers(self.found) < numbers(self.least):
            return f"{self.package} {self.found} is older than {self.least}"
        return ""


def installed(package: str) -> str:
    """The version of a package that is here, or ""."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def requirements() -> list[Requirement]:
    """What nver's metadata says that it and its extras need; empty where nver is not installed."""
    try:
        lines = requires("nver") or []
    except PackageNotFoundError:
        return []
    found = []
    for line in lines:
        match = REQUIREMENT.match(line)
        if match and match["package"] != "nver":  # an extra that is made of others
            least = LEAST.search(match["versions"])
            package, extra = match["package"], match["extra"] or ""
            found.append(Requirement(package, extra, least[1] if least else "", installed(package)))
    return found


def extras() -> dict[str, list[Requirement]]:
    """Extra -> what it needs, in the order of the metadata."""
    found: dict[str, list[Requirement]] = {}
    for requirement in requirements():
        if requirement.extra:
            found.setdefault(requirement.extra, []).append(requirement)
    return found


def extra_is_here(extra: str) -> bool:
    """Whether all that an extra needs is installed."""
    return not any(requirement.fault for requirement in extras().get(extra, []))


def numbers(text: str) -> tuple[int, ...]:
    """The numbers of a version, for a comparison: "2.10.1+cpu" is (2, 10, 1)."""
    return tuple(int(number) for number in re.findall(r"\d+", text.partition("+")[0])[:3])
