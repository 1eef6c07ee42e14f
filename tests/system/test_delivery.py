"""What arrives: the right values of the right samples, each exactly once an epoch, whatever the stagers and trainers."""

import contextlib
import itertools

import numpy as np
import pytest
from samples import FIELDS, write
from service import running
from trainer import Trainer

SAMPLES = 211  # a prime: nothing divides it


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data"), 90, 1, 0, 120)


@contextlib.contextmanager
def trainers(service, world_size, nodes=1, **options):
    """Trainer r of world_size, spread over the nodes in runs."""
    options |= {"world_size": world_size, "again": True}
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Trainer(service.node(r * nodes // world_size), rank=r, **options))
               for r in range(world_size)]


def all_epochs(group, count):
    """[epoch][rank] -> [(step, sample numbers)], with all trainers at work together."""
    for trainer in group:
        trainer.connected()
        trainer.ask("epochs", count)
    by_rank = [trainer.answer() for trainer in group]
    return [[[(step, index) for _, step, index in rank[epoch]] for rank in by_rank] for epoch in range(count)]


def global_batches(epoch):
    """Per step the samples of all trainers together, sorted."""
    steps = {}
    for rank in epoch:
        for step, index in rank:
            steps.setdefault(step, []).extend(index)
    return [sorted(steps[step]) for step in sorted(steps)]


def flat(epoch):
    return sorted(itertools.chain.from_iterable(index for rank in epoch for _, index in rank))


def exactly_once(service, epochs, stream="train"):
    """The service says the same in its audit."""
    for epoch in range(epochs):
        assert service.says(rf"{stream} epoch {epoch}: .*").endswith("every sample exactly once")


@pytest.mark.parametrize("stagers, split, world_size", [
    (None, False, 1), (1, False, 2), (2, False, 3), (3, False, 2), (5, False, 1),
    (2, True, 2), (3, True, 3), (5, True, 5), (3, True, 6),
])
def test_every_sample_exactly_once(tmp_path, files, stagers, split, world_size):
    nodes = stagers if split else 1
    here = -(-world_size // nodes)
    with running(tmp_path, files, stagers, batch=7, last="partial", epochs=2, seed=11, audit="full", split_nodes=split,
                 trainers_per_node=here) as service:
        with trainers(service, world_size, nodes) as group:
            first, second = all_epochs(group, 2)
        assert service.wait() == 0
        exactly_once(service, 2)
    for epoch in (first, second):
        assert flat(epoch) == list(range(SAMPLES))
        assert len({len(rank) for rank in epoch}) == 1  # the same number of batches for everybody
        assert all(index == sorted(index) for rank in epoch for _, index in rank)
    assert global_batches(first) != global_batches(second)


def test_global_batches_depend_on_neither_stagers_nor_trainers(tmp_path, files):
    seen = []
    for stagers, split, world_size in [(None, False, 1), (3, False, 2), (2, True, 4)]:
        nodes = stagers if split else 1
        with running(tmp_path, files, stagers, global_batch=12, last="partial", epochs=1, seed=5, split_nodes=split,
                     trainers_per_node=world_size // nodes) as service:
            with trainers(service, world_size, nodes) as group:
                seen.append(global_batches(all_epochs(group, 1)[0]))
            assert service.wait() == 0
    assert seen[0] == seen[1] == seen[2]
    assert [len(batch) for batch in seen[0]] == [12] * 17 + [7]


def test_seed_decides_the_order(tmp_path, files):
    seen = []
    for seed in (3, 3, 4):
        with running(tmp_path, files, batch=10, epochs=1, seed=seed) as service:
            with trainers(service, 1) as group:
                seen.append(all_epochs(group, 1)[0])
            assert service.wait() == 0
    assert seen[0] == seen[1] != seen[2]


def test_batches_are_shuffled_over_the_whole_selection(tmp_path, files):
    with running(tmp_path, files, 2, batch=100, epochs=4) as service, trainers(service, 1) as group:
        means = [np.mean(index) for epoch in all_epochs(group, 4) for _, index in epoch[0]]
    assert all(70 < mean < 140 for mean in means)  # 105 +- 6 are expected
    assert np.std(means) > 0.5


def test_types_and_shapes_come_from_the_files(tmp_path, files):
    with running(tmp_path, files, batch=7) as service, Trainer(service) as trainer:
        schema = trainer.describe()["schema"]
    expected = {name: (shape, np.dtype(dtype).newbyteorder("=").str) for name, (shape, dtype, _) in FIELDS.items()}
    assert schema == expected


def test_fields_can_be_chosen_and_renamed(tmp_path, files):
    config = tmp_path / "two.toml"
    config.write_text('[field.weight]\n[field.label]\nsource = "grid/hits"\n')
    with running(tmp_path, files, 2, config=config) as service, Trainer(service) as trainer:
        schema = trainer.describe()["schema"]
    assert list(schema) == ["weight", "label"]
    assert schema["label"] == ((4,), "<i2")


@pytest.mark.parametrize("stagers, split", [(None, False), (3, False), (3, True)])
def test_unshuffled_streams_come_in_file_order(tmp_path, files, stagers, split):
    with running(tmp_path, files, stagers, batch=8, shuffle="none", epochs=2, split_nodes=split) as service:
        with trainers(service, 1) as group:
            epochs = all_epochs(group, 2)
        assert service.wait() == 0
        exactly_once(service, 2)
    for epoch in epochs:
        assert list(itertools.chain.from_iterable(index for _, index in epoch[0])) == list(range(SAMPLES))


def test_unshuffled_streams_are_cut_in_runs(tmp_path, files):
    with running(tmp_path, files, 2, batch=10, shuffle="none", epochs=1, trainers_per_node=2) as service:
        with trainers(service, 2) as group:
            epoch, = all_epochs(group, 1)
        assert service.wait() == 0
    runs = [list(itertools.chain.from_iterable(index for _, index in rank)) for rank in epoch]
    assert runs[0] + runs[1] == list(range(SAMPLES))
    assert abs(len(runs[0]) - len(runs[1])) <= 1


def test_streams_over_one_store(tmp_path, files):
    config = tmp_path / "streams.toml"
    config.write_text("""
        epochs = 2
        [stream.train]
        select = ":150"
        batch = 16
        [stream.val]
        select = "150:"
        shuffle = "none"
        batch = 9
        [stream.odd]
        select = "1::2, -4:"
        global-batch = 20
        last = "partial"
    """)
    chosen = {"train": range(150), "val": range(150, SAMPLES), "odd": sorted({*range(1, SAMPLES, 2), *range(207, SAMPLES)})}
    with running(tmp_path, files, 3, config=config, trainers_per_node=2) as service:
        with contextlib.ExitStack() as stack:
            groups = {name: stack.enter_context(trainers(service, 2, stream=name)) for name in chosen}
            for name in reversed(chosen):  # one after the other: a stream waits for no other
                for epoch in all_epochs(groups[name], 2):
                    if name == "train":  # 150 = 4 * 32 + 22
                        assert len(flat(epoch)) == 128 and set(flat(epoch)) < set(chosen[name])
                    else:
                        assert flat(epoch) == list(chosen[name])
        assert service.wait() == 0
        for name in chosen:
            exactly_once(service, 2, name)


@pytest.mark.parametrize("last, rows", [
    ("drop", [[(8, 8)] * 3] * 2),
    ("partial", [[(8, 8)] * 3 + [(1, 1)], [(8, 8)] * 3 + [(1, 1)]]),
    ("pad", [[(8, 8)] * 3 + [(1, 8)], [(8, 8)] * 3 + [(1, 8)]]),
])
def test_last_batch(tmp_path, files, last, rows):
    with running(tmp_path, files, 2, select=":50", batch=8, last=last, epochs=1, trainers_per_node=2) as service:
        with trainers(service, 2) as group:
            assert [trainer.rows() for trainer in group] == rows
        assert service.wait() == 0
        exactly_once(service, 1)


def test_last_batch_may_be_empty(tmp_path, files):
    with running(tmp_path, files, 2, select=":17", batch=4, last="partial", epochs=1, trainers_per_node=3) as service:
        with trainers(service, 3) as group:
            seen = [trainer.rows() for trainer in group]
        assert service.wait() == 0
        exactly_once(service, 1)
    assert [rank[0] for rank in seen] == [(4, 4)] * 3
    assert sorted(rank[1][0] for rank in seen) == [1, 2, 2]  # 5 rows are left
    with running(tmp_path, files, 2, select=":13", batch=4, last="partial", epochs=1, trainers_per_node=3) as service:
        with trainers(service, 3) as group:
            seen = [trainer.rows() for trainer in group]
        assert service.wait() == 0
    assert sorted(rank[1] for rank in seen) == [(0, 0), (0, 0), (1, 1)]


@pytest.mark.parametrize("split", [False, True])
def test_more_stagers_than_samples(tmp_path, split):
    few = write(tmp_path, 2, 1)
    with running(tmp_path, few, 5, batch=2, last="partial", epochs=2, split_nodes=split, audit="full") as service:
        with trainers(service, 1) as group:
            epochs = all_epochs(group, 2)
        assert service.wait() == 0
        exactly_once(service, 2)
    assert [flat(epoch) for epoch in epochs] == [[0, 1, 2]] * 2


def test_nodes_without_trainers(tmp_path, files):
    with running(tmp_path, files, 3, batch=16, last="pad", epochs=2, split_nodes=True, audit="full") as service:
        with Trainer(service.node(2)) as trainer:  # and neither on node 0, where the service keeps its books
            epochs = trainer.epochs(2)
        assert service.wait() == 0
        exactly_once(service, 2)
    for epoch in epochs:
        padded = [number for _, _, index in epoch for number in index]
        assert len(padded) == 14 * 16 and set(padded) == set(range(SAMPLES))
