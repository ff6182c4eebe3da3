"""How often a test split was looked at: by how many graphs, whoever tried them.

A stage that measures on the test split says so in two tags of its own run, so nothing is counted
up and two that measure at once are two. Runs that were deleted count too, and the same graph
measured again does not count twice.
"""

from __future__ import annotations

from assay.artifacts.manifest import recorded_digest
from assay.errors import TrackingError
from assay.secrets import masked
from assay.tracking.environment import MlflowException, mlflow
from assay.tracking.store import Store, open_store
from assay.tracking.tracked import Tracked

SPLIT, GRAPH, LOOKS = "looked_at_test", "looked_with_graph", "test_looks"
_PAGE = 1000


def note_look(tracked: Tracked) -> None:
    """Say on a stage's run that the exported graph is measured on the test split."""
    split, graph = _digests()
    tracked.set_tags({SPLIT: split, GRAPH: graph})


def tell_looks(tracked: Tracked) -> str:
    """Put on a stage's run how many graphs were measured on the test split, and return it in words.

    Where the store is away the words say so.
    """
    split, graph = _digests()
    try:
        looks = count_looks(split, graph=graph)
    except TrackingError as error:
        return str(error)
    tracked.set_tags({LOOKS: str(looks)})
    first = "the first graph that is" if looks == 1 else f"one of {looks} graphs that were"
    return f"this is {first} measured on the test split {split[:12]}"


def _digests() -> tuple[str, str]:
    return recorded_digest("prepare", "test"), recorded_digest("export", "model.onnx")


def count_looks(split: str, *, graph: str) -> int:
    """Return how many graphs were measured on the split of that digest, ``graph`` among them.

    Raises TrackingError when the store is away.
    """
    store = open_store()
    try:
        return len({graph, *_graphs(store, split)})
    except (MlflowException, OSError) as error:
        raise TrackingError(
            f"the looks at the test split cannot be counted in {masked(store.uri)}: "
            f"{masked(str(error))}"
        ) from error


def _graphs(store: Store, split: str) -> set[str]:
    everything = mlflow.entities.ViewType.ALL
    experiments = [e.experiment_id for e in store.client.search_experiments(view_type=everything)]
    query, token = f"tags.`{SPLIT}` = '{split}'", None
    found: set[str] = set()
    while True:
        page = store.client.search_runs(
            experiments, query, everything, max_results=_PAGE, page_token=token
        )
        found |= {str(run.data.tags[GRAPH]) for run in page if GRAPH in run.data.tags}
        if not (token := page.token):
            return found
