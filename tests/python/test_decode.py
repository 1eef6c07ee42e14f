"""Decoders in Python: whose mistakes are whose."""

import sys
from types import SimpleNamespace

import pytest
from headrace.decode import Decoder


@pytest.mark.parametrize("pandas", [None, SimpleNamespace(DataFrame=SimpleNamespace(from_records=tuple))])
def test_an_import_error_of_a_users_fit_is_his(monkeypatch, pandas):
    """Not taken for a missing pandas, without which fit() gets a list."""
    asked = []

    class Mine:
        def fit(self, records):
            asked.append(type(records))
            raise ImportError("of the user")

    monkeypatch.setitem(sys.modules, "pandas", pandas)  # None: cannot be imported
    monkeypatch.setitem(sys.modules, "mine", SimpleNamespace(Mine=Mine))
    with pytest.raises(ImportError, match="of the user"):
        Decoder("mine:Mine").fit([{"a": 1}])
    assert asked == [list if pandas is None else tuple]
