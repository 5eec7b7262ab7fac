"""Photo files for the browser, made of scikit-image's public-domain pictures."""

from pathlib import Path

import skimage.data
from PIL import Image, ImageFilter


def write_photos(folder: Path) -> dict[str, Path]:
    """Write each kind as a file: portrait, pair, crowd, hundred, no_face, truncated, broken."""
    portrait = Image.fromarray(skimage.data.astronaut())
    pictures = {
        "portrait": portrait,
        "pair": pair(portrait),
        "crowd": crowd(portrait.crop((110, 0, 350, 300))),
        "hundred": hundred(portrait.crop((110, 0, 350, 300))),
        "no_face": Image.fromarray(skimage.data.coffee()),
    }
    paths = {name: folder / f"{name}.jpg" for name in (*pictures, "truncated", "broken")}
    for name, picture in pictures.items():
        picture.save(paths[name], quality=92)
    paths["truncated"].write_bytes(paths["portrait"].read_bytes()[:9000])
    paths["broken"].write_text("This is a text that calls itself a photo.")
    return paths


def pair(person: Image.Image) -> Image.Image:
    """One person twice, sharp and blurred."""
    picture = Image.new("RGB", (2 * person.width, person.height))
    picture.paste(person)
    picture.paste(person.filter(ImageFilter.GaussianBlur(5)), (person.width, 0))
    return picture


def crowd(person: Image.Image) -> Image.Image:
    """One person many times, in rows that overlap as in a group photo."""
    picture = Image.new("RGB", (1200, 800), (46, 52, 60))
    for row, (size, count) in enumerate(((110, 9), (150, 7), (210, 5))):
        copy = person.resize((size, size * 5 // 4))
        step = picture.width // count
        for place in range(count):
            left = place * step + (step - size) // 2
            picture.paste(copy, (left, 30 + row * 220))
    return picture


def hundred(person: Image.Image) -> Image.Image:
    """One person a hundred times, in a square."""
    side, count = 128, 10
    picture = Image.new("RGB", (side * count, side * count), (46, 52, 60))
    copy = person.resize((side * 4 // 5, side))
    for row in range(count):
        for column in range(count):
            picture.paste(copy, (column * side + side // 10, row * side))
    return picture
