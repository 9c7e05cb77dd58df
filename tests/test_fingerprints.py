"""Names and keys that kept stores and run folders depend on have not moved."""

import importlib.util
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_keys_and_identities_are_those_of_before() -> None:
    place = ROOT / "benchmarks" / "fingerprints.py"
    spec = importlib.util.spec_from_file_location("fingerprints", place)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    golden = (ROOT / "tests" / "golden" / "fingerprints.json").read_text()
    assert script.portable() == json.loads(golden)
