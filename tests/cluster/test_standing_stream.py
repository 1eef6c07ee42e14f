"""A stream whose trainers stand still, in the middle of what they have asked for, across nodes."""

import signal
import time

import pytest
from across import across, cluster_of, epochs_of, trainers_on
from samples import write

SAMPLES = 211


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data"), 90, 121)


@pytest.fixture
def cluster():
    with cluster_of(2) as nodes:
        yield nodes


def test_a_stream_that_stands_still_for_a_minute_holds_up_no_other(tmp_path, files, cluster, tell):
    """With its requests outstanding all the time; the other goes through epoch after epoch meanwhile, and both deliver exactly once.

    For some seconds at either end of the minute without a pause; in between it rests after each epoch, so that others
    have the cores.
    """
    hosts = {"node0": 1, "node1": 1}
    flags = {"stream.train.shuffle": "global", "stream.val.shuffle": "global", "stream.val.epochs": 1}
    with across(cluster, tmp_path, files, hosts, batch=4, last="partial", slots=2, audit="full", **flags) as service:
        with trainers_on(service, hosts, stream="val") as still, trainers_on(service, hosts, stream="train") as busy:
            def epochs_for(seconds):
                """Numbers of epochs done within each quarter of that time, all checked."""
                quarters, begin = [0] * 4, time.monotonic()
                while (since := time.monotonic() - begin) < seconds:
                    assert epochs_of(busy, 1) == [list(range(SAMPLES))]
                    quarters[int(4 * since / seconds)] += 1
                    if 5 < since < seconds - 5:
                        time.sleep(0.25)
                return quarters

            epochs_of(busy, 1)
            alone = epochs_for(2)
            first = [trainer.take(1) for trainer in still]
            for trainer in still:
                trainer.ask("rest")  # stopped in the middle of what it has asked for
                trainer.signal(signal.SIGSTOP)
            beside = epochs_for(60)
            for trainer in still:
                trainer.signal(signal.SIGCONT)
            rest = [trainer.answer() for trainer in still]
        epochs = 1 + sum(alone) + sum(beside)
        assert service.says("val epoch 0: .*").endswith("every sample exactly once")
        assert service.stop() == 0, service.text
        assert service.lines(rf"train: {epochs} epochs complete.*every sample exactly once$")
    tell(f"by quarters {beside} epochs beside a stream that stood still, most with rests; "
         f"{sum(alone) / 2:.1f} a second without")
    assert min(beside) > 0
    assert sorted(sample for taken in first + rest for _, _, index in taken for sample in index) == list(range(SAMPLES))
