"""Pictures of single predictions: nothing that is written is cut off."""

from pathlib import Path

import numpy as np
from PIL import Image

from assay.figures.attribution import Headline, Said
from assay.figures.rows import Prediction, table_row


def test_the_longest_name_of_a_method_fits_the_picture(tmp_path: Path) -> None:
    names = ["SHAP (weak)", "LIME (weak)", "Occlusion (weak)", "Integrated gradients (weak)"]
    table_row(
        tmp_path / "row.png",
        headline=Headline(title="Predicted yes", subtitle="row 3"),
        labels=["age = 3", "city = Rom", "class = x"],
        said=[Said(name=name, note="", values=np.array([0.02, 0.01, -0.01])) for name in names],
        prediction=Prediction(base=0.5, output=0.52, unit="probability of yes"),
        top=8,
    )
    pixels = np.asarray(Image.open(tmp_path / "row.png").convert("L"))
    assert (pixels[:, -3:] == 255).all()
