"""The seven expression labels, in model-output order."""

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""FER2013's label order (Goodfellow et al. 2013, arXiv 1307.0414): label 0 is angry, 6 neutral."""
