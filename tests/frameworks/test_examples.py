"""The examples of jobs/examples run as they stand, over small files of the shapes that they are for."""

import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import BUILD, Service

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "jobs" / "examples"
LCD = ROOT / "jobs" / "lcd.toml"
HOLOGRAMS = """
batch = 4
[field.image]
shape = [1, 60, 40]
scale = 255
dtype = "float32"
[field.particles]
source = ["x", "y", "z", "d"]
join = "hid"
pad = 10
mask = "particles_valid"
dtype = "float32"
[stream.train]
select = "8:"
[stream.val]
select = ":8"
shuffle = "none"
last = "partial"
"""


def serve(folder, config, file, **flags):
    name = f"examples-{os.getpid()}-{folder.name}"
    command = [str(BUILD / "bin" / "headrace"), "serve", f"--config={config}", f"--files={file}", f"--name={name}"]
    command += ["--stay=true", *(f"--{key.replace('_', '-')}={value}" for key, value in flags.items())]
    return Service(name, command, folder / "service.log")


@pytest.fixture(scope="module")
def lcd_file(tmp_path_factory):
    sys.path.insert(0, str(ROOT / "jobs"))
    import make_lcd

    path = tmp_path_factory.mktemp("lcd") / "lcd.h5"
    with h5py.File(path, "w") as file:
        for name, rows in make_lcd.make_piece(np.random.default_rng(1), 160).items():
            file[name] = rows
    return path


@pytest.fixture
def lcd(lcd_file, tmp_path):
    """Five batches of 16 for each of one or two trainers."""
    running = []

    def start(trainers=1, replicas=1):
        streams = {"stream.train.select": "32:" if trainers == 2 else "32:112", "stream.val.select": ":32"}
        running.append(
            serve(tmp_path, LCD, lcd_file, batch=16, trainers_per_node=trainers, replicas=replicas, **streams)
        )
        return running[-1]

    yield start
    for service in running:
        service.stop()
        print((tmp_path / "service.log").read_text())


@pytest.fixture
def holograms(tmp_path):
    rng, count = np.random.default_rng(2), 32
    with h5py.File(tmp_path / "holograms.nc", "w") as file:
        file["image"] = rng.integers(0, 255, (count, 60, 40)).astype("u1")
        file["hid"] = rng.integers(1, count + 1, 120)
        for name in "xyzd":
            file[name] = rng.uniform(-1, 1, 120)
    config = tmp_path / "holograms.toml"
    config.write_text(HOLOGRAMS)
    service = serve(tmp_path, config, tmp_path / "holograms.nc")
    yield service
    service.stop()
    print((tmp_path / "service.log").read_text())


def run(*command, **environ):
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def needs(*modules):
    for module in modules:
        pytest.importorskip(module, reason=f"{module} is not installed (tools/bootstrap --frameworks)")


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_examples_are_short(script):
    assert len(script.read_text().splitlines()) <= 40


def test_keras_with_two_inputs(lcd):
    needs("keras", "torch")
    told = run(EXAMPLES / "keras_lcd.py", lcd().name, KERAS_BACKEND="torch")
    assert "5/5" in told and "Epoch 2/2" in told and "val_accuracy" in told


def test_keras_with_a_generator(lcd):
    needs("keras", "torch")
    assert re.search(
        r"trained until epoch [3-5]", run(EXAMPLES / "keras_generator.py", lcd().name, KERAS_BACKEND="torch")
    )


def test_holograms_in_torch(holograms):
    needs("torch")
    assert re.search(r"epoch 0: loss [\d.]+, validation [\d.]+", run(EXAMPLES / "holograms_torch.py", holograms.name))


def test_holograms_in_keras(holograms):
    needs("keras", "jax")
    assert "6/6" in run(EXAMPLES / "holograms_keras.py", holograms.name, KERAS_BACKEND="jax")


def test_holograms_in_tensorflow(holograms, tmp_path):
    needs("tensorflow", "matplotlib")
    told = run(EXAMPLES / "holograms_tf.py", holograms.name, tmp_path / "seen.png")
    assert told.startswith("6 batches") and (tmp_path / "seen.png").stat().st_size > 1000


def test_lightning(lcd, tmp_path, monkeypatch):
    needs("lightning", "torch")
    monkeypatch.chdir(tmp_path)
    name = lcd().name
    told = run(EXAMPLES / "lightning_lcd.py", name)
    assert "step 10" in told
    checkpoint = next(tmp_path.glob("**/*.ckpt"))
    assert "step 10" in run(EXAMPLES / "lightning_lcd.py", name, checkpoint)


def test_ddp_under_torchrun_resumes(lcd, tmp_path):
    needs("torch")
    name, path = lcd(trainers=2).name, tmp_path / "checkpoint.pt"
    torchrun = ["-m", "torch.distributed.run", "--nproc-per-node=2", "--rdzv-backend=c10d"]
    command = [*torchrun, "--rdzv-endpoint=localhost:0", EXAMPLES / "ddp_lcd.py", name, path]
    assert "saved at epoch 0, step 3" in run(*command, 3)
    assert "saved at epoch 1, step 1" in run(*command, 2)
    assert "saved at epoch 2, step 0" in run(*command)


def test_tensor_parallel_under_torchrun(lcd):
    """Both replicas come to the same loss, which they would not from different batches."""
    needs("torch")
    torchrun = ["-m", "torch.distributed.run", "--nproc-per-node=2", "--rdzv-backend=c10d"]
    name = lcd(replicas=2).name
    told = run(*torchrun, "--rdzv-endpoint=localhost:0", EXAMPLES / "tensor_parallel_lcd.py", name)
    found = dict(re.findall(r"replica (\d) of 2, rank 0: loss ([\d.]+)", told))
    assert set(found) == {"0", "1"} and found["0"] == found["1"]


def test_jax_on_two_devices(lcd):
    needs("jax")
    told = run(EXAMPLES / "jax_lcd.py", lcd().name, XLA_FLAGS="--xla_force_host_platform_device_count=2")
    assert told.count("on 2 devices") == 2
