#!/usr/bin/env python3
"""premix and export beside what people do today, the whole command with its start each time; medians and spreads of turns taken
one after another.

    build/venv/bin/python tests/system/bench_premix_peers.py --build build/release --upp UPP/bin/preprocess \\
        --tensorflow build/frameworks/bin/python

    h5py         rows copied in a random order, a sorted block of the target at a time; premix, layout = "ftag" (bar 10)
    UPP          PyPI's umami-preprocessing 0.3.3, `method: none`: resample and merge; the same (bar 10)
    Umami        its converter's way of making TFRecords: an Example a jet, its lists extended, out of a file that is shuffled
                 already; export, names = "umami" (bar 20). Only the loop counts there, not TensorFlow's start.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
from bench_premix import copy_by_h5py

TRACKS, TRACK_VALUES, JET_VALUES = 40, 15, 20
JETS = [f"j{i}" for i in range(JET_VALUES)]
TRACK = [f"t{i}" for i in range(TRACK_VALUES)]
KEYS = [f"--field.jets.source=jets[{', '.join(JETS)}]", f"--field.tracks.source=tracks[{', '.join(TRACK)}]",
        "--field.tracks.valid=tracks.valid", "--field.tracks.mask=tracks_valid", "--field.flavour.source=jets.flavour",
        "--field.flavour.encode=one-hot", "--field.flavour.classes=ujets:0,cjets:4,bjets:5"]
UPP_LABEL = "HadronConeExclTruthLabelID"

UMAMI_LOOP = """
import sys, time
import h5py
import tensorflow as tf
begin, records = time.perf_counter(), 0
with h5py.File(sys.argv[1]) as file:
    for start in range(0, len(file["jets/inputs"]), 5000):
        here = slice(start, start + 5000)
        jets, labels, weights = (file[f"jets/{name}"][here] for name in ("inputs", "labels_one_hot", "weight"))
        tracks = file["tracks/inputs"][here]
        with tf.io.TFRecordWriter(f"{sys.argv[2]}/x_{start // 5000 + 1:04}.tfrecord") as out:
            for i in range(len(jets)):
                example = tf.train.Example()
                feature = example.features.feature
                feature["X_jets"].float_list.value.extend(jets[i].reshape(-1))
                feature["Y_jets"].int64_list.value.extend(labels[i])
                feature["Weights"].float_list.value.extend(weights[i].reshape(-1))
                feature["tracks/inputs"].float_list.value.extend(tracks[i].reshape(-1))
                out.write(example.SerializeToString())
                records += 1
print(time.perf_counter() - begin)
"""


def make(path, rows):
    rng = np.random.default_rng(1)
    jets = np.zeros(rows, [*((name, "f4") for name in JETS), ("flavour", "i4"), (UPP_LABEL, "i4"), ("eventNumber", "i4")])
    for name in JETS:
        jets[name] = rng.normal(size=rows)
    jets["flavour"] = jets[UPP_LABEL] = rng.choice([0, 4, 5], rows)
    jets["eventNumber"] = np.arange(rows)
    with h5py.File(path, "w") as file:
        file["jets"] = jets
        tracks = file.create_dataset("tracks", (rows, TRACKS), np.dtype([*((name, "f2") for name in TRACK), ("valid", "?")]))
        for at in range(0, rows, 10_000):
            part = np.zeros((min(10_000, rows - at), TRACKS), tracks.dtype)
            for name in TRACK:
                part[name] = rng.normal(size=part.shape)
            part["valid"] = True
            tracks[at:at + len(part)] = part


def headrace(options, *words):
    begin = time.perf_counter()
    done = subprocess.run(["mpirun", "-n", str(options.stagers), options.build / "bin/headrace", *map(str, words)], capture_output=True,
                          text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return time.perf_counter() - begin


def by_upp(options, folder, source):
    config = folder / "upp.yaml"
    shutil.rmtree(folder / "components", ignore_errors=True)
    shutil.rmtree(folder / "made", ignore_errors=True)
    config.write_text(f"""
variables:
  jets: {{inputs: [{', '.join(JETS)}], labels: [{UPP_LABEL}]}}
  tracks: {{inputs: [{', '.join(TRACK)}], labels: []}}
global_cuts: {{train: [[eventNumber, ">=", 0]], val: [], test: []}}
components:
  - region: {{name: all, cuts: [[j0, ">", -1.0e+30]]}}
    sample: {{name: sample, pattern: {source.name}}}
    classes: [bjets, cjets, ujets]
    num_global_objects: -1
resampling: {{method: none, variables: {{}}}}
global: {{batch_size: 50000, base_dir: {folder}, ntuple_dir: {folder}, components_dir: components, out_dir: made}}
""")
    begin = time.perf_counter()
    done = subprocess.run([options.upp, "--config", config, "--split", "train", "--resample", "--merge", "--log-level", "WARNING"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr + done.stdout)
    seconds = time.perf_counter() - begin
    with h5py.File(source) as old, h5py.File(folder / "made/pp_output_train.h5") as new:
        assert len(new["jets"]) == len(old["jets"])
    return seconds


def by_umami(options, folder, source):
    records = folder / "umami"
    shutil.rmtree(records, ignore_errors=True)
    records.mkdir()
    done = subprocess.run([options.tensorflow, "-c", UMAMI_LOOP, source, records], capture_output=True, text=True,
                          env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return float(done.stdout)


def exported(options, folder, source):
    shutil.rmtree(folder / "records", ignore_errors=True)
    return headrace(options, "export", source, *KEYS, "-o", folder / "records", "--names=umami", "--chunk-size=5000")


def turns_of(options, folder, source, layout):
    output = folder / "out.h5"

    def premix():
        return headrace(options, "premix", source, *KEYS, "-o", output, "--premix.layout=ftag", "--force")

    yield "h5py", 10, premix, lambda: copy_by_h5py(source, folder / "h5py.h5")
    if options.upp:
        yield "UPP", 10, premix, lambda: by_upp(options, folder, source)
    if options.tensorflow:
        headrace(options, "premix", source, *KEYS, "-o", layout, "--premix.layout=umami", "--force")
        yield "Umami", 20, lambda: exported(options, folder, source), lambda: by_umami(options, folder, layout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--stagers", type=int, default=2)
    parser.add_argument("--only", choices=["h5py", "UPP", "Umami"])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--upp", type=Path, help="umami-preprocessing's program `preprocess`")
    parser.add_argument("--tensorflow", type=Path, help="a Python that has TensorFlow and h5py")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="headrace-peers-", dir=options.folder) as name:
        folder = Path(name)
        source = folder / "in.h5"
        make(source, options.rows)
        print(f"{options.rows} jets, {source.stat().st_size / 1e6:.0f} MB, {options.stagers} stagers", flush=True)
        for what, bar, mine, theirs in turns_of(options, folder, source, folder / "layout.h5"):
            if options.only not in (None, what):
                continue
            pairs = [(mine(), theirs()) for _ in range(options.turns)]
            times = [other / own for own, other in pairs]
            print(f"{what:6} {statistics.median(own for own, _ in pairs):7.2f} s against {statistics.median(o for _, o in pairs):7.2f} s: "
                  f"{statistics.median(times):6.1f} times ({min(times):.1f} .. {max(times):.1f}; bar {bar})", flush=True)
        print(f"load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    sys.exit(main())
