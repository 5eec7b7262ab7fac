"""A training without Django and without TensorFlow, say on a machine with a GPU.

    python -m training.core --data fer2013.csv.gz --sheets FOLDER
    KERAS_BACKEND=torch python -m training.core --preset shipped --data FOLDER --output OUTPUT

The first line, on the machine that has the data, packs it into a folder that is quick to copy; the
second trains, and goes on with a run that was stopped. It writes OUTPUT/checkpoint.npz and, a fifth
as large, OUTPUT/best.npz. `manage.py train --data ... --export OUTPUT/best.npz` makes the model of
it, where TensorFlow is.
"""

import argparse
import sys
from pathlib import Path

from .checkpoint import BEST, CheckpointError, describe, save_best
from .config import add_options, read_config
from .data.datasets import load, load_for
from .data.faces import DatasetError
from .data.sheets import write_sheets


def main(arguments: list[str] | None = None) -> int:
    """Train, or write contact sheets; gives the exit status."""
    # Here, not above: helper processes import this module again, and need no Keras.
    from .fit import fit

    parser = argparse.ArgumentParser(
        prog="python -m training.core",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser)
    parser.add_argument("--sheets", type=Path, help="only write the data there, as contact sheets")
    parser.add_argument("--cache", type=Path, default=Path("var/cache/datasets"))
    options = parser.parse_args(arguments)
    try:
        config = read_config(vars(options))
        if options.sheets is not None:
            faces = load(options.data, options.cache, options.votes, framings=True)
            write_sheets(faces, options.sheets)
            return 0
        faces = load_for(config, options.data, options.cache, options.votes, options.teachers)
        output = options.output or Path("var/training") / options.preset
        print(f"{len(faces)} faces; {config}", flush=True)
        progress = fit(
            config,
            faces,
            output,
            on_epoch=lambda epoch: print(describe(epoch), flush=True),
            steps_at_once=options.steps_at_once,
        )
        save_best(output / BEST, config, progress)
    except (DatasetError, CheckpointError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"best epoch {progress.best_epoch}: {progress.best_accuracy:.4f}; wrote {output / BEST}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
