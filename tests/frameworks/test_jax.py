"""headrace.jax: arrays are right however late they are read, own their memory, and go where the sharding says."""

import os

os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=2"

import gc
import time

import headrace
import numpy as np
import pytest
from conftest import BATCH, STEPS, assert_right, fail_once
from headrace import INDEX, ROWS, VALID

jax = pytest.importorskip("jax", reason="JAX is not installed (tools/bootstrap --frameworks)")
import jax.numpy as jnp  # noqa: E402
from headrace import jax as face  # noqa: E402
from jax.sharding import Mesh, NamedSharding, PartitionSpec  # noqa: E402


def test_structures_and_types(stream):
    for batch in face.batches(stream, {"a": ["x", "big"], "i": INDEX, "h": "half", "c": "count", "f": "flag"}):
        index = np.asarray(batch["i"])
        assert_right("x", batch["a"][0], index)
        assert_right("big", batch["a"][1], index)
        assert all(isinstance(leaf, jax.Array) for leaf in jax.tree_util.tree_leaves(batch))
        assert (batch["h"].dtype, batch["c"].dtype, batch["f"].dtype) == (jnp.bfloat16, jnp.uint16, jnp.bool_)
        assert_right("count", batch["c"], index)
    assert list(next(iter(face.batches(stream)))) == list(stream.schema)
    with pytest.raises(headrace.Invalid, match="Did you mean 'label'"):
        face.batches(stream, "lable")


def test_rows_and_padding(val):
    last = None
    for rows, valid, index in face.batches(val, (ROWS, VALID, INDEX)):
        assert isinstance(rows, int) and int(valid.sum()) == rows
        last = rows
    assert last == 8


@pytest.mark.parametrize("slots", [2, 4])
@pytest.mark.parametrize(("prefetch", "copy"), [(0, True), (2, True), (0, False), (2, False)])
def test_a_loop_that_never_waits(serve, slots, prefetch, copy):
    """Computations queue up for longer than the stagers need to fill the slots again."""

    @jax.jit
    def off(x, index):
        long = jnp.full((300, 300), x[0, 0, 0])
        x = jnp.where((long @ long).min() >= 0, x, -1)
        return jnp.abs(x - index.astype(x.dtype)[:, None, None]).max()

    results = []
    with serve(slots=slots) as service, service.connect() as stream:
        for _ in range(4):
            for big, index in face.batches(stream, ("big", INDEX), prefetch=prefetch, copy=copy):
                results.append(off(big, index))
        assert stream.position == (4, 0)
        assert stream.stats().held <= (1 if copy else slots)
    assert [float(result) for result in results] == [0.0] * len(results)


def test_kept_arrays_hold_no_slot(stream):
    kept = list(face.batches(stream, ("big", INDEX)))
    assert len(kept) == STEPS and stream.stats().held == 0
    for big, index in kept:
        assert_right("big", big, index)


def test_without_a_copy(stream, monkeypatch):
    """The array is the slot, which JAX does not write to when the array is given away."""
    monkeypatch.setattr(face, "_SMALL", 0)
    for big, index in face.batches(stream, ("big", INDEX), copy=False):
        assert_right("big", big, np.asarray(index))
        address, (first, size) = big.unsafe_buffer_pointer(), stream._connection.ring
        assert first <= address < first + size
        donated = jax.jit(lambda x: x + 1, donate_argnums=0)(big)
        del big
        assert_right("big", np.asarray(donated) - 1, np.asarray(index))


def test_the_plain_stream_under_a_loop_that_never_waits(serve):
    """device_put aliases on a CPU and lets go late; the loop waits for the slots instead of ending."""

    @jax.jit
    def step(total, x):
        long = jnp.full((300, 300), x.sum())
        return total + (long @ long).min()

    with serve() as service, service.connect() as stream:
        total = jnp.zeros(())
        for _ in range(3):
            for batch in stream:
                total = step(total, jax.device_put(batch["big"]))
        total.block_until_ready()
        assert stream.position == (3, 0)


def test_under_the_guards_of_those_who_look_for_mistakes(stream):
    """A transfer that was asked for is none that a guard forbids; without compilation arrays are JAX's all the same."""
    for guard in (jax.transfer_guard("disallow"), jax.disable_jit()):
        with guard:
            x, index = next(iter(face.batches(stream, ("x", INDEX))))
        assert isinstance(x, jax.Array) and isinstance(index, jax.Array)
        assert_right("x", x, np.asarray(index))


def test_sharding(stream):
    mesh = Mesh(np.array(jax.devices()), ("data",))
    assert len(mesh.devices) == 2
    rows, whole = NamedSharding(mesh, PartitionSpec("data")), NamedSharding(mesh, PartitionSpec())
    for x, index in face.batches(stream, ("x", INDEX), sharding=rows):
        assert x.sharding == rows and x.addressable_shards[0].data.shape == (BATCH // 2, 4, 4)
        assert_right("x", x, np.asarray(index))
    for batch in face.batches(stream, {"x": "x", "n": ROWS, "i": INDEX}, sharding={"x": rows, "n": None, "i": whole}):
        assert batch["i"].sharding == whole and batch["x"].sharding == rows and batch["n"] == BATCH
        assert_right("x", batch["x"], np.asarray(batch["i"]))
    for x in face.batches(stream, "x", sharding=jax.devices()[1]):
        assert x.devices() == {jax.devices()[1]}
    with pytest.raises(headrace.Invalid, match="not arranged like"):
        face.batches(stream, ("x", "label"), sharding=(rows,))


def test_state_looks_and_seeks(stream, steps):
    batches = face.batches(stream, INDEX)
    assert (len(batches), batches.batch_size) == (STEPS, BATCH)
    assert batches.peek().tolist() == steps[0]
    assert next(iter(batches)).tolist() == steps[0]
    for i, index in enumerate(batches):
        assert index.tolist() == steps[i] and batches.position == (0, i + 1)
        if i == 4:
            state = batches.state_dict()
            break
    assert [index.tolist() for index in batches.resume()] == steps[5:]
    batches.load_state_dict(state)
    assert [index.tolist() for index in batches] == steps[5:]
    batches.set_epoch(0)
    visited = []
    for index in batches:
        visited.append(index.tolist())
        if len(visited) == 2:
            batches.seek(0, 17)
    assert visited == steps[:2] + steps[17:]


def test_a_loop_goes_on_after_an_exception(stream, steps):
    """As after a Timeout or Ctrl-C while it waits for a batch: the rest of the epoch comes all the same."""
    loop = iter(face.batches(stream, INDEX))
    first = next(loop).tolist()
    fail_once(stream)
    with pytest.raises(headrace.Timeout):
        next(loop)
    assert [first, *(index.tolist() for index in loop)] == steps


def test_a_newer_loop_ends_an_older_one(stream, steps):
    """With all that it had taken ahead."""
    batches = face.batches(stream, INDEX)
    older = iter(batches)
    assert [next(older).tolist() for _ in range(2)] == steps[:2]
    next(iter(batches))
    assert list(older) == [] and stream.position == (1, 1)


# -- a device that is no CPU -------------------------------------------------------------------------------------------


class Late:
    """What device_put gives where transfers take their time: it reads the source late, and by address."""

    def __init__(self, source, lag=0.002):
        self.source, self.shape, self.dtype = source, source.shape, source.dtype
        self.due = time.monotonic() + lag
        self.values = None

    def is_ready(self):
        if self.values is None and time.monotonic() >= self.due:
            self.values = self.source.copy()
        return self.values is not None

    def block_until_ready(self):
        while not self.is_ready():
            time.sleep(0.0002)
        return self


@pytest.mark.parametrize("slots", [2, 4])
@pytest.mark.parametrize("prefetch", [0, 2])
def test_a_slot_is_kept_until_the_transfer_is_done(serve, monkeypatch, slots, prefetch):
    monkeypatch.setattr(face, "_on_cpu", lambda shardings: False)
    monkeypatch.setattr(face.jax, "device_put", lambda arrays: [Late(array) for array in arrays])
    monkeypatch.setattr(face.jax, "block_until_ready", lambda arrays: [array.block_until_ready() for array in arrays])
    with serve(slots=slots) as service, service.connect() as stream:
        for _ in range(3):
            for big, index in face.batches(stream, ("big", INDEX), prefetch=prefetch):
                assert big.values is not None  # before the user can give it away
                assert_right("big", big.values, index.values)
        big = index = None
        for i, _ in enumerate(face.batches(stream, "big", prefetch=prefetch)):
            if i == 2:
                break  # others are under way
        gc.collect()
        for batch in stream:
            pass
        assert stream.position == (5, 0)


def test_wrong_arguments(stream):
    with pytest.raises(headrace.Invalid, match="prefetch"):
        face.batches(stream, "x", prefetch=-1)
    with pytest.raises(TypeError, match=r"headrace.Stream"):
        face.batches([1])
