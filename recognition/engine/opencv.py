"""OpenCV limited to one thread: every part of the engine imports cv2 from here."""

import cv2

# Workers already use every core; OpenCV's own threads would only compete with them.
cv2.setNumThreads(1)

__all__ = ["cv2"]
