"""The README of the package names code that exists, and the steps that the walk prints."""

import ast
import re
from pathlib import Path

import pytest

from training.core.__main__ import STEPS

FOLDER = Path(__file__).parents[3] / "training" / "core"
README = (FOLDER / "README.md").read_text()
LINK = re.compile(r"\[[^]]+\]\(([^)]+)\)(?:: ((?:`[^`]+`(?:, | and )?)+))?")


def named() -> list[tuple[str, str]]:
    """Each linked file, with the names listed right after its link."""
    return [
        (match[1], name)
        for match in LINK.finditer(README)
        for name in re.findall(r"`([^`]+)`", match[2] or "")
    ]


def defined_in(path: Path) -> set[str]:
    names = set()
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Assign():
                names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names


def test_every_linked_file_exists():
    links = {match[1] for match in LINK.finditer(README)}
    assert len(links) > 15
    assert [link for link in links if not (FOLDER / link).exists()] == []


@pytest.mark.parametrize(("file", "name"), named())
def test_every_named_function_is_in_its_file(file, name):
    assert name in defined_in(FOLDER / file)


def test_every_module_is_named():
    modules = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.py")}
    links = {match[1] for match in LINK.finditer(README)}
    assert {module for module in modules - links if not module.endswith("__init__.py")} == set()


def test_its_steps_are_those_that_the_walk_prints():
    assert re.findall(r"^## (\d)\. (\w+)$", README, re.MULTILINE) == [
        (str(number), step) for number, step in enumerate(STEPS, start=1)
    ]
