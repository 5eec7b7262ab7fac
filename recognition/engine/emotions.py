"""The seven expression labels, in model-output order."""

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""FER2013's label order (Goodfellow et al. 2013, arXiv 1307.0414): label 0 is angry, 6 neutral."""

# The colors of the pages (static/css/shared/tokens.css).
COLORS = {
    "angry": "#c8430b",
    "disgust": "#1a6650",
    "fear": "#9430a6",
    "happy": "#bd8800",
    "sad": "#16337f",
    "surprise": "#2f93d6",
    "neutral": "#868b92",
}
