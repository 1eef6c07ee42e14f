"""Rows of other nodes: in the order that was asked for, and never held up by whoever stands still."""

import pytest
from samples import write
from service import running
from trainer import Trainer

SAMPLES = 1009


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data"), 400, SAMPLES - 400)


def one_epoch(tmp_path, files, stagers, split, world_size=2, **flags):
    """[rank][step] -> sample numbers, whose fields were checked."""
    nodes = stagers if split else 1
    with running(tmp_path, files, stagers, batch=50, epochs=1, seed=3, split_nodes=split, audit="full",
                 trainers_per_node=world_size // nodes, **flags) as service:
        group = [Trainer(service.node(r * nodes // world_size), rank=r, world_size=world_size) for r in range(world_size)]
        for trainer in group:
            trainer.connected()
            trainer.ask("epochs", 1)
        done = [[index for _, _, index in trainer.answer()[0]] for trainer in group]
        for trainer in group:
            trainer.__exit__(None, None, None)
        assert service.wait() == 0
        assert service.says("train epoch 0: .*").endswith("every sample exactly once")
    return done


@pytest.mark.parametrize("shuffle, last", [("global", "partial"), ("global", "pad"), ("none", "partial")])
def test_order_shuffled_gives_each_batch_an_order_of_its_own(tmp_path, files, shuffle, last):
    plain = one_epoch(tmp_path, files, None, False, shuffle=shuffle, last=last)
    shuffled = one_epoch(tmp_path, files, None, False, shuffle=shuffle, last=last, order="shuffled")
    places = []
    for straight, mixed in zip(sum(plain, []), sum(shuffled, []), strict=True):
        assert sorted(mixed) == sorted(straight)
        if last == "pad" and len(set(straight)) > 1 and straight != sorted(straight):  # padding stays behind
            rows = next(i for i in range(1, 50) if straight[i] < straight[i - 1])
            assert mixed[rows:] == straight[rows:]
        else:
            assert mixed != straight or len(straight) < 2
            places.append([straight.index(sample) for sample in mixed])
    assert len({tuple(order) for order in places}) == len(places)
    # The same on other stagers and nodes, where the rows of others are scattered.
    assert one_epoch(tmp_path, files, 2, True, shuffle=shuffle, last=last, order="shuffled") == shuffled
    assert one_epoch(tmp_path, files, 3, False, shuffle=shuffle, last=last, order="shuffled") == shuffled


def test_order_drawn_leaves_rows_where_they_were_drawn(tmp_path, files):
    """However the epoch is cut, it is one sequence: that of its positions."""
    def sequence(stagers, split, world_size, **flags):
        batches = one_epoch(tmp_path, files, stagers, split, world_size, last="partial", order="drawn", **flags)
        return [sample for step in zip(*batches, strict=True) for batch in step for sample in batch]

    whole = sequence(None, False, 1)
    assert sorted(whole) == list(range(SAMPLES)) != whole
    assert sequence(2, True, 2) == sequence(3, False, 2) == whole
    plain = one_epoch(tmp_path, files, None, False, 1, last="partial")
    assert [sample for batch in plain[0] for sample in batch] == [
        sample for at in range(0, SAMPLES, 50) for sample in sorted(whole[at:at + 50])]


def test_a_stream_that_stands_still_holds_up_nobody(tmp_path, files):
    config = tmp_path / "two.toml"
    config.write_text('batch = 16\nlast = "partial"\n[stream.train]\nepochs = 40\n[stream.val]\nepochs = 2\n')
    with running(tmp_path, files, 2, config=config, split_nodes=True, slots=4, audit="full") as service:
        def group(stream):
            return [Trainer(service.node(r), stream=stream, rank=r, world_size=2) for r in (0, 1)]

        standing, working = group("val"), group("train")
        # One stops with all its batches leased; the other has just sought away from what was under way for it.
        held = standing[0].take(4)
        standing[1].take(1)
        standing[1].release()
        standing[1].seek(0, 5)
        for trainer in working:
            trainer.connected()
            trainer.ask("epochs", 40)
        done = [trainer.answer() for trainer in working]
        for epoch in range(40):
            assert sorted(sum((index for rank in done for _, _, index in rank[epoch]), [])) == list(range(SAMPLES))
        # The still one goes on as if nothing had been, with what it held and what comes next.
        standing[0].release()
        steps = standing[0].describe()["steps"]
        assert [step for _, step, _ in held] == [0, 1, 2, 3]
        assert [step for _, step, _ in standing[0].rest()] == list(range(4, steps))
        assert [step for _, step, _ in standing[1].rest()] == list(range(5, steps))
        standing[1].ask("epochs", 1)
        for trainer in (standing[0], ):
            trainer.epochs(1)
        standing[1].answer()
        for trainer in standing + working:
            trainer.__exit__(None, None, None)
        assert service.wait() == 0
        for epoch in range(40):
            assert service.says(f"train epoch {epoch}: .*").endswith("every sample exactly once")
        assert service.says("val epoch 1: .*").endswith("every sample exactly once")
