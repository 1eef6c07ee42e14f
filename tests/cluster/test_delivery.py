"""Stagers and trainers on several nodes: every sample exactly once, wherever they are and however ranks are mapped."""

import re
import signal

import pytest
from across import across, cluster_of, epochs_of, trainer_on, trainers_on
from samples import write
from trainer import Failed

SAMPLES = 211  # a prime: nothing divides it


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data"), 90, 1, 0, 120)


@pytest.fixture(scope="module")
def cluster():
    with cluster_of(4) as nodes:
        yield nodes


def exactly_once(service, epochs, stream="train"):
    """The service says the same in its audit."""
    for epoch in range(epochs):
        assert service.says(rf"{stream} epoch {epoch}: .*").endswith("every sample exactly once")


@pytest.mark.parametrize("stagers, trainers", [
    ((1, 1), (0, 1)),
    ((2, 2), (0, 0, 1)),
    ((1, 1, 1, 1), (0, 1, 2, 3)),
    ((2, 2, 2, 2), (0, 0, 1, 1, 2, 2, 3, 3)),
    ((1, 1, 1, 1), (2, 2)),  # on one node only, and rank 0 is elsewhere
    ((1, 2, 1), (0, 1, 1, 1, 2)),
    ((3, 0, 1), (0, 2)),  # a node in between takes no part
])
def test_every_sample_exactly_once(tmp_path, files, cluster, stagers, trainers):
    hosts = {f"node{k}": count for k, count in enumerate(stagers) if count}
    most = max(trainers.count(k) for k in trainers)
    with across(cluster, tmp_path, files, hosts, batch=7, last="partial", epochs=2, audit="full", trainers_per_node=most) as service:
        with trainers_on(service, [f"node{k}" for k in trainers], again=True) as group:
            first, second = epochs_of(group, 2)
        assert service.wait() == 0
        exactly_once(service, 2)
    assert first == second == list(range(SAMPLES))


@pytest.mark.parametrize("by, flags", [("nobody", 57), ("mpirun", 25), ("a file", 41)])
def test_settings_in_force_between_nodes_are_told(tmp_path, files, cluster, by, flags):
    """Wherever they come from, and what the nodes' kernels do. What nobody has chosen the service chooses: TCP without PUT."""
    settings, variables = ["--mca", "btl", "self,vader,tcp"], {}
    if by == "mpirun":
        settings += ["--mca", "btl_tcp_flags", str(flags)]
    elif by == "a file":
        (tmp_path / "mca.conf").write_text(f"btl_tcp_flags = {flags}\n")
        variables["OMPI_MCA_mca_base_param_files"] = str(tmp_path / "mca.conf")
    with across(cluster, tmp_path, files, {"node0": 1, "node1": 1}, batch=7, trainers_per_node=1, mpirun=settings,
                variables=variables) as service:
        told = service.says("between nodes: .*")
    assert f"btl = self,vader,tcp, btl_tcp_flags = {flags}, TCP with reno" in told


@pytest.mark.parametrize("mapping, order", [
    ("slot", "node0 0-0, node1 1-2, node2 3-3"),
    ("node", "node0 0-0, node1 1-2, node2 3-3"),
    ("rankfile", "node1 0-1, node2 2-2, node0 3-3"),
])
def test_stagers_are_numbered_node_by_node_however_ranks_are_mapped(tmp_path, files, cluster, mapping, order):
    hosts = {"node0": 1, "node1": 2, "node2": 1}
    launch = ["--map-by", mapping]
    if mapping == "rankfile":
        ranks = tmp_path / "ranks"
        ranks.write_text("".join(f"rank {r}=node{k} slot={slot}\n" for r, (k, slot) in enumerate([(1, 0), (2, 0), (0, 0), (1, 1)])))
        launch = ["-n", "4", "--rankfile", str(ranks)]
    with across(cluster, tmp_path, files, hosts, mpirun=launch, verbose=True, batch=7, epochs=1, last="partial",
                audit="full") as service:
        service.says(r"node\d: stagers \d to 3")  # the last of them: mpirun may be slower than the sockets
        said = [re.search(r"(node\d): stagers (\d) to (\d)", line) for line in service.lines(r"node\d: stagers \d to \d")]
        assert ", ".join("{} {}-{}".format(*line.groups()) for line in said) == order
        with trainers_on(service, hosts, again=True) as group:
            assert epochs_of(group, 1) == [list(range(SAMPLES))]
        assert service.wait() == 0
        exactly_once(service, 1)


def test_a_stream_that_stands_still_stops_no_other(tmp_path, files, cluster):
    hosts = {"node0": 1, "node1": 1, "node2": 1}
    flags = {"stream.train.shuffle": "global", "stream.val.shuffle": "global"}
    with across(cluster, tmp_path, files, hosts, batch=4, last="partial", slots=2, **flags) as service:
        both = [trainers_on(service, hosts, again=True, stream=stream) for stream in ("val", "train")]
        with both[0] as still, both[1] as busy:
            for trainer in still:
                trainer.take(1)
                trainer.ask("rest")  # stopped in the middle of what it has asked for
                trainer.signal(signal.SIGSTOP)
            for epoch in epochs_of(busy, 20):
                assert epoch == list(range(SAMPLES))
            for trainer in still:
                trainer.signal(signal.SIGCONT)
            rest = [trainer.answer() for trainer in still]
    steps = [[step for _, step, _ in batches] for batches in rest]
    assert steps == [list(range(1, 18))] * 3


def test_a_trainer_without_a_stager_on_its_node_is_told_so(tmp_path, files, cluster):
    with across(cluster, tmp_path, files, {"node0": 1, "node2": 1}, batch=4) as service:
        with trainer_on(service, "node1", rank=0, world_size=1, timeout=1) as lost:
            with pytest.raises(Failed) as failure:
                lost.connected()
    assert re.search("no service '.*' on node node1", failure.value.text)
