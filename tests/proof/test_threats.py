"""The table of threats in docs/proof.md names tests that exist."""

import re

import pytest

from tests.processes import ROOT

PAGE = (ROOT / "docs" / "proof.md").read_text()
TABLES = PAGE.partition("## Threats")[2]
ROWS = [line for line in TABLES.splitlines() if re.match(r"\| (?!---|threat)", line)]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", TABLES)))


def test_every_threat_has_a_defense_and_a_test():
    assert len(ROWS) > 30
    for row in ROWS:
        threat, defense, shown = (cell.strip() for cell in row.strip("|").split(" | "))
        assert threat
        assert defense
        assert "`tests/" in shown, row


@pytest.mark.parametrize("name", NAMED)
def test_what_shows_it_is_there(name):
    path, _, test = name.partition("::")
    source = (ROOT / path).read_text()
    assert re.search(rf"^(async )?def {test}\(", source, re.MULTILINE) if test else source
