"""Tones high dynamic range down to what screens and the networks know: sRGB with 8 bits."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_LEVELS = 4096  # the transfer functions are tabulated
_WHITE_NITS = 203.0  # diffuse white in HDR video (ITU-R BT.2408)
_PEAK = 4.0  # times diffuse white that still differs from white
# Linear BT.2020 to linear BT.709 (ITU-R BT.2087).
_TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    dtype=np.float32,
)


def tone_map(rgb: NDArray[np.uint16], transfer: str) -> NDArray[np.uint8]:
    """A uint16 BT.2020 image [height, width, 3], "pq" or "hlg", as uint8 sRGB.

    Diffuse white becomes nearly white, and what is brighter is compressed (Reinhard et al. 2002,
    extended form).
    """
    linear = _to_linear(transfer)[rgb >> 4] @ _TO_709.T
    np.clip(linear, 0, None, out=linear)
    mapped = linear * (1 + linear / _PEAK**2) / (1 + linear) * 1.6
    np.clip(mapped, 0, 1, out=mapped)
    toned: NDArray[np.uint8] = _to_srgb()[(mapped * (_LEVELS - 1)).astype(np.uint16)]
    return toned


@cache
def _to_linear(transfer: str) -> Floats:
    """Light relative to diffuse white for each of 4096 signal levels (ITU-R BT.2100)."""
    signal = np.linspace(0, 1, _LEVELS)
    if transfer == "pq":
        root = signal ** (32 / 2523)
        ratio = np.clip(root - 0.8359375, 0, None) / (18.8515625 - 18.6875 * root)
        light = ratio ** (8192 / 1305)
        return (light * 10000 / _WHITE_NITS).astype(np.float32)
    scene = np.where(
        signal <= 0.5, signal**2 / 3, (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12
    )
    return (scene**1.2 * 1000 / _WHITE_NITS).astype(np.float32)


@cache
def _to_srgb() -> NDArray[np.uint8]:
    linear = np.linspace(0, 1, _LEVELS)
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(curve * 255).astype(np.uint8)
