"""Names and keys that kept stores and run folders depend on have not moved."""

import json
from pathlib import Path

from helpers_scripts import load_script


def test_keys_and_identities_are_those_of_before() -> None:
    golden = (Path(__file__).parent / "golden" / "fingerprints.json").read_text()
    assert load_script("benchmarks/fingerprints.py").portable() == json.loads(golden)
