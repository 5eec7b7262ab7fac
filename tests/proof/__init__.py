"""Proofs that anyone can run on a whole site: `make proof`, described in docs/proof.md."""

import sys

from tests.processes import ROOT

sys.path.append(str(ROOT / "clients" / "python" / "src"))  # a package of its own, not installed
