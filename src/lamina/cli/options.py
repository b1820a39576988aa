"""The options of the commands: their names, checks and help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from lamina.cli import parsers

_NETWORK, _TRAINING, _OUTPUT = "Network", "Training", "Output"


class Task(StrEnum):
    """What to learn."""

    auto = "auto"
    classification = "classification"
    regression = "regression"


class Precision(StrEnum):
    """The floating-point type of the network."""

    float64 = "float64"
    float32 = "float32"


class InputScaling(StrEnum):
    """How inputs are scaled."""

    standard = "standard"
    minmax = "minmax"
    robust = "robust"
    none = "none"


TableFile = Annotated[
    Path, Argument(metavar="TABLE", help="A CSV, Parquet, Feather, Arrow or NPZ file.")
]
ModelFile = Annotated[Path, Argument(metavar="MODEL", help="A model file.")]
Target = Annotated[str, Option(parser=parsers.name, metavar="NAME", help="The column to predict.")]
Drop = Annotated[
    list[str] | None,
    Option(parser=parsers.name, metavar="NAME", help="A column to leave out; may be given again."),
]
Kind = Annotated[
    list[Any] | None,
    Option(
        parser=parsers.kind,
        metavar="NAME=KIND",
        help=f"What a column is: {', '.join(parsers.KINDS)}; may be given again.",
    ),
]
Encoding = Annotated[
    str | None,
    Option(metavar="NAME", help="Of a CSV file, as cp1252; UTF-8 or its byte order mark else."),
]
TaskOption = Annotated[
    Task,
    Option(metavar="TASK", help="classification or regression; auto decides by the target."),
]
Test = Annotated[
    float,
    Option(
        callback=parsers.fraction, metavar="SHARE", help="Rows held out to measure on; 0 for none."
    ),
]
Seed = Annotated[int, Option(min=0, max=2**32 - 1, metavar="N", help="Of all that is random.")]

Hidden = Annotated[
    Any,
    Option(
        parser=parsers.sizes,
        metavar="SIZES",
        help="Units of the hidden layers, as 64,32, or none.",
        rich_help_panel=_NETWORK,
    ),
]
Activation = Annotated[
    Any,
    Option(
        parser=parsers.names,
        metavar="NAMES",
        help="Of the hidden layers: one name, or one for each, as relu,tanh.",
        rich_help_panel=_NETWORK,
    ),
]
Dropout = Annotated[
    float,
    Option(
        callback=parsers.fraction,
        metavar="SHARE",
        help="Hidden units left out while training.",
        rich_help_panel=_NETWORK,
    ),
]
ScaleInputs = Annotated[
    InputScaling,
    Option(
        help="To mean 0 and deviation 1, to 0..1, or by median and quartiles, which bounds extreme "
        "values.",
        rich_help_panel=_NETWORK,
    ),
]
Dtype = Annotated[Precision, Option(help="Precision.", rich_help_panel=_NETWORK)]

Loss = Annotated[
    str,
    Option(
        metavar="NAME",
        help="auto is cross-entropy for classes, squared error for numbers.",
        rich_help_panel=_TRAINING,
    ),
]
Solver = Annotated[
    str,
    Option(
        metavar="NAME",
        help="auto chooses and says why; adam, adamw, sgd, or on all data lbfgs, "
        "levenberg_marquardt, ... (docs/how-to/solvers.md).",
        rich_help_panel=_TRAINING,
    ),
]
MaxIter = Annotated[
    int, Option(min=1, metavar="N", help="Epochs at most.", rich_help_panel=_TRAINING)
]
LearningRate = Annotated[
    Any,
    Option(
        parser=parsers.rate,
        metavar="RATE",
        help="Of the first step; auto is the solver's own.",
        rich_help_panel=_TRAINING,
    ),
]
Alpha = Annotated[
    float | None,
    Option(
        min=0.0,
        metavar="X",
        help="Strength of the L2 penalty; 1e-4 by default, or what the solver finds.",
        rich_help_panel=_TRAINING,
    ),
]
Restarts = Annotated[
    int,
    Option(
        min=1,
        metavar="N",
        help="Trainings from different first weights, of which the best is kept.",
        rich_help_panel=_TRAINING,
    ),
]
EarlyStopping = Annotated[
    bool,
    Option(
        "--early-stopping",
        help="Stop when the loss on rows that are set apart no longer falls; see --validation.",
        rich_help_panel=_TRAINING,
    ),
]
ValidationRows = Annotated[
    Any,
    Option(
        "--validation",
        parser=parsers.validation,
        metavar="ROWS",
        help="Rows to set apart and follow: a fraction at random, block (the last tenth) or "
        "interleave (every tenth); auto takes a tenth at random for --early-stopping.",
        rich_help_panel=_TRAINING,
    ),
]
CheckpointFolder = Annotated[
    Path | None,
    Option(
        "--checkpoints",
        metavar="FOLDER",
        help="Where to write down, while training, what it takes to go on.",
        rich_help_panel=_TRAINING,
    ),
]
Every = Annotated[
    float | None,
    Option(
        min=0.0,
        metavar="SECONDS",
        help="From one checkpoint to the next; 60 by default.",
        rich_help_panel=_TRAINING,
    ),
]
Resume = Annotated[
    bool,
    Option(
        "--resume",
        help="Go on from the newest checkpoint, if there is one; the rest of the line as before.",
        rich_help_panel=_TRAINING,
    ),
]

Out = Annotated[
    Path, Option("--out", "-o", metavar="FILE", help="To write to.", rich_help_panel=_OUTPUT)
]
Overwrite = Annotated[
    bool, Option("--overwrite", help="Replace the file if it exists.", rich_help_panel=_OUTPUT)
]
Quiet = Annotated[
    bool,
    Option("--quiet", "-q", help="Say nothing but errors and warnings.", rich_help_panel=_OUTPUT),
]
AsJson = Annotated[
    bool, Option("--json", help="Print one JSON document instead.", rich_help_panel=_OUTPUT)
]
