"""OpenCV on one thread: every part of the engine takes cv2 from here."""

import cv2

# Workers are the parallelism; OpenCV's own threads would only fight them for the cores.
cv2.setNumThreads(1)

__all__ = ["cv2"]
