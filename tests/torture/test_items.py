"""The short form of every item."""

import numpy as np
import pytest

from tests.torture.record import items

ITEMS = items()


@pytest.mark.parametrize("name", ITEMS)
def test_item_finds_no_fault(name):
    item = ITEMS[name]
    record = item.run(item.SHORT, np.random.default_rng(0))
    assert record.cases >= item.SHORT
    assert not record.faults, "\n".join(record.findings)
