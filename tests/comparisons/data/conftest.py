"""What the tests of the data share: an empty cache, and small files that count as MNIST."""

from pathlib import Path

import pytest

from backproof.comparisons.data import idx, mirrors
from tests.support.idx_files import checksums, small_files


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache folder in place of the user's."""
    monkeypatch.setattr(mirrors, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Small files that count as the original ones."""
    files = small_files()
    monkeypatch.setattr(idx, "SHA256", checksums(files))
    return files
