from __future__ import annotations

from pathlib import Path

import pytest
from throwaway import Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A fresh clone, nothing set up."""
    return Checkout(tmp_path)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """One that was started before; tests leave it as it is."""
    checkout = Checkout(tmp_path_factory.mktemp("built"))
    checkout.first = checkout.run()
    assert checkout.first.code == 0, checkout.first
    return checkout
