"""A check-up of an installation: what is here, what is missing, what is broken."""

import platform
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from nver.errors import NverError
from nver.machine.files import cache_folder
from nver.machine.installation import Requirement, extras, installed, requirements
from nver.machine.surroundings import (
    Place,
    graphics_processors,
    hub_cache,
    look_at,
    memory,
    offline,
)
from nver.machine.threads import usable_cores
from nver.models.model_folder import has_shipped
from nver.models.predictor import load_predictor
from nver.registry import VERSION

SHOWN = ("numpy", "soundfile", "soxr", "torch", "transformers")  # whose version is asked for first
LOADED = ("numpy", "soundfile", "soxr")  # without which nothing is heard: loaded, to be sure


@dataclass(frozen=True)
class Extra:
    """An extra of nver: what it lacks here, and the line that installs it."""

    name: str
    missing: tuple[str, ...]
    install: str


@dataclass(frozen=True)
class CheckUp:
    """What was found.

    Attributes:
        packages: package -> its version, "" where it is not installed.
        extras: none where nver runs without having been installed.
        memory: total and free, in bytes; None: unknown.
        places: what it is for -> the folder.
        model: the trained model that comes with nver, by its title; "" where there is none.
        faults: sentences on what is broken or missing and needed.
    """

    nver: str
    python: str
    system: str
    packages: dict[str, str]
    libsndfile: str
    extras: tuple[Extra, ...]
    cores: int
    memory: tuple[int, int] | None
    gpus: tuple[str, ...]
    places: dict[str, Place]
    offline: bool
    model: str
    faults: tuple[str, ...]


def check_up(store: Path | None = None) -> CheckUp:
    """Look at the installation; nothing is fetched, nothing is written that stays.

    Args:
        store: the folder of the embedding store; None: the one in the user's cache.
    """
    cache = cache_folder()
    places = {
        "cache": look_at(cache),
        "store": look_at(store or cache / "embeddings"),
        "hub weights": look_at(hub_cache()),
    }
    faults = [*_needed(), *_unloadable()]
    faults += [
        f"{places[what].path}: cannot be written; set NVER_CACHE to another folder"
        for what in ("cache", "store")
        if not places[what].writable
    ]
    gpus, torch_fault = _gpus()
    model, model_fault = _model()
    return CheckUp(
        nver=VERSION,
        python=platform.python_version(),
        system=platform.platform(),
        packages={package: installed(package) for package in SHOWN},
        libsndfile=_libsndfile(),
        extras=tuple(_extra(name, own) for name, own in extras().items()),
        cores=usable_cores(),
        memory=memory(),
        gpus=gpus,
        places=places,
        offline=offline(),
        model=model,
        faults=(*faults, *torch_fault, *model_fault),
    )


def _needed() -> list[str]:
    """The faults of the packages that nver itself needs."""
    found = [r for r in requirements() if not r.extra]
    return [f"{r.fault}: pip install '{r.package}>={r.least}'" for r in found if r.fault]


def _unloadable() -> list[str]:
    faults = []
    for module in LOADED:
        try:
            import_module(module)
        except (ImportError, OSError) as error:
            faults.append(f"{module} cannot be loaded ({error}): install it again")
    return faults


def _libsndfile() -> str:
    """The version of the library that reads audio, "" where it cannot be loaded."""
    try:
        return str(import_module("soundfile").__libsndfile_version__)
    except (ImportError, OSError):
        return ""


def _gpus() -> tuple[tuple[str, ...], list[str]]:
    try:
        return tuple(graphics_processors()), []
    except (ImportError, OSError, RuntimeError) as error:
        return (), [f"torch cannot be loaded ({error}): install it again"]


def _model() -> tuple[str, list[str]]:
    """The title of nver's own model, and what is wrong with it."""
    if not has_shipped():
        return "", []
    try:
        return load_predictor().model.title, []
    except (NverError, ImportError, OSError) as error:
        return "", [f"the model that comes with nver cannot be loaded: {error}"]


def _extra(name: str, own: list[Requirement]) -> Extra:
    faults = tuple(requirement.fault for requirement in own if requirement.fault)
    return Extra(name, faults, f'pip install "nver[{name}]"')
