"""Trainers of others over a Loader: Lightning, Hugging Face's, accelerate. What they saw is what they had to see."""

import logging
import warnings

import headrace
import pytest
from conftest import BATCH, STEPS
from headrace import INDEX

torch = pytest.importorskip("torch", reason="PyTorch is not installed (tools/bootstrap --frameworks)")
from headrace.torch import Loader  # noqa: E402

MISSING = "is not installed (tools/bootstrap --frameworks)"


@pytest.fixture
def lightning():
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    return pytest.importorskip("lightning", reason=f"Lightning {MISSING}")


@pytest.fixture
def module(lightning):
    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(16, 1)
            self.trained, self.validated = [], []

        def training_step(self, batch, _):
            x, index = batch
            assert bool((x == index.float()[:, None, None]).all())
            self.trained.append(index.tolist())
            return self.layer(x.flatten(1)).mean()

        def validation_step(self, batch, _):
            self.validated.append(batch[1].tolist())

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 1e-9)

    return Module


def make_trainer(lightning, folder, **options):
    return lightning.Trainer(
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        **{"enable_checkpointing": False, **options},
    )


@pytest.fixture
def steps(stream):
    """Sample numbers of the steps of epochs 0 and 1."""
    numbers = [batch.index.tolist() for _ in range(2) for batch in stream]
    stream.seek(0)
    return numbers


PAIR = ("x", INDEX)


def test_fit_with_validation(lightning, module, stream, val, steps, tmp_path):
    model = module()
    make_trainer(lightning, tmp_path, max_epochs=2).fit(model, Loader(stream, PAIR), Loader(val, PAIR))
    assert model.trained == steps
    each = [list(range(start, start + BATCH)) for start in range(0, 112, BATCH)]
    sanity, first, second = model.validated[:2], model.validated[2:10], model.validated[10:]
    assert sanity == each[:2] and first[:7] == second[:7] == each and len(second) == 8


def test_limits(lightning, module, stream, val, steps, tmp_path):
    """limit_train_batches: the next epoch each time, as Lightning has it."""
    model = module()
    trainer = make_trainer(lightning, tmp_path, max_epochs=2, limit_train_batches=7, num_sanity_val_steps=0)
    trainer.fit(model, Loader(stream, PAIR))
    assert model.trained == steps[:7] + steps[STEPS : STEPS + 7]
    stream.seek(0)
    model = module()
    trainer = make_trainer(
        lightning, tmp_path, max_steps=33, val_check_interval=5, limit_val_batches=3, num_sanity_val_steps=0
    )
    trainer.fit(model, Loader(stream, PAIR), Loader(val, PAIR))
    assert model.trained == steps[:33]
    assert model.validated[:3] == model.validated[3:6]


def test_resume_gives_the_missing_batches(lightning, module, stream, steps, tmp_path):
    save = lightning.pytorch.callbacks.ModelCheckpoint(
        tmp_path, filename="saved", every_n_train_steps=26, save_top_k=-1
    )
    first = module()
    trainer = make_trainer(lightning, tmp_path, max_steps=30, callbacks=[save], enable_checkpointing=True)
    trainer.fit(first, Loader(stream, PAIR))
    assert first.trained == steps[:30]
    stream.seek(3)  # another process would begin anywhere
    second = module()
    trainer = make_trainer(lightning, tmp_path, max_epochs=2)
    trainer.fit(second, Loader(stream, PAIR), ckpt_path=tmp_path / "saved.ckpt", weights_only=False)
    assert second.trained == steps[26:]


@pytest.mark.parametrize("known", [True, False], ids=["the job lives on", "another process"])
def test_resume_where_an_epoch_ended(lightning, module, serve, known, tmp_path):
    """Lightning restores no loader then, as nothing is left of its epoch; it tells samplers which epoch comes."""
    save = lightning.pytorch.callbacks.ModelCheckpoint(tmp_path, filename="saved")  # its default: after an epoch
    with serve() as service:
        with service.connect() as stream:
            numbers = [batch.index.tolist() for _ in range(3) for batch in stream]
            stream.seek(0)
            trainer = make_trainer(lightning, tmp_path, max_epochs=1, callbacks=[save], enable_checkpointing=True)
            trainer.fit(module(), Loader(stream, PAIR))
            for _ in zip(stream, range(5)):
                pass  # the service is left somewhere else
        if not known:
            service.restart()
        model = module()
        with service.connect() as stream:
            loader, trainer = Loader(stream, PAIR), make_trainer(lightning, tmp_path, max_epochs=3)
            trainer.fit(model, loader, ckpt_path=tmp_path / "saved.ckpt", weights_only=False)
            assert model.trained == numbers[STEPS:]
            # Another fit counts from 0 again, and goes on in the stream.
            make_trainer(lightning, tmp_path, max_epochs=2).fit(module(), loader)
            assert stream.position == (5, 0)


def test_a_state_loaded_by_hand_stays(lightning, module, stream, steps, tmp_path):
    """Lightning, which knows nothing of it, tells samplers that its first epoch comes."""
    stream.seek(1, 7)
    model = module()
    make_trainer(lightning, tmp_path, max_epochs=1).fit(model, Loader(stream, PAIR))
    assert model.trained == steps[STEPS + 7 :]


def test_the_stream_itself(lightning, stream, tmp_path):
    """Lightning rebuilds the mapping when it moves a batch."""

    class Module(lightning.LightningModule):
        rows = 0

        def training_step(self, batch, _):
            assert isinstance(batch, headrace.Batch)
            Module.rows += len(batch["label"])

        def configure_optimizers(self):
            return None

    make_trainer(lightning, tmp_path, max_epochs=1).fit(Module(), stream)
    assert Module.rows == stream.samples


# -- Hugging Face ------------------------------------------------------------------------------------------------------


@pytest.fixture
def hugging(tmp_path, monkeypatch):
    """A Trainer over loaders of ours, which remembers what it trained on."""
    transformers = pytest.importorskip("transformers", reason=f"transformers {MISSING}")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(16, 1)
            self.trained, self.evaluated = [], []

        def forward(self, x, index):
            (self.trained if self.training else self.evaluated).append(index.tolist())
            return {"loss": self.layer(x.flatten(1)).mean(), "logits": x[:, 0]}

    class Trainer(transformers.Trainer):
        loaders = None

        def get_train_dataloader(self):
            return self.loaders[0]

        def get_eval_dataloader(self, eval_dataset=None):
            return self.loaders[1]

    class Goes(transformers.TrainerCallback):
        """Saves and loads the stream's state beside the Trainer's."""

        def __init__(self, loader):
            self.loader, self.states = loader, {}

        def on_save(self, args, state, control, **_):
            self.states[state.global_step] = self.loader.state_dict()

    def make(loaders, goes=None, **options):
        arguments = transformers.TrainingArguments(
            output_dir=str(tmp_path / "out"),
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
            remove_unused_columns=False,
            label_names=[],
            **{"save_strategy": "no", **options},
        )
        # It insists on a data set to evaluate on, though it asks get_eval_dataloader() for the loader.
        trainer = Trainer(Model(), arguments, eval_dataset=loaders[1], callbacks=[goes] if goes else [])
        trainer.loaders = loaders
        return trainer

    return make, Goes


HF = {"x": "x", "index": INDEX}


def test_hugging_face_trains_and_evaluates(hugging, stream, val, steps):
    make, _ = hugging
    trainer = make((Loader(stream, HF), Loader(val, HF)), num_train_epochs=2, eval_strategy="epoch")
    trainer.train()
    assert trainer.model.trained == steps
    assert len(trainer.model.evaluated) == 2 * len(val)


def test_hugging_face_resumes(hugging, stream, val, steps, tmp_path):
    """ignore_data_skip: the Trainer does not read what was consumed again, because the stream is there already."""
    make, goes_on = hugging
    loader = Loader(stream, HF)
    saves = goes_on(loader)
    trainer = make((loader, None), saves, max_steps=26, save_strategy="steps", save_steps=26)
    trainer.train()
    state = saves.states[26]
    stream.seek(3)
    trainer = make((loader, None), num_train_epochs=2)
    with pytest.raises(TypeError, match="ignore_data_skip=True"):
        trainer.train(resume_from_checkpoint=str(tmp_path / "out" / "checkpoint-26"))
    trainer = make((loader, None), num_train_epochs=2, ignore_data_skip=True)
    loader.load_state_dict(state)
    trainer.train(resume_from_checkpoint=str(tmp_path / "out" / "checkpoint-26"))
    assert trainer.model.trained == steps[26:]


def test_accelerate_leaves_a_loader_alone(stream, steps):
    accelerate = pytest.importorskip("accelerate", reason=f"accelerate {MISSING}")
    accelerator = accelerate.Accelerator(cpu=True)
    loader, layer = accelerator.prepare(Loader(stream, PAIR), torch.nn.Linear(16, 1))
    seen = []
    for x, index in loader:
        layer(x.flatten(1)).mean()
        seen.append(index.tolist())
        if len(seen) == 5:
            assert loader.state_dict()["step"] == 5  # not one ahead
    assert seen == steps[:STEPS]


def test_accelerate_moves_batches(stream):
    """send_to_device rebuilds mappings, too."""
    accelerate = pytest.importorskip("accelerate", reason=f"accelerate {MISSING}")
    batch = next(iter(stream))
    moved = accelerate.utils.send_to_device(batch, "cpu")
    assert isinstance(moved, headrace.Batch) and list(moved) == list(stream.schema)
