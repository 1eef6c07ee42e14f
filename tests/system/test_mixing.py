"""Classes and mixes, through the whole service: values, labels, counts, order and audit, against NumPy."""

import contextlib
import json
import re
import subprocess

import h5py
import numpy as np
import pytest
from premixing import made
from service import HEADRACE, running

import headrace

SIZES = {"electron": 300, "pi0": 120, "gamma": 500}
TOTAL = sum(SIZES.values())
KIND = np.repeat(np.arange(3), list(SIZES.values()))  # of each sample, in file order
FILES = "".join(f'[class.{name}]\nfiles = ["*{name}.h5"]\n' for name in SIZES)
CONDITIONS = "".join(f'[class.{name}]\nwhere = "kind == {k}"\n' for k, name in enumerate(SIZES))
COLUMN = 'class-column = "kind"\nclass-names = ["electron:0", "pi0:1", "gamma:2"]\n'
FIELDS = """[field.x]
[field.kind]
[field.label]
source = "@class"
[field.one]
source = "@class"
encode = "one-hot"
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """One file a class, in the order of the classes; `x` is the sample's number."""
    folder = tmp_path_factory.mktemp("classes")
    first, paths = 0, []
    for k, (name, samples) in enumerate(SIZES.items()):
        paths.append(folder / f"{k}{name}.h5")
        with h5py.File(paths[-1], "w") as file:
            file["x"] = np.arange(first, first + samples, dtype="f4")
            file["kind"] = np.full(samples, k)
        first += samples
    return paths


def beside(files, text):
    """Patterns are relative to the configuration's folder."""
    config = files[0].parent / "mix.toml"
    config.write_text(text)
    return config


def serve(folder, files, text, stagers=None, **flags):
    config = beside(files, text)
    return running(folder, files, stagers, config=config, audit="full", seed=5, **flags)


def epochs_of(service, epochs, world_size=1, nodes=1):
    """[epoch][step] -> sample numbers of the global batch, trainer after trainer; every value is checked."""
    with contextlib.ExitStack() as stack:
        trainers = [stack.enter_context(headrace.connect(str(service.node(r * nodes // world_size)), rank=r, world_size=world_size,
                                                         timeout=300, progress=False)) for r in range(world_size)]
        assert list(trainers[0].schema["one"].classes) == list(SIZES)
        done = []
        for _ in range(epochs):
            done.append([])
            for batches in zip(*trainers, strict=True):
                step = []
                for batch in batches:
                    samples = np.array(batch.index)
                    assert np.array_equal(batch["x"], samples)
                    assert np.array_equal(batch["kind"], KIND[samples]) and np.array_equal(batch["label"], KIND[samples])
                    assert np.array_equal(batch["one"], np.eye(3, dtype="f4")[KIND[samples]])
                    step.append(samples)
                done[-1].append(np.concatenate(step))
    return done


def one_run(folder, files, text, epochs=2, stagers=None, world_size=1, split=False, **flags):
    nodes = stagers if split else 1
    with serve(folder, files, text, stagers, split_nodes=split, trainers_per_node=world_size // nodes, epochs=epochs, **flags) as service:
        done = epochs_of(service, epochs, world_size, nodes)
        assert service.wait() == 0
        return done, service.lines(r"train epoch \d+: .*")


def test_balanced_batches_whoever_asks_and_whoever_holds(tmp_path, files):
    stream = '[stream.train]\nmix = "balanced"\norder = "drawn"\nglobal-batch = 48\n'
    done, verdicts = one_run(tmp_path, files, FILES + FIELDS + stream, epochs=3)
    drawn = [np.concatenate(epoch) for epoch in done]
    for number, epoch in enumerate(drawn):
        assert len(epoch) == 336  # 361 positions until pi0 has no more, and whole batches of them
        for length in (3, 7, 16, 48):
            for at in range(0, len(epoch) - length):
                counts = np.bincount(KIND[epoch[at:at + length]], minlength=3)
                assert counts.max() - counts.min() <= 1
        if number < 2:  # none twice; in the third the 300 electrons have all been shown, and begin anew
            assert len(set(epoch)) == len(epoch)
    # A class that is larger goes on with samples that it has not shown yet.
    gamma = np.concatenate([epoch[KIND[epoch] == 2] for epoch in drawn])
    assert len(set(gamma)) == len(gamma)
    assert "electron: 121 of 300 samples, each at most once; pi0: 120 of 120 samples, each once" in verdicts[0]
    assert all("every sample as often as planned" in verdict for verdict in verdicts) and len(verdicts) == 3
    for text, stagers, world_size, split in [(FILES, 2, 2, True), (FILES, 3, 4, False), (CONDITIONS, 3, 3, True), (COLUMN, 2, 1, False)]:
        head, rest = (text, "") if text == COLUMN else ("", text)
        again, _ = one_run(tmp_path, files, head + rest + FIELDS + stream, 3, stagers, world_size, split)
        assert all(np.array_equal(np.concatenate(a), b) for a, b in zip(again, drawn, strict=True))


@pytest.mark.parametrize("classes", [FILES, CONDITIONS], ids=["files", "conditions"])
@pytest.mark.parametrize("mix, size, within", [("balanced", "longest", "batch"), ("electron:1, pi0:3, gamma:2", "1000", "batch"),
                                               ("proportion", "shortest", "batch"), ("proportion", "shortest", "epoch"),
                                               ("pi0:5, gamma:1, electron:2", "777", "epoch")])
def test_counts_over_epochs(tmp_path, files, classes, mix, size, within):
    stream = f'[stream.train]\nmix = "{mix}"\nepoch-size = "{size}"\nwithin = "{within}"\nlast = "partial"\nbatch = 50\n'
    done, verdicts = one_run(tmp_path, files, classes + FIELDS + stream, epochs=4, stagers=2, split=True, world_size=2)
    shares = dict(part.split(":") for part in mix.replace(" ", "").split(",")) if ":" in mix else dict.fromkeys(SIZES, 1)
    if mix == "proportion":
        shares = SIZES
    weight = np.array([int(shares[name]) for name in SIZES])
    shown = np.zeros((4, TOTAL), int)
    for epoch, batches in enumerate(done):
        shown[epoch] = np.bincount(np.concatenate(batches), minlength=TOTAL)
        of_class = np.bincount(KIND, shown[epoch])
        total = 1500 if size == "longest" else TOTAL if mix == "proportion" else int(size)
        assert of_class.sum() == total
        assert np.all(np.abs(of_class - total * weight / weight.sum()) <= 1)
    # Over all epochs no sample of a class is ahead of another by more than one showing.
    so_far = np.cumsum(shown, axis=0)
    for k in range(3):
        assert np.all(so_far[:, KIND == k].max(axis=1) - so_far[:, KIND == k].min(axis=1) <= 1)
    if mix == "proportion":
        assert np.all(shown == 1)
        if within == "batch":
            counts = np.array([np.bincount(KIND[batch], minlength=3) for batch in done[0]])
            assert np.all(np.abs(counts[:-1] - 100 * weight / TOTAL) <= 2)
    assert len(verdicts) == 4 and not any("FAILED" in verdict for verdict in verdicts)


def test_a_seek_into_an_epoch_and_a_trainer_that_goes_on(tmp_path, files):
    stream = '[stream.train]\nmix = "pi0:2, gamma:1, electron:1"\nepoch-size = 500\norder = "drawn"\nbatch = 25\n'
    text = CONDITIONS + FIELDS + stream
    whole, _ = one_run(tmp_path, files, text, epochs=3)
    with serve(tmp_path, files, text, 2, split_nodes=True, epochs=3) as service:
        with headrace.connect(str(service.node(1)), rank=0, world_size=1, timeout=300, progress=False) as source:
            source.seek(1, 7)
            rest = [np.array(batch.index) for batch in source]
            rest += [np.array(batch.index) for batch in source]
        assert service.wait() == 0
        assert all(np.array_equal(a, b) for a, b in zip(rest, whole[1][7:] + whole[2], strict=True))
        verdicts = service.lines(r"train epoch \d+: .*")
        assert "from where the trainers began" in verdicts[0] and "FAILED" not in "".join(verdicts)


def test_samples_of_no_class_are_left_out(tmp_path, files):
    text = '[class.a]\nwhere = "kind == 0"\n[class.b]\nwhere = "kind == 2 && x >= 500"\n[field.x]\n[field.l]\nsource = "@class"\n' \
           '[stream.train]\nlast = "partial"\nepochs = 1\n'
    with serve(tmp_path, files, text, 2) as service:
        with headrace.connect(str(service), rank=0, world_size=1, timeout=300, progress=False) as source:
            got = [(int(sample), int(label)) for batch in source for sample, label in zip(batch.index, batch["l"], strict=True)]
        assert service.wait() == 0
        assert sorted(got) == [(i, 0) for i in range(300)] + [(i, 1) for i in range(500, TOTAL)]
        assert "stream train: 200 samples of no class left out" in service.text
        assert service.says("train epoch 0: .*").endswith("every sample exactly once")


@pytest.mark.parametrize("column, names, codes", [
    ("text", ["p:5", "k:007|it's", 'q:b"'], [0, 1, 1, 2]),
    ("flag", ["yes:true", "no:false"], [0, 1, 0, 1]),
    ("flag", ["yes:1", "no:0"], [0, 1, 0, 1]),
    ("n", ["a:5.0|6", "b:-1"], [0, 1, 0, 1]),
], ids=["texts that look like anything", "true and false", "1 and 0", "numbers"])
def test_the_kind_of_a_column_says_what_names_of_classes_mean(tmp_path, column, names, codes):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"], file["n"], file["flag"] = np.arange(4), np.array([5, -1, 6, -1]), np.array([True, False, True, False])
        file["text"] = np.array([b"5", b"007", b"it's", b'b"'])
    (tmp_path / "c.toml").write_text(f'files = ["in.h5"]\nclass-column = "{column}"\nclass-names = {json.dumps(names)}\n'
                                     '[field.x]\n[field.label]\nsource = "@class"\n')
    with h5py.File(made(tmp_path / "out.h5", ["-c", tmp_path / "c.toml"])) as file:
        assert dict(zip(file["x"][:], file["label"][:])) == dict(enumerate(codes))


MIX = '[stream.train]\nmix = "balanced"\n'


@pytest.mark.parametrize("text, what", [
    ("[field.x]\n" + MIX, r"mix = 'balanced' has no classes to mix; write \[class.NAME\]"),
    ('[field.l]\nsource = "@class"\n', r"\[field.l\] source = '@class', but there are no classes"),
    (FILES + '[field.l]\nsource = "@class"\nscale = 2\n', r"goes with encode and dtype alone"),
    (FILES + '[field.x]\n[stream.train]\nmix = "electron:2, pi:1, gamma:1"\n', r"there is no class 'pi'; did you mean 'pi0'"),
    (FILES + '[field.x]\n[stream.train]\nmix = "electron:2, pi0:1"\n', r"mix gives class 'gamma' no share"),
    (FILES + '[field.x]\n[stream.train]\nmix = "electron:0.5"\n', r"whole shares from 1 up"),
    (FILES + '[field.x]\n[stream.train]\nmix = "balanced"\nshuffle = "none"\n', r"mix contradicts shuffle = 'none'"),
    (FILES + '[field.x]\n[stream.train]\nepoch-size = "longest"\n', r"have no effect without mix"),
    (FILES.replace("*pi0", "*p*0") + '[class.more]\nfiles = ["*gamma.h5"]\n[field.x]\n' + MIX, r"gamma.h5' is of two classes, 'gamma' and 'more'"),
    ('[class.a]\nfiles = ["*electron.h5"]\n[field.x]\n' + MIX, r"pi0.h5' is of no class; give it to one"),
    ('[class.a]\nfiles = ["*quark.h5"]\n[field.x]\n' + MIX, r"class 'a': files: '.*quark.h5' is none of the service's files"),
    ('[class.a]\nfiles = ["*quark.h5"]\n[field.x]\n' + MIX, r"service's files.*available: [^,\n]+, [^,\n]+, [^,\n]+\n"),
    ('[class.a]\n[field.x]\n' + MIX, r"\[class.a\] says nothing"),
    (FILES + '[field.x]\n[stream.train]\nmix = "electron:1, pi0:4294967296, gamma:1"\nepoch-size = "longest"\n',
     r"each of class 'pi0' \d+ times .*give epoch-size a number"),
    ('[class.a]\nwhere = "kind <= 1"\n[class.b]\nwhere = "kind >= 1"\n[field.x]\n' + MIX,
     r"classes 'a' and 'b' share 120 samples, the first of them 300 \(row 0 of .*pi0.h5\)"),
    (CONDITIONS + '[field.x]\n[stream.train]\nmix = "balanced"\nwhere = "x < 300"\n', r"class 'pi0' has no sample there"),
    ('class-column = "kind"\n[field.x]\n' + MIX, r"class-column needs class-names"),
    ('class-names = ["a:1"]\n[field.x]\n', r"class-names has no effect without class-column"),
    (COLUMN + FILES + "[field.x]\n", r"class-column contradicts \[class.electron\]"),
    (COLUMN.replace("pi0:1", "pi0:PI") + "[field.x]\n" + MIX, r"class-names: 'PI' is no number, and 'kind' holds numbers"),
    (COLUMN.replace("kind", "sort") + "[field.x]\n" + MIX, r"class 'electron': where.*sort"),
])
def test_what_is_wrong_is_named(files, text, what):
    config = beside(files, text)
    done = subprocess.run([HEADRACE, "serve", *files, "-c", config], capture_output=True, text=True, timeout=300)
    assert done.returncode == 2 and re.search(what, done.stderr), done.stderr


def test_inspect_tells_what_an_epoch_has(files):
    config = beside(files, CONDITIONS + FIELDS + '[stream.train]\nmix = "gamma:1, pi0:1, electron:2"\nepoch-size = "longest"\n')
    done = subprocess.run([HEADRACE, "inspect", "-c", config, *files, "--count"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert re.search(r"train, epoch 0: electron: (999|1000) of 300 samples, each 3 to 4 times", done.stdout), done.stdout
    assert "train, epoch 0: gamma: 500 of 500 samples, each once" in done.stdout


@pytest.mark.parametrize("classes", [FILES, CONDITIONS, COLUMN], ids=["files", "conditions", "column"])
def test_inspect_shows_the_class_of_a_sample(files, classes):
    text = classes + FIELDS
    for sample, k in ((0, 0), (299, 0), (300, 1), (419, 1), (420, 2), (TOTAL - 1, 2)):
        done = subprocess.run([HEADRACE, "inspect", "-c", beside(files, text), *files, "--sample", str(sample), "--json"],
                              capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        shown = {field["name"]: field["values"] for field in json.loads(done.stdout)["fields"]}
        assert shown["label"] == k and shown["one"] == [float(i == k) for i in range(3)], done.stdout
    text = '[class.a]\nwhere = "kind == 0"\n' + FIELDS
    done = subprocess.run([HEADRACE, "inspect", "-c", beside(files, text), *files, "--sample", "300"], capture_output=True, text=True)
    assert done.returncode == 2 and "the sample is of no class" in done.stderr
