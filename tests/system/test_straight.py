"""Streams that are not shuffled and do not fit memory: read straight through, the same batches as with all in memory."""

import contextlib
import json
import threading

import headrace
import numpy as np
import pytest
from service import control, running
from telling_samples import check, write
from test_window import NAMES, STAGERS, connect, room, configured

SAMPLES = 4100
# The first has odd lengths everywhere; of the second, some blocks have no sample.
STREAMS = {"walk": {"select": "3:", "batch": 20, "shuffle": "none", "last": "pad", "epochs": 2},
           "some": {"where": "label < 3", "select": "100:3900", "batch": 7, "shuffle": "none", "last": "partial", "epochs": 1},
           "train": {"select": ":0.9", "batch": 20, "epochs": 1}}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data"))


def epochs_of(service, stream, ranks, split=False):
    """Sample numbers of each batch of each rank, which all take turns of their own."""
    taken, problems = {rank: [] for rank in range(ranks)}, []

    def take(rank):
        try:
            with connect(service, stream, rank, ranks, node=rank * split) as source:
                for _ in range(STREAMS[stream]["epochs"]):
                    for batch in source:
                        check(batch)
                        taken[rank].append(batch.index.tolist())
                        batch.release()
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=take, args=(rank,)) for rank in range(ranks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems, problems
    return taken


def trainers_of(stream):
    return 3 if stream == "walk" else 1


@pytest.fixture(scope="module")
def in_memory(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("memory")
    with running(folder, config=configured(folder, files, STREAMS), trainers_per_node=3) as service:
        found = {stream: epochs_of(service, stream, trainers_of(stream)) for stream in STREAMS}
        assert service.wait() == 0 and service.lines("regime resident")
    return found


@pytest.mark.parametrize("stagers, split", STAGERS, ids=NAMES)
def test_the_batches_are_those_of_memory(tmp_path, files, in_memory, stagers, split):
    config = configured(tmp_path, files, STREAMS)
    with running(tmp_path, stagers=stagers, config=config, split_nodes=split, memory=room(config, stagers, split, 0.9),
                 trainers_per_node=1 if split else 3, audit="full") as service:
        for stream in STREAMS:
            assert epochs_of(service, stream, trainers_of(stream), split and trainers_of(stream) > 1) == in_memory[stream]
        assert service.wait() == 0, service.text
        assert service.lines("stream walk is read from the files as it lies, in stretches of which two are in memory at a time")
        assert len(service.lines("every sample exactly once")) == 4 + 3  # each epoch of each stream, and in the end


def walk_only(folder, files, epochs=0, **keys):
    return configured(folder, files, {"walk": {**STREAMS["walk"], "epochs": epochs}}, **keys)


def test_any_number_of_trainers_and_any_step(tmp_path, files):
    """Stretches are others for another number of trainers; a state goes on with any."""
    config = walk_only(tmp_path, files)
    expected = list(range(3, SAMPLES))
    with running(tmp_path, stagers=2, config=config, memory=room(config, 2, share=0.4), trainers_per_node=5) as service:
        for ranks in (1, 5, 2):
            streams = [connect(service, "walk", rank, ranks) for rank in range(ranks)]
            runs = np.array_split(expected, ranks)  # equal within one, the first ones longer
            for step in (0, 30, 2):
                for stream in streams:  # who is behind would keep the others waiting
                    stream.seek(1, step)
                for stream, run in zip(streams, runs):
                    batch = next(iter(stream))
                    check(batch)
                    assert batch.index.tolist() == run[20 * step:20 * step + 20].tolist()
            for stream in streams:
                stream.close()


def test_a_saved_state_goes_on_without_windows(tmp_path, files, in_memory):
    """What is in memory when changes no batch, so that states know nothing of it."""
    config = walk_only(tmp_path, files, 2)
    whole, taken = in_memory["walk"], []
    with running(tmp_path, config=config, memory=room(config, share=0.4), trainers_per_node=3) as service:
        streams = [connect(service, "walk", rank, 3) for rank in range(3)]
        iterators = [iter(stream) for stream in streams]
        for _ in range(41):
            for rank, iterator in enumerate(iterators):
                batch = next(iterator)
                taken.append((rank, batch.index.tolist()))
                if batch.step == 40 and rank == 0:
                    state = streams[0].state_dict()
                batch.release()
        service.kill()
        for stream in streams:
            with contextlib.suppress(headrace.ServiceLost):
                stream.close()
    for rank in range(3):
        assert [numbers for who, numbers in taken if who == rank] == whole[rank][:41]
    with running(tmp_path, stagers=2, config=config, trainers_per_node=3) as service:
        streams = [connect(service, "walk", rank, 3) for rank in range(3)]
        for stream in streams:
            stream.load_state_dict(state)
        for rank, stream in enumerate(streams):
            assert next(iter(stream)).index.tolist() == whole[rank][41]
            stream.close()


def test_more_trainers_than_stretches_are_refused_by_name(tmp_path, files):
    config = walk_only(tmp_path, files)
    with running(tmp_path, config=config, memory=room(config, share=0.4)) as service:
        with pytest.raises(headrace.Refused, match=r"stream 'walk' is not shuffled and does not fit memory; for 64 trainers .* smaller blocks \(block\)"):
            connect(service, "walk", 0, 64)
        with connect(service, "walk") as stream:  # it goes on for others
            check(next(iter(stream)))
        told = json.loads(control("stat", service.name, "--json").stdout)["service"]["streams"][0]["window"]
        assert told["windows"] >= 3
