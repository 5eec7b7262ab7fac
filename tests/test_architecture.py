"""The pictures of docs/explanation/architecture.md, compared with the contracts and the code."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/explanation/architecture.md").read_text()
PICTURES = re.findall(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)
CONTRACTS = {
    contract["name"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
}
LAYERS, JOURNEYS = PICTURES[:2], PICTURES[2:]


def rooms(layer: str) -> set[str]:
    """The names in a layer, of a contract or of a picture."""
    return set(re.split(r"\s*[|:,]\s*", layer.strip()))


def edges(picture: str) -> list[tuple[str, str]]:
    """The arrows between modules; labeled nodes are something else."""
    found = re.findall(
        r"^\s*([\w.]+)(?:\(.*?\))?\s*-->\s*([\w.]+)(\(.*?\))?", picture, re.MULTILINE
    )
    return [(start, end) for start, end, label in found if not label]


def module(name: str) -> str:
    return name if name.startswith("training.") else f"recognition.{name}"


def imports(name: str) -> set[str]:
    """All modules that a module imports, and the names it imports from them."""
    source = (ROOT / module(name).replace(".", "/")).with_suffix(".py").read_text()
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def is_there(name: str) -> bool:
    path = ROOT / module(name).replace(".", "/")
    return path.with_suffix(".py").is_file() or path.is_dir()


ARROWS = [
    (start, end)
    for picture in JOURNEYS
    for start, end in edges(picture)
    if start not in ("browser", "camera", "admin")
]


def test_there_are_six_journeys_with_arrows():
    assert len(JOURNEYS) == 6
    assert len(ARROWS) > 20


@pytest.mark.parametrize(
    ("picture", "contract"),
    list(zip(LAYERS, ["Recognition in layers", "Training in layers"], strict=True)),
    ids=["recognition", "training"],
)
def test_the_layers_are_those_of_the_contract(picture, contract):
    drawn = [rooms(label) for label in re.findall(r'\["(.*?)"\]', picture)]
    kept = [rooms(layer) - {"management"} for layer in CONTRACTS[contract]["layers"]]

    assert [names - {"management"} for names in drawn] == kept


@pytest.mark.parametrize("name", sorted({name for arrow in ARROWS for name in arrow}))
def test_a_module_that_is_drawn_exists(name):
    assert is_there(name)


@pytest.mark.parametrize(("start", "end"), ARROWS)
def test_an_arrow_goes_down_the_layers_or_stays_in_its_room(start, end):
    start_app, start_room = module(start).split(".")[:2]
    end_app, end_room = module(end).split(".")[:2]
    if (start_app, start_room) == (end_app, end_room):
        return
    if start_app != end_app:
        assert (start_app, end_app) == ("training", "recognition")
        return
    layers = [rooms(layer) for layer in CONTRACTS[f"{start_app.title()} in layers"]["layers"]]
    depth = {name: number for number, names in enumerate(layers) for name in names}
    assert depth[start_room] <= depth[end_room]


@pytest.mark.parametrize(("start", "end"), ARROWS)
def test_an_arrow_is_an_import(start, end):
    assert module(end) in imports(start)
