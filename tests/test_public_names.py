"""The public names: what `nver.NAME` gives, whatever was imported before."""

import subprocess
import sys

import pytest

import nver


@pytest.mark.parametrize("name", nver.__all__)
def test_a_public_name_is_no_module(name: str) -> None:
    code = (
        "import nver, nver.pipeline, nver.extraction, nver.recipe, types; "
        f"assert not isinstance(nver.{name}, types.ModuleType)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = nver.nonsense
