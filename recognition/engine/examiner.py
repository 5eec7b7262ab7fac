"""What is told of a face beside its expression: its mesh, measures on it, and what covers it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .covers import COVERED, CoverNetwork
from .measures import Measures, measure
from .mesh import FaceMesh, Mesh
from .types import Detection


@dataclass(frozen=True, slots=True)
class Findings:
    """`covered` is the probability that something hides a part of the face."""

    mesh: Mesh | None
    measures: Measures | None
    covered: float

    @property
    def values(self) -> list[float | None] | None:
        """The measures as they are stored."""
        return self.measures.to_list() if self.measures else None


class Examiner:
    """Examines the faces that a detector found.

    Without `mesh` only covers are looked for; with `irises` gaze is measured too, which takes twice
    as long again. Faces narrower than `min_face` pixels get no mesh.
    """

    def __init__(
        self, threads: int = 1, *, mesh: bool = True, irises: bool = False, min_face: float = 0
    ) -> None:
        self._covers = CoverNetwork(threads=threads)
        self._mesh = FaceMesh(threads, irises=irises) if mesh else None
        self.min_face = min_face

    def examine(
        self,
        rgb: NDArray[np.uint8],
        detections: Sequence[Detection],
        aligned: NDArray[np.uint8],
    ) -> list[Findings]:
        """Findings for each detection in the image; `aligned` are their faces [n, 48, 48]."""
        covered = self._covers.predict(aligned).tolist()
        meshes = [
            self._mesh_of(rgb, detection, share)
            for detection, share in zip(detections, covered, strict=True)
        ]
        return [
            Findings(mesh, measure(mesh) if mesh else None, share)
            for mesh, share in zip(meshes, covered, strict=True)
        ]

    def _mesh_of(self, rgb: NDArray[np.uint8], detection: Detection, covered: float) -> Mesh | None:
        if self._mesh is None or detection.box.width < self.min_face:
            return None
        # Behind sunglasses or a hand the networks guess; a guessed gaze would be told as seen.
        return self._mesh.read(rgb, detection.landmarks, irises=covered < COVERED)
