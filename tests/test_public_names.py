"""The public names: what `nver.NAME` gives, whatever was imported before; and names of old."""

import subprocess
import sys

import pytest

import nver
from nver.registry import RENAMED


def test_no_public_name_is_a_module() -> None:
    code = (
        "import nver, nver.pipeline, nver.embeddings.extraction, nver.recipe, types; "
        "print([n for n in nver.__all__ if isinstance(getattr(nver, n), types.ModuleType)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = nver.nonsense


def test_modules_that_were_renamed_import_under_their_old_names() -> None:
    code = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "from importlib import import_module\n"
        "from nver.registry import RENAMED\n"
        "assert all(import_module(old) is import_module(new) for old, new in RENAMED.items())\n"
        "from nver.downstream.base import Classifier\n"
        "import nver.metrics; print(nver.metrics.accuracy(['a'], ['a']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1.0"
    assert "nver.downstream" in RENAMED
