"""As many trainers and streams as a full node has, at once."""

import contextlib

import pytest
from samples import write, wrong_fields
from service import running

import headrace


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data"), 300, 212)


def epoch_of(trainers):
    """The samples of all of them, who take their batches in turns."""
    taken = []
    for batches in zip(*trainers, strict=True):
        for batch in batches:
            assert not wrong_fields(batch)
            taken += batch.index.tolist()
            batch.release()
    return sorted(taken)


@pytest.mark.parametrize("stagers", [1, 2])
def test_64_trainers_of_one_node(tmp_path, files, stagers):
    with running(tmp_path, files, stagers, batch=2, slots=2, trainers_per_node=64, epochs=2, audit="full") as service, \
         contextlib.ExitStack() as stack:
        trainers = [stack.enter_context(headrace.connect(service.name, rank=rank, world_size=64, local_rank=rank, progress=False))
                    for rank in range(64)]
        assert epoch_of(trainers) == epoch_of(trainers) == list(range(512))
        stack.close()
        assert service.wait() == 0
        assert len(service.lines("every sample exactly once$")) == 3


def test_three_streams_of_eight_trainers_each(tmp_path, files):
    config = tmp_path / "three.toml"
    config.write_text('[stream.a]\nbatch = 4\n[stream.b]\nbatch = 8\nshuffle = "none"\n[stream.c]\nbatch = 2\norder = "shuffled"\n')
    with running(tmp_path, files, 2, config=config, trainers_per_node=8, epochs=1, audit="full") as service, \
         contextlib.ExitStack() as stack:
        streams = [[stack.enter_context(headrace.connect(service.name, stream, rank, 8, rank, progress=False)) for rank in range(8)]
                   for stream in "abc"]
        assert all(epoch_of(trainers) == list(range(512)) for trainers in streams)
        stack.close()
        assert service.wait() == 0
        assert len(service.lines("every sample exactly once$")) == 6
