"""headrace.torch: tensors are right, own what they look at, and a loader has the length and state of its stream."""

import gc
from collections import namedtuple

import headrace
import pytest
from conftest import BATCH, STEPS, assert_right
from headrace import INDEX, ROWS, VALID

torch = pytest.importorskip("torch", reason="PyTorch is not installed (tools/bootstrap --frameworks)")
from headrace.torch import Dataset, Loader  # noqa: E402

Pair = namedtuple("Pair", "x y")


def index_of(batches):
    return [index.tolist() for index in batches]


@pytest.fixture
def steps(stream):
    """The sample numbers of epoch 0, step by step."""
    numbers = [batch.index.tolist() for batch in stream]
    stream.seek(0)
    return numbers


def test_structures(stream):
    for (x, big), label, index in Loader(stream, (["x", "big"], "label", INDEX)):
        for name, tensor in (("x", x), ("big", big), ("label", label)):
            assert isinstance(tensor, torch.Tensor)
            assert_right(name, tensor, index)
    for pair in Loader(stream, Pair("x", {"label": "label"})):
        assert type(pair) is Pair and list(pair.y) == ["label"]
    for batch in Loader(stream):
        assert list(batch) == list(stream.schema)
    with pytest.raises(headrace.Invalid, match="Did you mean 'label'"):
        Loader(stream, ("x", "lable"))


def test_types_are_those_of_torch(stream):
    loader = Loader(stream, {"half": "half", "count": "count", "flag": "flag", "image": "image", "i": INDEX})
    types = {"half": torch.bfloat16, "count": torch.uint16, "flag": torch.bool, "image": torch.uint8, "i": torch.int64}
    for batch in loader:
        assert {name: tensor.dtype for name, tensor in batch.items()} == types
        want = batch["i"].to(torch.bfloat16)
        torch.testing.assert_close(batch["half"], want[:, None].expand(-1, 3), rtol=0, atol=0)
        assert_right("flag", batch["flag"], batch["i"])


def test_dtype_and_channels_last(stream):
    loader = Loader(stream, ("x", "half", "image", INDEX), dtype={"half": torch.float32, "image": torch.float16})
    for x, half, image, index in loader:
        assert (x.dtype, half.dtype, image.dtype) == (torch.float32, torch.float32, torch.float16)
        assert_right("half", half, index.to(torch.bfloat16).float())
    for x, half, label in Loader(stream, ("x", "half", "label"), dtype=torch.float64):  # floats alone
        assert (x.dtype, half.dtype, label.dtype) == (torch.float64, torch.float64, torch.int64)
    for image, index in Loader(stream, ("image", INDEX), channels_last=["image"], copy=False):
        assert image.shape == (BATCH, 3, 8, 6) and image.is_contiguous(memory_format=torch.channels_last)
        assert_right("image", image.permute(0, 2, 3, 1), index)
    for mistake in ({"channels_last": ["x"]}, {"channels_last": ["image", "nothing"]}, {"dtype": {"big": torch.half}}):
        with pytest.raises(headrace.Invalid, match=r"shape|no field of the structure"):
            Loader(stream, ("x", "image"), **mistake)


def test_padded_rows(val):
    rows = [(r, valid.tolist()) for r, valid in Loader(val, (ROWS, VALID))]
    assert [r for r, _ in rows] == [16] * 7 + [8]
    assert rows[-1][1] == [1.0] * 8 + [0.0] * 8 and rows[0][1] == [1.0] * 16


def test_small_fields_are_copies(stream):
    """A list of labels, a loss with its graph: neither holds a slot, in an epoch of more batches than slots."""
    labels, total = [], 0.0
    weight = torch.ones((4, 4), requires_grad=True)
    for x, label in Loader(stream, ("x", "label")):
        labels.append(label)
        total = total + (x * weight).sum()
    assert len(labels) == STEPS and stream.stats().held == 0
    total.backward()


def test_large_fields_are_views(stream):
    loader = Loader(stream, ("big", INDEX))
    kept = [tensor for tensor, _ in zip(iter(loader), range(3))]
    assert stream.stats().held >= 3
    for big, index in kept:
        assert_right("big", big, index)
    del big, index
    kept.clear()
    gc.collect()
    assert stream.stats().held == 0
    for big, _ in Loader(stream, ("big", INDEX), copy=True):
        kept.append(big)
    assert stream.stats().held == 0
    big = next(iter(Loader(stream, "x", copy=False)))
    assert stream.stats().held == 1


def test_epochs_length_and_state(stream, steps):
    loader = Loader(stream, INDEX)
    assert (len(loader), loader.batch_size, loader.samples) == (STEPS, BATCH, stream.samples)
    assert len(loader.dataset) == STEPS and loader.stream is stream and loader.schema == stream.schema
    assert index_of(loader) == steps
    assert index_of(loader) != steps and loader.position == (2, 0)
    loader.set_epoch(0)
    for i, _ in enumerate(loader):
        if i == 6:
            state = loader.state_dict()
            break
    assert index_of(loader.resume()) == steps[7:]
    loader.load_state_dict(state)
    iter(loader)
    assert index_of(loader) == steps[7:]


def test_looks_lose_nothing(stream, steps):
    loader = Loader(stream, INDEX)
    assert loader.peek().tolist() == steps[0] and loader.position == (0, 0)
    assert next(iter(loader)).tolist() == steps[0]
    assert index_of(loader) == steps


def test_wrong_arguments(stream):
    for arguments, error in (
        ({"copy": "big"}, headrace.Invalid),
        ({"prefetch": -1}, headrace.Invalid),
        ({"device": "meta"}, headrace.Invalid),
        ({"stream": [1, 2]}, TypeError),
    ):
        with pytest.raises(error):
            Loader(**{"stream": stream, "structure": "x", **arguments})
    if not torch.cuda.is_available():
        with pytest.raises(headrace.Invalid, match="no GPU"):
            Loader(stream, "x", device="cuda")


# -- DataLoader --------------------------------------------------------------------------------------------------------


def test_dataset_in_a_dataloader(stream, steps):
    dataset = Dataset(stream, ("big", INDEX))
    loader = torch.utils.data.DataLoader(dataset, batch_size=None)
    assert len(loader) == STEPS
    seen = []
    for big, index in loader:
        assert_right("big", big, index)
        seen.append(index.tolist())
        del big
    assert seen == steps
    state = dataset.state_dict()
    assert (state["epoch"], state["step"]) == (1, 0)
    dataset.set_epoch(0)
    assert len(list(iter(torch.utils.data.DataLoader(Dataset(stream, INDEX), batch_size=None)))) == STEPS
    dataset.load_state_dict(state)


@pytest.mark.parametrize("options", [{}, {"batch_size": 32}])
def test_batches_are_not_batched_again(stream, options):
    """It would stack whole batches, without a word."""
    with pytest.raises(headrace.Invalid, match=rf"batch_size=None\).* a batch has \({BATCH}\)"):
        next(iter(torch.utils.data.DataLoader(Dataset(stream, "x"), **options)))


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_are_refused(stream, context):
    loader = torch.utils.data.DataLoader(
        Dataset(stream, "x"), batch_size=None, num_workers=1, multiprocessing_context=context
    )
    with pytest.raises((headrace.Error, TypeError), match="num_workers=0"):
        next(iter(loader))


def test_samples_by_number_are_refused(stream):
    with pytest.raises(TypeError, match=r"batch_size=None\) or headrace.torch.Loader"):
        Dataset(stream, "x")[3]
    with pytest.raises(TypeError, match="iterate it as it is"):
        next(iter(torch.utils.data.DataLoader(Loader(stream, "x"))))
    with pytest.raises(TypeError, match="no sample or batch by number"):
        next(iter(torch.utils.data.DataLoader(stream)))


def test_batches_that_are_rebuilt(stream):
    """default_convert of DataLoader makes the batch anew, of tensors."""
    from torch.utils.data import default_convert

    batch = next(iter(stream))
    index = batch.index
    converted = default_convert(type(batch)({name: batch[name] for name in ("x", "label")}))
    del batch
    assert isinstance(converted, headrace.Batch) and list(converted) == ["x", "label"]
    assert_right("x", converted["x"], index)
    assert stream.stats().held == 1
    del converted
    assert stream.stats().held == 0


# -- the lease ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slots", [2, 4])
def test_nothing_is_overwritten_that_is_still_read(serve, slots):
    """By consumers that are slow, or keep a tensor in another thread or in a graph."""
    import queue
    import threading

    wrong, work = [], queue.Queue(1)

    def check():
        while (item := work.get()) is not None:
            big, index = item
            if not bool((big == index.float()[:, None, None]).all()):
                wrong.append(index)
            del item, big

    with serve(slots=slots) as service, service.connect() as stream:
        thread = threading.Thread(target=check)
        thread.start()
        for _ in range(15):
            for big, index in Loader(stream, ("big", INDEX)):
                work.put((big, index))
                (big * torch.ones((), requires_grad=True)).sum().backward()
                del big, index
        work.put(None)
        thread.join()
        gc.collect()
        assert not wrong and stream.stats().held == 0 and stream.position == (15, 0)
