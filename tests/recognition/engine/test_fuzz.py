"""Damaged photos of every format are read or refused with a code; none ends the process."""

import json
import random
import subprocess
import sys

import pytest

from .conftest import ROOT
from .fuzzing import VARIANTS, damage, make_files


@pytest.mark.parametrize("seed", range(3))
def test_a_thousand_damaged_photos_are_all_answered(seed):
    command = [sys.executable, "-m", "tests.recognition.engine.fuzzing", "1000", str(seed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout)
    assert sum(result["outcomes"].values()) == 1000
    assert "wrong" not in result["outcomes"]
    assert result["outcomes"]["read"] > 100
    assert result["most_mb"] < 1000


def test_every_format_is_among_the_files():
    assert len(make_files()) == sum(map(len, VARIANTS.values()))


def test_the_accidents_change_the_files():
    chance = random.Random(1)
    (first, *_others) = make_files()
    assert len({damage(first, chance) for _ in range(50)}) > 40
