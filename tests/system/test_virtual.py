"""Virtual files: their sources are read in their place, and nobody trains on fill values without a word."""

import json
import subprocess

import h5py
import headrace
import numpy as np
import pytest
from field_files import deliver
from samples import FIELDS, values, write
from service import HEADRACE, running
from test_delivery import all_epochs, exactly_once, flat, trainers

LENGTHS = [90, 1, 0, 120]
SAMPLES = sum(LENGTHS)


def over(path, parts, lengths=LENGTHS, step=None):
    """A virtual file of all fields; step: sample s is in file s % step, else they follow one another."""
    with h5py.File(path, "w") as file:
        for name, (shape, dtype, _) in FIELDS.items():
            layout = h5py.VirtualLayout((sum(lengths), *shape), dtype)
            first = 0
            for k, (part, n) in enumerate(zip(parts, lengths)):
                where = slice(k, None, step) if step else slice(first, first + n)
                layout[where] = h5py.VirtualSource(part, name, shape=(n, *shape))
                first += n
            file.create_virtual_dataset(name, layout, fillvalue=0)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("data")
    (path / "parts").mkdir()
    write(path / "parts", *LENGTHS)
    names = [f"parts/part{k}.h5" for k in range(len(LENGTHS))]
    over(path / "all.h5", names)
    over(path / "gone.h5", [names[0], "parts/gone.h5", *names[2:]])
    (path / "odd").mkdir()
    for k in range(40):  # five samples each
        with h5py.File(path / f"odd/{k}.h5", "w") as file:
            for name, (_, dtype, _) in FIELDS.items():
                file[name] = values(name, np.arange(k, 200, 40)).astype(dtype)
    over(path / "odd.h5", [f"odd/{k}.h5" for k in range(40)], [5] * 40, 40)
    return path


@pytest.mark.parametrize("stagers, split", [(None, False), (3, True)])
@pytest.mark.parametrize("name, samples, io", [("all.h5", SAMPLES, "auto"), ("odd.h5", 200, "collective")])
def test_every_sample_exactly_once(tmp_path, folder, name, samples, io, stagers, split):
    nodes = stagers if split else 1
    with running(tmp_path, [folder / name], stagers, batch=7, last="partial", epochs=1, io=io, split_nodes=split,
                 trainers_per_node=1, audit="full", cwd="/") as service:
        with trainers(service, nodes, nodes) as group:
            assert flat(all_epochs(group, 1)[0]) == list(range(samples))  # trainers check the values
        assert service.wait() == 0
        exactly_once(service, 1)
        assert service.lines("4 files are read in its place" if name == "all.h5" else "read through HDF5")


def test_rows_come_from_the_sources_and_streams_may_name_both(tmp_path, folder):
    flags = {"stream.train.files": "all.h5", "stream.val.files": "part3.h5", "shuffle": "none"}
    with running(tmp_path, [folder / "all.h5"], 2, batch=10, epochs=1, **flags) as service:
        with headrace.connect(str(service), stream="train", progress=False) as train, \
                headrace.connect(str(service), stream="val", progress=False) as val:
            assert train.samples == SAMPLES and val.samples == 120
            assert [file.path for file in train.files] == [str(folder / f"parts/part{k}.h5") for k in range(4)]
            for batch in train:
                for path, row, run in zip(*batch.files(), batch["run"]):
                    with h5py.File(path) as file:
                        assert file["run"][row] == run
            assert [int(i) for batch in val for i in batch.index] == list(range(91, SAMPLES))


def run(*args, prefix=()):
    return subprocess.run([*prefix, HEADRACE, *map(str, args)], capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)


def test_nothing_reads_what_is_not_there(tmp_path, folder):
    scale = ["--field.x.source=weight", "--field.x.norm=standard", f"--field.x.scale-file={tmp_path}/scale.json"]
    (tmp_path / "ids").write_text("3\n")
    for command in (["serve", folder / "gone.h5"],
                    ["bench", folder / "gone.h5"],
                    ["stats", folder / "gone.h5", *scale],
                    ["inspect", "--files", folder / "gone.h5", "--field.run.source=run", "--sample=3"],
                    ["inspect", "--files", folder / "gone.h5", "--field.flag.source=flag", "--where=run > 3"],
                    ["serve", folder / "gone.h5", "--field.x.source=run", "--field.x.encode=index"],
                    ["serve", folder / "gone.h5", "--field.flag.source=flag", f"--select-file={tmp_path}/ids", "--select-by=run"]):
        done = run(*command)
        assert done.returncode in (1, 2), command
        for words in ("gone.h5 cannot be used", "1 of its 211 rows would be the fill value", "parts/gone.h5",
                      f"no such file in {folder}/parts", "virtual-gaps"):
            assert words in done.stderr, (command, done.stderr)


def test_gaps_are_filled_where_that_is_asked_for(tmp_path, folder):
    with running(tmp_path, [folder / "gone.h5"], 2, batch=10, epochs=1, shuffle="none", virtual_gaps="fill") as service:
        assert service.says("1 of 4 sources missing .parts/gone.h5.: 1 row would be the fill value")
        with headrace.connect(str(service), progress=False) as stream:
            seen = np.concatenate([np.array(batch["run"]) for batch in stream])
    expected = values("run", np.arange(SAMPLES))
    expected[90] = 0
    assert np.array_equal(seen, expected)


def test_inspect_tells_of_sources(folder):
    table = run("inspect", folder / "all.h5").stdout
    assert "virtual: 4 files, all there" in " ".join(table.split())
    found = json.loads(run("inspect", "--json", folder / "all.h5").stdout)["files"][0]["datasets"][0]
    assert found["can_be_field"] and found["virtual"] == {
        "sources": 4, "missing": [], "fill_rows": 0, "read": "sources", "text": "virtual: 4 files, all there", "problem": None}
    table = " ".join(run("inspect", folder / "gone.h5").stdout.split())
    assert "virtual: 1 of 4 sources missing (parts/gone.h5): 1 row would be the fill value" in table
    found = json.loads(run("inspect", "--json", folder / "gone.h5").stdout)["files"][0]["datasets"][0]
    assert not found["can_be_field"] and found["virtual"]["missing"] == ["parts/gone.h5"]
    assert found["virtual"]["fill_rows"] == 1 and "parts/gone.h5" in found["virtual"]["problem"]


def test_limits_of_open_files(tmp_path, folder):
    done = run("stats", folder / "odd.h5", "--field.x.source=weight", "--field.x.norm=standard",
               f"--field.x.scale-file={tmp_path}/scale.json", prefix=["prlimit", "--nofile=50:50"])
    assert done.returncode == 1 and "40 sources" in done.stderr and "may open 50 (ulimit -n" in done.stderr
    done = run("stats", folder / "odd.h5", "--field.x.source=weight", "--field.x.norm=standard",
               f"--field.x.scale-file={tmp_path}/scale.json", prefix=["prlimit", "--nofile=50:200"])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("raw", [False, True], ids=["sources", "raw files"])
def test_a_file_of_many_names_is_opened_once(tmp_path, raw):
    """40 names of one source; or one source of 40 datasets, each in a raw file of its own name, which all are the same."""
    numbers = np.arange(5.0)
    numbers.tofile(tmp_path / "numbers.raw")
    with h5py.File(tmp_path / "source.h5", "w") as file:
        for k in range(40):
            (tmp_path / f"{k}.raw").symlink_to("numbers.raw")
            (tmp_path / f"{k}.h5").symlink_to("source.h5")
            stored = {"external": [(str(tmp_path / f"{k}.raw"), 0, h5py.h5f.UNLIMITED)]} if raw else {"data": numbers}
            file.create_dataset(f"x{k}", (5,), "f8", **stored)
    layout = h5py.VirtualLayout((200,), "f8")
    for k in range(40):
        layout[k::40] = h5py.VirtualSource("source.h5" if raw else f"{k}.h5", f"x{k}", shape=(5,))
    with h5py.File(tmp_path / "all.h5", "w") as file:
        file.create_virtual_dataset("x", layout)
    done = run("stats", tmp_path / "all.h5", "--field.x.source=x", "--field.x.norm=standard",
               f"--field.x.scale-file={tmp_path}/scale.json", prefix=["prlimit", "--nofile=50:50"])
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "scale.json").read_text())["x"]["mean"] == numbers.mean()


def test_joins_count_the_samples_of_the_virtual_file(tmp_path):
    """Whichever source holds a sample and whichever holds its rows."""
    ids = np.array([1, 7, 2, 7, 5, 6], "i4")
    with h5py.File(tmp_path / "all.h5", "w") as file:
        for name, cut, data in (("x", 3, np.arange(7) * 1.5), ("ids", 4, ids), ("hits", 4, np.arange(6) + 100)):
            layout = h5py.VirtualLayout((len(data),), data.dtype)
            for k, where in enumerate((slice(0, cut), slice(cut, len(data)))):
                with h5py.File(tmp_path / f"{k}.h5", "a") as part:
                    part[name] = data[where]
                layout[where] = h5py.VirtualSource(f"{k}.h5", name, shape=data[where].shape)
            file.create_virtual_dataset(name, layout)
    assert run("inspect", "--json", tmp_path / "all.h5").stdout.count('"read": "sources"') == 3
    for sample in range(7):
        done = run("inspect", "--json", "--files", tmp_path / "all.h5", "--field.x.source=x", "--field.hits.source=hits",
                   "--field.hits.join=ids", "--field.hits.pad=2", f"--sample={sample}")
        told = {field["name"]: field for field in json.loads(done.stdout)["fields"]}
        rows = list(np.flatnonzero(ids == sample + 1) + 100)
        assert told["hits"]["values"] == rows + [0] * (2 - len(rows)), told


def test_samples_are_shown_by_either_name(folder):
    told = [json.loads(run("inspect", "--json", "--files", folder / "all.h5", "--field.run.source=run", f"--sample={which}").stdout)
            for which in ("95", "all.h5:95", "part3.h5:4")]
    assert told[0] == told[1] == told[2]
    assert "part3.h5" in json.dumps(told[0])


@pytest.mark.parametrize("chunks", [None, (4, 2)])
def test_sources_behind_external_links_are_not_taken_for_their_file(tmp_path, chunks):
    """Offsets and chunks of a dataset behind a link are those of the other file."""
    lengths = (9, 5)
    for k, n in enumerate(lengths):
        with h5py.File(tmp_path / f"raw{k}.h5", "w") as file:
            file.create_dataset("data", data=np.arange(2 * n).reshape(n, 2) + 100 * k, chunks=chunks)
        with h5py.File(tmp_path / f"part{k}.h5", "w") as file:
            file["other"] = np.full(5000, -7)  # what lies where the data of the other file do
            file["data"] = h5py.ExternalLink(f"raw{k}.h5", "data")
    with h5py.File(tmp_path / "all.h5", "w") as file:
        layout, first = h5py.VirtualLayout((sum(lengths), 2), int), 0
        for k, n in enumerate(lengths):
            layout[first:first + n] = h5py.VirtualSource(f"part{k}.h5", "data", shape=(n, 2))
            first += n
        file.create_virtual_dataset("data", layout)
        one = h5py.VirtualLayout((), float)
        one[()] = h5py.VirtualSource("one.h5", "one", shape=())
        file.create_virtual_dataset("one", one)  # a single value, which is no field
    expected = np.concatenate([np.arange(2 * n).reshape(n, 2) + 100 * k for k, n in enumerate(lengths)])
    for files in ([tmp_path / "all.h5"], [tmp_path / f"part{k}.h5" for k in range(2)]):
        got, _, _ = deliver(tmp_path, [str(file) for file in files], {"data": {"source": "data"}})
        assert np.array_equal(got["data"], expected)
    assert run("inspect", tmp_path / "all.h5").returncode == 0
