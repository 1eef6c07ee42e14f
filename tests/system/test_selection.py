"""Which samples arrive: files, parts of a split, lists, conditions, on any number of stagers, each exactly once."""

import h5py
import numpy as np
import pytest
from samples import write
from service import open_files, running
from test_delivery import all_epochs, exactly_once, flat, trainers

SAMPLES = 223
#: The columns that decide are not delivered.
FIELDS = {"field.run.source": "run", "field.weight.source": "weight"}
STAGERS = [(None, False), (2, False), (3, True), (5, True)]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    paths = write(tmp_path_factory.mktemp("data"), 100, 3, 120)
    first = 0
    for path in paths:
        with h5py.File(path, "a") as file:
            n = len(file["run"])
            index = np.arange(first, first + n)
            table = np.zeros(n, [("pt", "<f4"), ("junk", "S3"), ("kind", ">i2"), ("ok", "?")])
            table["pt"] = index * 0.5
            table["pt"][index % 17 == 0] = np.nan
            table["kind"] = index % 6 - 1
            table["ok"] = index % 3 == 0
            file["jets"] = table
            file["id"] = np.array([f"event-{i * 7}" for i in index], h5py.string_dtype())
            file["number"] = (index * 1000).astype(">u8")
            first += n
    return paths


def fetched_by_streams(tmp_path, files, stagers, as_nodes, streams=("train",), world_size=2, epochs=1, **flags):
    """By stream, the sample numbers that all its trainers get, sorted, per epoch; the audit must hold."""
    nodes = stagers if as_nodes else 1
    found = {}
    with running(tmp_path, files, stagers, epochs=epochs, split_nodes=as_nodes, audit="full",
                 trainers_per_node=-(-world_size // nodes), **FIELDS, **flags) as service:
        for stream in streams:
            with trainers(service, world_size, nodes, stream=stream) as group:
                found[stream] = [flat(epoch) for epoch in all_epochs(group, epochs)]
            exactly_once(service, epochs, stream)
    return found


def fetched(*args, **keys):
    return fetched_by_streams(*args, **keys)["train"]


def test_parts_of_a_split(tmp_path, files):
    parts = {}
    flags = {"split": "train:0.75,val:0.25", "seed": 3, "batch": 4, "last": "partial",
             "stream.train.select": "train", "stream.val.select": "val"}
    for stagers, split in STAGERS:
        for part, (first, second) in fetched_by_streams(tmp_path, files, stagers, split, ("train", "val"), epochs=2, **flags).items():
            assert first == second
            assert parts.setdefault(part, first) == first  # the same for any number of stagers
    assert sorted(parts["train"] + parts["val"]) == list(range(SAMPLES))
    assert len(parts["train"]) == round(0.75 * SAMPLES)
    assert parts["train"] != list(range(len(parts["train"])))


CONDITIONS = [
    ("jets.pt > 20 && jets.kind in (0, 2, 4)", lambda j: (j["pt"] > 20) & np.isin(j["kind"], (0, 2, 4))),
    ("not (jets.pt > 20) or jets.ok == true", lambda j: ~(j["pt"] > 20) | j["ok"]),
    ("isnan(jets.pt)", lambda j: np.isnan(j["pt"])),
    ("number % 7000 == 0 and run != 0", lambda j: j["index"] % 7 == 0),
    ("jets.pt > 60", lambda j: j["pt"] > 60),  # only in the last file: slabs must follow
]


def jets(files):
    parts = []
    for path in files:
        with h5py.File(path) as file:
            parts.append(file["jets"][:])
    table = np.concatenate(parts)
    return {**{name: table[name] for name in table.dtype.names}, "index": np.arange(len(table))}


@pytest.mark.parametrize("stagers, split, condition, expected", [
    (*STAGERS[i % len(STAGERS)], *condition) for i, condition in enumerate(CONDITIONS)] + [(5, True, *CONDITIONS[0])])
def test_conditions(tmp_path, files, stagers, split, condition, expected):
    where = np.flatnonzero(expected(jets(files))).tolist()
    found = fetched(tmp_path, files, stagers, split, where=condition, batch=3, last="partial")
    assert found == [where]


def test_drop_is_audited_where_the_data_decide(tmp_path, files):
    where = set(np.flatnonzero(jets(files)["ok"]))
    first, second = fetched(tmp_path, files, 3, True, epochs=2, where="jets.ok == true", batch=10, last="drop")
    assert len(first) == len(where) // 20 * 20 and set(first) < where and first != second


@pytest.mark.parametrize("stagers, split", STAGERS)
def test_lists(tmp_path, files, stagers, split):
    chosen = [0, 5, 99, 100, 101, 102, 103, 222]
    numbers, names, events = tmp_path / "numbers.txt", tmp_path / "names.txt", tmp_path / "events.txt"
    numbers.write_text("# chosen by hand\n222, 0 5\n99\n\n100,101,102,103\n")
    names.write_text("".join(f"event-{i * 7}\n" for i in reversed(chosen)))
    events.write_text(" ".join(str(i * 1000) for i in chosen))
    flags, lists = {"batch": 3, "last": "partial"}, {"train": (numbers, "index"), "ids": (names, "id"), "events": (events, "number")}
    for stream, (file, by) in lists.items():
        flags |= {f"stream.{stream}.select-file": file, f"stream.{stream}.select-by": by}
    found = fetched_by_streams(tmp_path, files, stagers, split, tuple(lists), **flags)
    assert found == dict.fromkeys(lists, [chosen])


def test_files_then_select_then_where(tmp_path, files):
    flags = {"stream.train.files": files[2], "stream.train.select": "0.5:", "stream.train.where": "jets.ok",
             "where": "jets.kind != 1", "batch": 2, "last": "partial"}
    table = jets(files)
    expected = [i for i in range(163, SAMPLES) if table["ok"][i] and table["kind"][i] != 1]
    assert fetched(tmp_path, files, 2, True, **flags) == [expected]


def stored_bytes(service):
    """Of all stores that its stagers map, each once."""
    sizes = {}
    for pid in service.stagers():
        for fd, name in open_files(pid).items():
            if name.startswith("/memfd:headrace-store"):
                status = fd.stat()
                sizes[status.st_ino] = status.st_size
    assert sizes
    return sum(sizes.values())


@pytest.mark.parametrize("stagers, split", STAGERS[:3])
def test_samples_that_nobody_selects_are_not_stored(tmp_path, stagers, split):
    """Nor those that only one of two streams leaves out: each that any of them selects is stored once."""
    rows, page = 4000, 4096
    with h5py.File(tmp_path / "wide.h5", "w") as file:
        file["x"] = np.zeros((rows, 64), "f4")
        file["kind"] = np.arange(rows) % 10
    flags = {"field.x.source": "x", "stream.a.where": "kind == 3", "stream.b.where": "kind in (3, 7)", "batch": 10}
    with running(tmp_path, [tmp_path / "wide.h5"], stagers, split_nodes=split, **flags) as service:
        assert f"{rows // 10} samples" in service.says("stream a")
        assert f"{rows // 5} samples" in service.says("stream b")
        service.ready(stagers if split else 1)
        bytes_of_selected = rows // 5 * 64 * 4
        assert bytes_of_selected <= stored_bytes(service) <= bytes_of_selected + (stagers or 1) * page


@pytest.mark.parametrize("flags, words", [
    ({"where": "jets.pt >"}, ["jets.pt >", "can stand here"]),
    ({"where": "jets.pz > 1"}, ["'jets.pz'", "pt", "kind"]),
    ({"where": "jet.pt > 1"}, ["'jet.pt'", "jets"]),
    ({"where": "jets.pt"}, ["no condition", "floats"]),
    ({"where": "weight > 1"}, ["'weight'", "(100, 2)", "one value per sample"]),
    ({"where": "jets.pt > 1e9"}, ["no sample is left", "223"]),
    ({"select": "train"}, ["'train'", "split"]),
    ({"select": "vol", "split": "train:0.5,val:0.5"}, ["'vol'", "did you mean 'val'"]),
    ({"stream.a.select-file": "/nowhere.txt", "stream.a.select-by": "index"}, ["/nowhere.txt", "no such file"]),
    ({"stream.a.files": "other.h5"}, ["'other.h5'", "none of the service's files"]),
])
def test_mistakes_are_told_once(tmp_path, files, flags, words):
    with running(tmp_path, files, 2, listens=False, **FIELDS, **flags) as service:
        assert service.wait() in (1, 2)
        (line,) = service.lines("^headrace: ")
        assert all(word in service.text for word in words), service.text


@pytest.mark.parametrize("stagers", [None, 3])
def test_values_that_are_no_flags(tmp_path, files, stagers):
    """The sample is named; samples that are not selected are not asked."""
    flags = {"where": "jets.kind", "stream.train.select": "104:"}  # the first there is row 1 of the last file, and 1
    assert jets(files)["kind"][104:107].tolist() == [1, 2, 3]
    with running(tmp_path, files, stagers, listens=False, **FIELDS, **flags) as service:
        assert service.wait() == 1
        (line,) = service.lines("^headrace: ")
        assert "stream 'train'" in line and "'jets.kind'" in line and f"row 2 of {files[2]}" in line, service.text
    where = {"where": "jets.kind in (0, 1)", "stream.train.where": "jets.kind", "batch": 3, "last": "partial"}
    assert fetched(tmp_path, files, stagers, False, **where) == [np.flatnonzero(jets(files)["kind"] == 1).tolist()]


def test_listed_samples_that_are_not_there(tmp_path, files):
    listed = tmp_path / "listed.txt"
    for content, by, words in [("1 2 900", "index", ["sample 900", "223"]), ("1000 5", "number", ["1 of the 2", "5"]),
                               ("1 b", "index", ["listed.txt:1", "'b'"]), ("# none\n", "index", ["lists no sample"])]:
        listed.write_text(content)
        flags = FIELDS | {"stream.a.select-file": listed, "stream.a.select-by": by}
        with running(tmp_path, files, 2, listens=False, at_once=True, **flags) as service:
            assert service.wait() == 1
            assert all(word in service.text for word in words), service.text
