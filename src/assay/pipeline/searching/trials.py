"""What a worker of a search does: fit with the values of a trial, in a tracked run of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from assay.artifacts.manifest import recorded_digest
from assay.config.load import build, merged, typed
from assay.config.words import as_words
from assay.errors import TrainingError
from assay.layers.shape import Model
from assay.metrics.objective import objective
from assay.pipeline.fitting.candidate import try_candidate
from assay.pipeline.fitting.fingerprint import fit_fingerprint
from assay.pipeline.fitting.inputs import Inputs, prepared_inputs
from assay.pipeline.fitting.resume import Resumable, resumable
from assay.pipeline.searching.cost import costs
from assay.tracking.find import DRAWN
from assay.tracking.resume import child_run
from assay.tracking.run import Tracked, joined_run
from assay.training.knobs import Training
from assay.tuning.knobs import CostName
from assay.tuning.share import Share
from assay.tuning.trial import Draw, Pruned, Report, Score, TrialFunction


@dataclass(frozen=True, kw_only=True)
class Trials:
    """Opened in each worker of a search over the prepared splits.

    ``nodes`` are the configured ``model`` and ``training``, and ``run_id`` is the tracked run below
    which each trial has its own. A search in one process hands over the open run itself. ``costs``
    are the objectives beside the score. ``data`` and the ``options`` of groups are only told, in the
    words that repeat a trial.
    """

    nodes: Mapping[str, Any]
    study: str
    run_id: str
    tracked: Tracked | None = None
    costs: tuple[CostName, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def __call__(self, share: Share) -> Iterator[TrialFunction]:
        """Load the splits, open the tracking, and give the function that runs a trial."""
        joined = nullcontext(self.tracked) if self.tracked else joined_run(self.run_id)
        with joined as above:
            assert above is not None
            one = _One(
                study=self.study,
                nodes=_with_threads(self.nodes, share),
                inputs=prepared_inputs(),
                above=above,
                costs=self.costs,
                said={"data": self.data} if self.data else {},
                options=self.options,
            )
            yield one


def _with_threads(nodes: Mapping[str, Any], share: Share) -> dict[str, Any]:
    """Give a fit that would take all cores its worker's part of them."""
    is_open = share.threads is not None and nodes["training"].get("threads") is None
    return merged(nodes, {"training.threads": share.threads} if is_open else {})


@dataclass(frozen=True, kw_only=True)
class _One:
    study: str
    nodes: Mapping[str, Any]
    inputs: Inputs
    above: Tracked
    costs: tuple[CostName, ...]
    said: Mapping[str, Any]
    options: Mapping[str, str]

    def __call__(self, draw: Draw, report: Report) -> Score:
        """Fit and score one trial."""
        settings = merged(self.nodes, draw.values)
        model, training = built(settings)
        watched = f"valid_{objective(self.inputs.spec.task).name}"
        with (
            resumable(ended_by=(Exception,)) as kept,
            self._run(draw, kept, settings) as child,
        ):

            def on_epoch(epoch: int, row: Mapping[str, float]) -> None:
                child.log_metrics(row, step=epoch)
                report(epoch, row[watched])

            outcome = try_candidate(
                self.inputs,
                model=model,
                training=training,
                seed=draw.seed,
                on_epoch=on_epoch,
                kept=kept,
            )
            best = {f"best_valid_{name}": value for name, value in outcome.metrics.items()}
            paid = costs(self.costs, network=outcome.network, split=self.inputs.valid)
            child.log_metrics({"best_epoch": outcome.fit.best_epoch, **best, **paid})
            return Score(value=outcome.value, error=outcome.error, more=tuple(paid.values()))

    @contextmanager
    def _run(self, draw: Draw, kept: Resumable, settings: Mapping[str, Any]) -> Iterator[Tracked]:
        """Open the trial's run, or the one in which a killed process began this very trial."""
        kept.begin(fit_fingerprint("trial", **settings, seed=draw.seed, data=prepared_digests()))
        with trial_run(
            self.above,
            draw,
            study=self.study,
            resume=kept.run_id,
            words=as_words({**self.said, **settings, "seed": draw.seed}, options=self.options),
        ) as child:
            kept.follow(child.run_id)
            yield child


@contextmanager
def trial_run(
    above: Tracked,
    draw: Draw,
    *,
    study: str,
    words: str,
    resume: str | None = None,
) -> Iterator[Tracked]:
    """Open the tracked run of a trial, with its values, its seed and the ``words`` that repeat it.

    A trial that was begun before goes on in its own run. Diverged and stopped trials end FINISHED
    with the tag ``pruned``; what fails leaves its traceback.
    """
    with child_run(
        above,
        run_name(draw),
        key=f"{study} {draw.number} {draw.repeat}",
        is_new=draw.attempt == 0,
        resume=resume,
        pruned_by=(Pruned, TrainingError),
    ) as child:
        child.log_params({**draw.values, "seed": draw.seed})
        child.set_tags({"overrides": words, DRAWN: " ".join(draw.values)})
        yield child


def run_name(draw: Draw) -> str:
    """Return what a trial's run is called."""
    again = f" again {draw.repeat}" if draw.repeat else ""
    return f"trial {draw.number:03d}{again}"


def prepared_digests() -> list[str]:
    """Return the digests of the splits that a trial sees, and of what the training rows say."""
    return [recorded_digest("prepare", name) for name in ("train", "valid", "spec.json")]


def built(nodes: Mapping[str, Any]) -> tuple[Model, Training]:
    """Return the model and the training of two nodes. Raises ConfigError with every problem."""
    model: Model = build(nodes["model"], where="model")
    return model, typed(Training, nodes["training"], where="training")
