"""Nodes that do not fit together: one message that names the node, exit code not 0, nothing left."""

import os
import shutil

import pytest
from across import across, cluster_of
from cluster import Unavailable
from samples import write

HOSTS = {"node0": 1, "node1": 2, "node2": 1}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data"), 40, 30)


@pytest.fixture
def cluster():
    with cluster_of(3) as nodes:
        yield nodes


def refused(cluster, folder, files, hosts=HOSTS, **flags):
    """The one line that says why."""
    with across(cluster, folder, files, hosts, ready=False, batch=4, **flags) as service:
        assert service.wait() != 0
    errors = service.lines(r"^headrace: ")
    assert len(errors) == 1, service.text
    return errors[0]


def copy_of(file, folder, change):
    """The file with its time, and then changed."""
    copy = folder / f"other-{file.name}"
    shutil.copy2(file, copy)
    change(copy)
    return copy


def test_a_node_that_cannot_see_the_files(tmp_path, files, cluster):
    cluster.cover("node2", files[0].parent)
    assert f"on node2: cannot open {files[0]} (no such file)" in refused(cluster, tmp_path, files)


def test_a_node_where_no_file_matches(tmp_path, files, cluster):
    cluster.cover("node1", files[0].parent)
    assert "on node1: no file matches" in refused(cluster, tmp_path, [files[0].parent / "*.h5"])


def test_a_node_where_fewer_files_match(tmp_path, files, cluster):
    (tmp_path / "one").mkdir()
    shutil.copy2(files[0], tmp_path / "one")
    cluster.cover("node2", files[0].parent, tmp_path / "one")
    said = refused(cluster, tmp_path, [files[0].parent / "*.h5"])
    assert "on node2: other files than on node0 match" in said and "1 here, 2 there" in said


def configured(folder, text):
    path = folder / "c.toml"
    folder.mkdir()
    path.write_text(text)
    return path


def test_a_node_that_cannot_see_the_configuration(tmp_path, files, cluster):
    config = configured(tmp_path / "conf", "seed = 1\n")
    cluster.cover("node1", config.parent)
    assert f"headrace: on node1: configuration '{config}' cannot be read" in refused(cluster, tmp_path, files, config=config)


def test_another_configuration_on_one_node(tmp_path, files, cluster):
    config, other = configured(tmp_path / "conf", "seed = 1\n"), configured(tmp_path / "other", "seed = 2\n")
    cluster.cover("node1", config, other)
    said = refused(cluster, tmp_path, files, config=config)
    assert "on node1: another configuration than that of the first stager, on node0: seed = 2, there seed = 1; give all" in said


def test_another_list_of_samples_on_one_node(tmp_path, files, cluster):
    config, other = configured(tmp_path / "conf", "1 2 3 4 5\n"), configured(tmp_path / "other", "1 2 3 4 6\n")
    cluster.cover("node2", config, other)
    flags = {"stream.train.select-file": config, "stream.train.select-by": "index"}
    said = refused(cluster, tmp_path, files, **flags)
    assert "on node2: another configuration" in said and said.count(f"stream.train.select-file = {config} (content ") == 2


def append(copy):
    status = copy.stat()
    with copy.open("ab") as file:
        file.write(b"x")
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))


def rewrite_header(copy):
    status = copy.stat()
    with copy.open("r+b") as file:
        file.seek(100)
        byte = file.read(1)
        file.seek(100)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))


def age(copy):
    status = copy.stat()
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns - 3_000_000_000))


@pytest.mark.parametrize("change, words", [(append, "bytes, there"), (rewrite_header, "first 64 KiB"), (age, "changed 3 s earlier")])
def test_another_file_on_one_node(tmp_path, files, cluster, change, words):
    cluster.cover("node1", files[1], copy_of(files[1], tmp_path, change))
    said = refused(cluster, tmp_path, files)
    assert f"on node1: {files[1]} is not the file that node0 sees (" in said and words in said


def test_too_little_memory_on_one_node(tmp_path, files, cluster):
    try:
        cluster.limit_memory("node1", 120 << 20)
    except Unavailable as error:
        pytest.skip(str(error))
    said = refused(cluster, tmp_path, files)
    assert "too little memory on node1" in said and "cgroup" in said


def test_a_host_that_does_not_resolve(tmp_path, files, cluster):
    with across(cluster, tmp_path, files, {"node0": 1, "node7": 1}, ready=False) as service:
        assert service.wait() != 0
        assert service.lines("Could not resolve hostname node7")
        service.hosts.pop("node7")
