"""The engine: photos in, faces and their expressions out; pure Python, no Django."""

import cv2

# Workers are the parallelism; OpenCV's own threads would only fight them for the cores.
cv2.setNumThreads(1)
