"""Structures: checked at once against the fields, built for each batch."""

from collections import namedtuple

import headrace
import numpy as np
import pytest
from headrace import INDEX, ROWS, VALID
from headrace.structure import Arrangement, without_lists

SCHEMA = {"ECAL": None, "HCAL": None, "label": None}


class Batch(dict):
    rows = 2
    index = np.array([7, 8, 9])


BATCH = Batch((name, np.full(3, i)) for i, name in enumerate(SCHEMA))
Pair = namedtuple("Pair", "x y")


def built(structure):
    return Arrangement(SCHEMA, structure).build(BATCH, lambda leaf, array: (str(leaf), array.tolist()))


def test_patterns():
    ecal, hcal, label = ("ECAL", [0, 0, 0]), ("HCAL", [1, 1, 1]), ("label", [2, 2, 2])
    assert built((["ECAL", "HCAL"], "label")) == ([ecal, hcal], label)
    assert built({"a": ("ECAL", {"b": ["HCAL"]}), "y": "label"}) == {"a": (ecal, {"b": [hcal]}), "y": label}
    pair = built(Pair("ECAL", "label"))
    assert type(pair) is Pair and pair == (ecal, label)
    assert built("ECAL") == ecal
    assert built(("ECAL", "ECAL")) == (ecal, ecal)
    assert built(None) == {"ECAL": ecal, "HCAL": hcal, "label": label}


def test_lists_become_tuples():
    nested = without_lists({"a": ["ECAL", Pair(["HCAL"], ("label", [INDEX]))], "y": "label"})
    assert nested == {"a": ("ECAL", Pair(("HCAL",), ("label", (INDEX,)))), "y": "label"}
    assert type(nested["a"][1]) is Pair and without_lists(None) is None


def test_what_is_no_field():
    index, rows, valid = built((INDEX, ROWS, VALID))
    assert index[1] == [7, 8, 9] and rows == 2 and valid[1] == [1, 1, 0]
    array = Arrangement(SCHEMA, VALID).build(BATCH, lambda _, array: array)
    assert array.dtype == np.float32
    assert repr(INDEX) == "headrace.INDEX"


@pytest.mark.parametrize(
    ("structure", "words"),
    [
        (("ecal", "label"), r"'ecal'.*there are ECAL, HCAL, label, headrace.INDEX.*Did you mean 'ECAL'\?"),
        (["lable"], r"'lable'.*Did you mean 'label'\?"),
        ("nothing", r"'nothing', and the stream has no such field; there are ECAL"),
        ((), "empty part"),
        (("ECAL", []), "empty part"),
        (("ECAL", 3), r"3 \(int\)"),
        ({"x": None}, r"None \(NoneType\)"),
    ],
)
def test_mistakes_are_told_at_once(structure, words):
    with pytest.raises(headrace.Invalid, match=words):
        Arrangement(SCHEMA, structure)


def test_beside():
    arrangement = Arrangement(SCHEMA, (["ECAL", ROWS], {"y": "label"}))
    assert arrangement.beside("one") == ["one", "one"]
    assert arrangement.beside((["a", "b"], {"y": "c"})) == ["a", "c"]
    with pytest.raises(headrace.Invalid, match="not arranged like"):
        arrangement.beside(("a",))
