"""Types of the files, through the whole service: bitfields, texts of each padding, times; against what was written."""

import h5py
import numpy as np
import pytest
from field_files import configuration, deliver, fetch, refusal
from h5py import h5t
from service import running
from type_files import LENGTHS, SAMPLES, TEXTS, compound, fixed, parts, text_type, write

NUMBER = np.arange(SAMPLES)
MASK = (NUMBER * 37 % 256).astype("u1")
WORDS = [TEXTS[n % len(TEXTS)] for n in NUMBER]
#: the text that a word is, once HDF5's rule for its padding is applied
PADDINGS = {"term": (h5t.STR_NULLTERM, b"\0", lambda word: word.split(b"\0")[0]),
            "null": (h5t.STR_NULLPAD, b"\0", lambda word: word),
            "space": (h5t.STR_SPACEPAD, b" ", lambda word: word.rstrip(b" "))}
SECONDS = np.where(NUMBER % 5 == 0, -NUMBER, 1_500_000_000 + NUMBER)
MICROS = np.where(NUMBER % 5 == 0, -1000 * NUMBER, 999_999 - NUMBER)
ROW = np.dtype([("id", "<i4"), ("flag", "u1"), ("mask", ">u2"), ("when", "<i8")])


JET = np.dtype([("pt", "<f4"), ("cov", ">f8", (2, 3)), ("z", "<c8"), ("p", [("x", "<i2"), ("y", "<i2")]), ("tag", "S4")])
IMAGE = (NUMBER[:, None, None] * 100 + np.arange(12).reshape(3, 4)).astype("f4")
MATRIX = (NUMBER[:, None] * 10 + np.arange(5)).astype("f4")
MATRIX[:, 4] = NUMBER % 3  # a label among the columns
WAVE = (NUMBER[:, None] + 1j * np.arange(3)).astype("c8")
JETS = np.zeros(SAMPLES, JET)
JETS["pt"], JETS["cov"] = NUMBER + 0.5, NUMBER[:, None, None] * 7 + np.arange(6).reshape(2, 3)
JETS["z"], JETS["p"]["x"], JETS["p"]["y"] = NUMBER - 2j * NUMBER, NUMBER, -NUMBER
JETS["tag"] = [b"t%d" % n for n in NUMBER]


def make(path, first, length):
    here = slice(first, first + length)
    with h5py.File(path, "w") as file:
        file.attrs["PYTABLES_FORMAT_VERSION"] = np.bytes_("2.1")
        write(file, "q", h5t.STD_B8LE, MASK[here])
        write(file, "wide", h5t.STD_B32BE, (MASK[here].astype("u4") << 20).astype(">u4"))
        grid = (MASK[here, None] + np.arange(6, dtype="u1")).reshape(-1, 3, 2)
        write(file, "grid", h5t.STD_B64LE, grid.astype("<u8"), (3, 2))
        rows = np.zeros((length, 4), ROW)
        rows["id"] = NUMBER[here, None] * 4 + np.arange(4)
        rows["flag"] = rows["id"] % 3 == 1
        rows["mask"] = rows["id"] * 11
        rows["when"] = (SECONDS[here] * 2**32 | (MICROS[here] & 0xFFFFFFFF))[:, None]
        table = compound(ROW.itemsize, [("id", 0, h5t.STD_I32LE), ("valid", 4, h5t.STD_B8LE), ("mask", 5, h5t.STD_B16BE),
                                        ("when", 7, h5t.UNIX_D64LE)])
        write(file, "rows", table, rows, (4,))
        write(file, "events", table, rows[:, 0])
        write(file, "day", h5t.UNIX_D32BE, SECONDS[here].astype(">i4"))
        for name, (padding, character, _) in PADDINGS.items():
            write(file, name, text_type(6, padding), fixed(WORDS[here], 6, character))
        file.create_dataset("image", (length,), np.dtype((">f4", (3, 4))))
        for i in range(length):
            file["image"][i] = IMAGE[first + i]
        file.create_dataset("matrix", data=MATRIX[here], chunks=(7, 5), maxshape=(None, 5), compression="gzip")
        file["wave"], file["waves"] = WAVE[here, 0], WAVE[here].astype(">c16")
        file["jets"] = JETS[here]
        file["truth"] = (NUMBER[here] % 3 == 0)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("types")
    paths = [folder / f"part{i}.h5" for i in range(len(LENGTHS))]
    parts(lambda i, first, length: make(paths[i], first, length))
    return paths


FIELDS = {"q": {}, "wide": {}, "grid": {}, "day": {}, "when": {"source": "events.when"},
          "records": {"source": "rows[id, mask]", "mask": "real"}, "flags": {"source": "rows.valid"}} | {
    name: {"encode": "index"} for name in PADDINGS} | {
    "image": {}, "line": {"source": "image[2:]"}, "pixel": {"source": "image.2.1"},
    "features": {"source": "matrix[0:4]"}, "label": {"source": "matrix.4", "encode": "one-hot"},
    "logs": {"source": "matrix[1, 3, 4]", "log": ["1", "3:4"], "scale": 2},
    "wave": {}, "waves": {}, "imaginary": {"source": "waves.imag"},
    "element": {"source": "jets.cov.4"}, "same": {"source": "jets.cov.1.1"}, "several": {"source": "jets[z, p.y, cov.0:2]"},
    "third": {"source": "jets.2"}, "tag": {"source": "jets.tag"}, "true": {"source": "truth", "encode": "index",
                                                                         "classes": ["yes:true", "no:false"]}}


def parted(values):
    """Real and imaginary parts along a last axis."""
    return np.stack([values.real, values.imag], -1)


EXPECTED = {
    "image": IMAGE, "line": IMAGE[:, :, 2:], "pixel": IMAGE[:, 2, 1], "features": MATRIX[:, :4],
    "label": np.eye(3, dtype="f4")[NUMBER % 3],
    "logs": np.stack([np.log(MATRIX[:, 1]), np.log(MATRIX[:, 3]), MATRIX[:, 4]], -1) / np.float32(2),
    "wave": parted(WAVE[:, 0]), "waves": parted(WAVE.astype("c16")), "imaginary": WAVE.imag.astype("f8"),
    "element": JETS["cov"][:, 1, 1], "same": JETS["cov"][:, 1, 1],
    "several": np.stack([JETS["z"].real, JETS["z"].imag, JETS["p"]["y"], JETS["cov"][:, 0, 0], JETS["cov"][:, 0, 1]], -1),
    "third": parted(JETS["z"]), "tag": np.ascontiguousarray(JETS["tag"]).view("u1").reshape(-1, 4), "true": (NUMBER % 3 != 0).astype("i8")}
NAMES = {"line": ("image_2", "image_3"), "features": ("matrix_0", "matrix_1", "matrix_2", "matrix_3"), "wave": (),
         "several": ("z.real", "z.imag", "p.y", "cov_0", "cov_1"), "third": ("z.real", "z.imag")}


def labels(name):
    """Codes of the words in the order of their texts, and the names of the classes."""
    texts = [PADDINGS[name][2](word) for word in WORDS]
    classes = sorted(set(texts))
    return [classes.index(text) for text in texts], tuple(text.decode().replace("\0", "\\x00") for text in classes)


@pytest.mark.parametrize("stagers, split, io", [(None, False, "auto"), (2, False, "collective"), (3, True, "direct")])
def test_values_are_those_of_the_files(tmp_path, files, stagers, split, io):
    rows, numbers, schema = deliver(tmp_path, files, FIELDS, stagers, split, io=io)
    assert numbers.tolist() == NUMBER.tolist()
    for name, expected in {"q": MASK, "wide": MASK.astype("u4") << 20,
                           "grid": (MASK[:, None] + np.arange(6, dtype="u1")).reshape(-1, 3, 2).astype("u8"),
                           "day": SECONDS.astype("i4"), "when": 1e-6 * MICROS + SECONDS}.items():
        assert rows[name].dtype == expected.dtype, name
        np.testing.assert_array_equal(rows[name], expected, err_msg=name)
    ids = NUMBER[:, None] * 4 + np.arange(4)
    real = ids % 3 == 1
    np.testing.assert_array_equal(rows["real"], real)
    np.testing.assert_array_equal(rows["records"], np.where(real[..., None], np.stack([ids, ids * 11], -1), 0))
    np.testing.assert_array_equal(rows["flags"], real)
    assert rows["flags"].dtype == np.uint8
    for name, expected in EXPECTED.items():
        assert rows[name].shape == expected.shape and rows[name].dtype == expected.dtype.newbyteorder("="), name
        if name == "logs":
            np.testing.assert_array_max_ulp(rows[name], expected, 2)
        else:
            np.testing.assert_array_equal(rows[name], expected, err_msg=name)
    for name, columns in NAMES.items():
        assert tuple(schema[name].columns or ()) == columns, name
    for name in PADDINGS:
        codes, classes = labels(name)
        assert schema[name].classes == classes
        np.testing.assert_array_equal(rows[name], codes, err_msg=name)


def test_floats_that_are_no_labels_are_told(tmp_path, files):
    said = refusal(tmp_path, files, {"pt": {"source": "jets.pt", "encode": "index"}}, 2)
    assert "[field.pt] encode: 'jets.pt' holds 0.5, which is no whole number" in said, said
    said = refusal(tmp_path, files, {"pt": {"source": "jets.pt", "encode": "index", "classes": ["a:1"]}}, 2)
    assert "field 'pt': label 0.5 is no whole number" in said and "column 'pt', row" in said, said


CONDITIONS = {
    "q == 74": MASK == 74, "q % 2 == 1": MASK % 2 == 1, "events.valid": NUMBER * 4 % 3 == 1,
    "wide > 0 && events.when < 0": (MASK > 0) & (SECONDS < 0),
    "matrix.4 == 1": NUMBER % 3 == 1, "jets.cov.4 > 100 && jets.z.imag < -20": (NUMBER * 7 + 4 > 100) & (NUMBER > 10),
    "truth == true": NUMBER % 3 == 0, "image.2.1 >= 2009": NUMBER >= 20, "jets.p.x == 5": NUMBER == 5,
    "null == 'ab  '": [word == b"ab  " for word in WORDS], "space == 'ab'": [word.rstrip() == b"ab" for word in WORDS]}


def test_conditions_see_the_same_values(tmp_path, files):
    """Each a stream's, all of one service."""
    streams = {f"stream.s{i}.where": condition for i, condition in enumerate(CONDITIONS)}
    config = configuration(tmp_path / "fields.toml", {"q": {}}, files=files, batch=8, last="partial", epochs=1)
    with running(tmp_path, (), 2, config=config, audit="full", **streams) as service:
        for i, (condition, kept) in enumerate(CONDITIONS.items()):
            _, numbers, _ = fetch(service, f"s{i}")
            assert numbers.tolist() == np.flatnonzero(kept).tolist(), condition


@pytest.mark.parametrize("condition", ["wide > 0 && events.when < 0", "null == 'ab  '"])
def test_a_condition_of_all_streams_sees_them(tmp_path, files, condition):
    _, numbers, _ = deliver(tmp_path, files, {"q": {}}, 2, where=condition)
    assert numbers.tolist() == np.flatnonzero(CONDITIONS[condition]).tolist()
