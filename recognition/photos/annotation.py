"""Draws boxes and expressions onto a photo."""

import io

from PIL import Image, ImageDraw, ImageFont

from recognition.engine.emotions import COLORS
from recognition.models import NOT_A_FACE, Analysis, Face


def annotate(analysis: Analysis) -> bytes:
    """The stored photo as JPEG, with a box, expression and probability for each face.

    Corrected faces show the correction; those marked as no face get no box.
    """
    with analysis.photo.open() as file:
        photo = Image.open(file).convert("RGB")
    draw = ImageDraw.Draw(photo)
    line = max(2, round(max(photo.size) / 400))
    font = ImageFont.load_default(size=max(12, round(max(photo.size) / 50)))
    scale = photo.width / (analysis.width or photo.width)  # the stored photo may be smaller
    for face in analysis.faces.exclude(correction=NOT_A_FACE):
        color = COLORS[face.correction or face.emotion]
        x, y = face.x * scale, face.y * scale
        box = [x, y, x + face.width * scale, y + face.height * scale]
        draw.rectangle(box, outline=color, width=line)
        words = caption(face)
        left, top, far, low = draw.textbbox((0, 0), words, font=font)
        height = low - top + 2 * line
        # Above the box, or inside if there is no room.
        place = y - height if y >= height else y
        draw.rectangle([x, place, x + far - left + 4 * line, place + height], fill=color)
        draw.text((x + 2 * line - left, place + line - top), words, fill="white", font=font)
    content = io.BytesIO()
    photo.save(content, "JPEG", quality=92)
    return content.getvalue()


def caption(face: Face) -> str:
    if face.correction:
        return f"{face.correction} (corrected)"
    return f"{face.emotion} {round(max(face.probabilities) * 100)} %"
