"""What is concluded of all that was verified."""

from __future__ import annotations

from assay.cli.verify import conclusion
from assay.pipeline.registering.verification import Checked


def test_the_first_stage_that_differs_is_named_and_the_metrics_decide() -> None:
    stages = [
        Checked(what="stage prepare", state="same", found=""),
        Checked(what="stage search", state="differs", found=""),
        Checked(what="stage train", state="differs", found=""),
    ]
    near = Checked(what="accuracy", state="within", found="")
    is_well, said = conclusion([*stages, near], level="retrain")
    assert is_well and said.endswith("the first bytes that differ are of stage search")
    far = Checked(what="accuracy", state="differs", found="")
    is_well, said = conclusion([*stages, far], level="retrain")
    assert not is_well and said.startswith("is not what was registered: accuracy; the first bytes")
