"""The console script ``assay``: finds a verb's module by its name and runs its command."""

from __future__ import annotations

import importlib
import logging
import sys
import warnings

import click

from assay.errors import exit_plainly, nearest
from assay.secrets import mask_logs

_VERBS = {
    "add": "Make a table, a folder of images, texts or series a data set of the project.",
    "continue": "Let a registered language model go on with a text.",
    "diff": "Say what differs between two registered versions.",
    "doctor": "Find what was cut off or damaged; --fix mends it.",
    "explain": "Say why test rows of the last pipeline run were predicted so, by their ids.",
    "lineage": "Print the chain from raw data to the alias of a registered version.",
    "monitor": "Say whether rows of a file have drifted from those a model was measured on.",
    "predict": "Score a file of raw rows with a registered model.",
    "promote": "Make a version champion by hand, with a reason; the gate is asked first.",
    "rollback": "Give the champion's alias back to the version before, with a reason.",
    "run": "Explore: one run, or with -m a Hydra sweep, scored on validation rows.",
    "serve": "Answer requests over HTTP with a registered model.",
    "ui": "Open the MLflow UI on the project's tracking store.",
    "verify": "Is a registered version still what it was measured as? Three levels.",
    "use": "Put an experiment, or what a run or sweep found, into params.yaml.",
}


class _Verbs(click.Group):
    """Verbs whose modules are imported when they are called, so that help costs nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            raise click.UsageError(f"there is no verb '{cmd_name}'{nearest(cmd_name, _VERBS)}")
        command: click.Command = importlib.import_module(f"assay.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(sorted(_VERBS.items()))


@click.group(cls=_Verbs)
@click.version_option(package_name="assay")
def assay() -> None:
    """Experiments in deep learning in which every claim can be checked.

    'dvc repro' runs the pipeline of record; these verbs are for all around it.
    """


def main() -> None:
    """Run the command line; what ends it is one message and an exit status."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("assay").setLevel(logging.INFO)
    mask_logs()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    verb = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] in _VERBS else ""
    with exit_plainly(f"assay {verb}".strip()):
        _run()


def _run() -> None:
    """Let click show its own usage errors, and nothing else: Ctrl-C is ours to end."""
    try:
        assay(prog_name="assay", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort as error:
        raise KeyboardInterrupt from error
