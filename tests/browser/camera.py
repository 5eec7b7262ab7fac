"""A fake camera for the browser that plays a clip of real faces moving over a plain background.

A white block on a black strip below the picture marks the first face's center, so tests can read
the face's position from the picture itself.
"""

import math
from pathlib import Path

import skimage.data
from PIL import Image
from playwright.sync_api import Browser, Playwright

from tests.browser.chromium import ARGUMENTS, find_chromium

WIDTH, HEIGHT = 640, 480
STRIP = 16  # pixels
SWING = 130  # pixels to either side
FRAMES = 240  # Chromium plays 30 a second in a loop
FACE_MIDDLE = 0.48  # of the portrait's width


def write_clip(path: Path, faces: int = 1) -> Path:
    """Write a clip of FRAMES pictures (Motion JPEG) with this many faces; returns its path."""
    person = portrait(400 if faces == 1 else 270) if faces else None
    with path.open("wb") as file:
        for number in range(FRAMES):
            draw(person, faces, 2 * math.pi * number / FRAMES).save(file, "JPEG", quality=85)
    return path


def portrait(height: int) -> Image.Image:
    """One person's head and shoulders, this many pixels high."""
    person = Image.fromarray(skimage.data.astronaut()).crop((110, 0, 350, 300))
    return person.resize((height * 4 // 5, height))


def draw(person: Image.Image | None, faces: int, phase: float) -> Image.Image:
    picture = Image.new("RGB", (WIDTH, HEIGHT), (58, 66, 78))
    picture.paste((0, 0, 0), (0, HEIGHT - STRIP, WIDTH, HEIGHT))
    for place in range(faces):
        middle = WIDTH * (2 * place + 1) / (2 * faces)
        middle += SWING / faces**2 * math.sin(phase + 2 * place)
        left = round(middle - FACE_MIDDLE * person.width)
        picture.paste(person, (left, HEIGHT - STRIP - person.height))
        if place == 0:
            block = (round(middle) - 12, HEIGHT - STRIP, round(middle) + 12, HEIGHT)
            picture.paste((255, 255, 255), block)
    return picture


def launch_with_camera(playwright: Playwright, clip: Path) -> Browser:
    """A browser whose only camera plays a clip; pages still need the permission to use it."""
    camera = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={clip}"]
    return playwright.chromium.launch(executable_path=find_chromium(), args=[*ARGUMENTS, *camera])
