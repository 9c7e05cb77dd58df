"""Where nver keeps what it makes for itself."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """The user's cache folder of nver, which the environment variable NVER_CACHE overrides."""
    from platformdirs import user_cache_dir

    return Path(os.environ.get("NVER_CACHE") or user_cache_dir("nver"))
