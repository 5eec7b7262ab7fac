"""Which class a folder's name stands for: the seven names, how people write them, and numbers."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from recognition.engine.emotions import EMOTIONS

from .faces import DatasetError

Order = Literal["", "fer2013", "alphabetical"]
ORDERS: tuple[Order, ...] = get_args(Order)

SYNONYMS = {
    **dict.fromkeys(("anger", "angery", "angrey", "mad"), "angry"),
    **dict.fromkeys(("disgusted", "disgusting", "digust", "discust", "disgused"), "disgust"),
    **dict.fromkeys(("fearful", "afraid", "scared", "feared", "fera"), "fear"),
    **dict.fromkeys(("happiness", "hapiness", "happyness", "hapy", "joy", "joyful"), "happy"),
    **dict.fromkeys(("natural", "neutrality", "nuetral", "netural", "neutal"), "neutral"),
    **dict.fromkeys(("sadness", "sadnes", "saddness", "unhappy"), "sad"),
    **dict.fromkeys(("surprised", "surprize", "surprized", "surprising"), "surprise"),
    **dict.fromkeys(("suprise", "suprised", "supprise", "surpise", "surprse"), "surprise"),
}
"""Other forms and known misspellings of the seven names; none that could mean two of them."""


@dataclass(frozen=True)
class ClassOptions:
    """What to do with names that say too little.

    Folders of other classes, such as contempt, are left out only if asked for. Folders named 0 to 6
    follow FER2013's order of the classes or the alphabetical one; nobody can tell which.
    """

    leave_out_unknown: bool = False
    order: Order = ""


STRICT = ClassOptions()
"""Every folder must be named after a class."""


class UnknownClass(DatasetError):
    """A folder's name that is none of the seven classes; `name` is as the folder has it."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass
class ClassNames:
    """The folders' names in a data set, with their images counted."""

    mapped: Counter[tuple[str, str]] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def describe(self) -> dict[str, Any]:
        """`mapped` lists names that were read as a class; `unknown` counts all others."""
        return {
            "mapped": [
                {"name": name, "emotion": emotion, "images": count}
                for (name, emotion), count in sorted(self.mapped.items())
            ],
            "unknown": dict(sorted(self.unknown.items())),
        }


def find_class(name: str, options: ClassOptions) -> str:
    """The class that a folder's name stands for. Raises UnknownClass."""
    plain = name.strip().lower()
    if is_number(plain):
        if not options.order:
            raise UnknownClass(
                f"{name} is a number, and the order of the classes is unknown.", name
            )
        order = EMOTIONS if options.order == "fer2013" else tuple(sorted(EMOTIONS))
        return order[int(plain)]
    found = SYNONYMS.get(plain, plain)
    if found not in EMOTIONS:
        raise UnknownClass(f"{name} is none of the classes ({', '.join(EMOTIONS)}).", name)
    return found


def is_number(name: str) -> bool:
    return len(name) == 1 and name in "0123456"


def explain_unknown(names: ClassNames) -> tuple[str, str]:
    """A code and a sentence about names that need a decision."""
    counted = ", ".join(f"{name} ({count:,})" for name, count in sorted(names.unknown.items()))
    if any(is_number(name) for name in names.unknown):
        return (
            "numbered_classes",
            f"The folders are numbered: {counted} images. Choose their order: FER2013 (0 is "
            f"{EMOTIONS[0]}, 4 {EMOTIONS[4]}) or alphabetical (0 is angry, 4 neutral).",
        )
    return (
        "unknown_classes",
        f"Some folders are named after other classes: {counted} images. Leave them out, or rename "
        f"the folders to {', '.join(EMOTIONS)}.",
    )


DECIDE = "Rename the folder, or see --leave-out-unknown and --class-order."
"""What a command says after UnknownClass."""


def add_class_options(parser: ArgumentParser) -> None:
    """Arguments of a command about folders whose names are none of the classes."""
    parser.add_argument(
        "--leave-out-unknown",
        action="store_true",
        help="leave out folders named after other classes, such as contempt",
    )
    parser.add_argument(
        "--class-order",
        choices=ORDERS[1:],
        default="",
        help="the order of the classes in folders named 0 to 6",
    )


def class_options(options: Mapping[str, Any]) -> ClassOptions:
    """What these arguments ask for."""
    return ClassOptions(options["leave_out_unknown"], options["class_order"])
