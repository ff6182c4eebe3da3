"""What a search's knobs mean where they are left to it."""

from __future__ import annotations

from assay.tuning.knobs import Search, with_warmup


def test_half_of_the_epochs_is_warm_up() -> None:
    assert with_warmup(Search(), epochs=30).warmup_epochs == 15


def test_a_named_warm_up_stays() -> None:
    assert with_warmup(Search(warmup_epochs=0), epochs=30).warmup_epochs == 0
