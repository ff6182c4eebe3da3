import subprocess
import sys

HEAVY = ("torch", "pytorch_lightning", "captum", "mlflow")


def test_the_room_imports_neither_torch_nor_lightning():
    code = (
        "import sys, assay.explanation.tables;"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert found.stdout.strip() == "[]"
