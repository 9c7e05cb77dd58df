"""A benchmark or an experiment's script, imported from its file."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]


def load_script(place: str) -> ModuleType:
    """The module of a script: "benchmarks/fingerprints.py"."""
    spec = importlib.util.spec_from_file_location(place.replace("/", "_")[:-3], ROOT / place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module
