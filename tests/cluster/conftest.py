"""What several of these tests start from."""

import pytest
from samples import write


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, 90, 121)
    (tmp_path / "c.toml").write_text('files = ["part*.h5"]\nbatch = 4\nlast = "partial"\naudit = "full"\n')
    (tmp_path / "seen").mkdir()
    return tmp_path


@pytest.fixture
def tell(capsys, request):
    def tell(text):
        with capsys.disabled():
            print(f"\n{request.node.name}: {text}", flush=True)

    return tell
