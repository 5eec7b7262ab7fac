"""Live on this device: `make bench-on_device` (a minute; ARGS="--seconds 60").

Starts a whole site, opens its Live page in headless Chromium with a camera that plays one moving
face at 640x480, lets the browser read the frames itself, and counts what is answered. Needs
Chromium. Prints frames a second, how long a frame takes and what is loaded, and fails below 10.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.site import PASSWORD, Site, running_site
from tests.browser.camera import launch_with_camera, write_clip
from tests.browser.chromium import create_account, find_chromium

GOAL = 10.0  # frames a second


class Traffic:
    """What a page loads and sends on its sockets."""

    def __init__(self, page: Page) -> None:
        self.pictures = 0
        self.answered_at: list[float] = []
        self.milliseconds: list[dict[str, float]] = []
        page.on("websocket", self.listen)

    def listen(self, socket) -> None:
        socket.on("framesent", self.note_sent)
        socket.on("framereceived", self.note_received)

    def note_sent(self, message: str | bytes) -> None:
        self.pictures += isinstance(message, bytes)

    def note_received(self, text: str | bytes) -> None:
        message = json.loads(text)
        if message.get("type") == "frame.result" and len(message["faces"]) == 1:
            self.answered_at.append(time.perf_counter())
            self.milliseconds.append(message["milliseconds"])

    def median(self, part: str) -> float:
        return statistics.median(row[part] for row in self.milliseconds)


def watch(page: Page, seconds: float) -> tuple[Traffic, float, float]:
    """The traffic of a session on this device, its frames a second, the seconds to its start."""
    traffic = Traffic(page)
    page.goto("/live/")
    page.get_by_text("Settings", exact=True).click()
    page.locator("#rate-setting").fill("30")
    page.get_by_role("radio", name="On this device").check()
    began = time.perf_counter()
    page.get_by_role("button", name="Start camera").click()
    expect(page.locator("#reading-emotion")).to_have_text("Happy")
    started = time.perf_counter() - began
    page.wait_for_timeout(3000)
    traffic.answered_at.clear()
    traffic.milliseconds.clear()
    page.wait_for_timeout(seconds * 1000)
    return traffic, len(traffic.answered_at) / seconds, started


def loaded_mb(page: Page) -> dict[str, float]:
    """Megabytes that came over the network for the program and for the networks."""
    sizes = page.evaluate(
        """async () => {
          const {networks} = document.getElementById("live").dataset;
          const {runtime, networks: files} = await (await fetch(networks)).json();
          const sizeOf = async (urls) => {
            let bytes = 0;
            for (const url of Object.values(urls)) {
              await (await fetch(url, {cache: "reload"})).arrayBuffer();
              const address = new URL(url, location.href).href;
              bytes += performance.getEntriesByName(address).at(-1).encodedBodySize;
            }
            return bytes;
          };
          return {program: await sizeOf(runtime), networks: await sizeOf(files)};
        }"""
    )
    return {name: size / 1e6 for name, size in sizes.items()}


def measure(site: Site, seconds: float) -> bool:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = launch_with_camera(playwright, write_clip(Path(folder, "one.mjpeg")))
        page = browser.new_page(base_url=site.url, viewport={"width": 1280, "height": 900})
        page.set_default_timeout(60_000)
        page.context.grant_permissions(["camera"])
        create_account(page, site.url, "bench@example.org", PASSWORD)
        traffic, rate, started = watch(page, seconds)
        for name, size in loaded_mb(page).items():
            print(f"{name}: {size:.1f} MB loaded")
        browser.close()
    print(f"from Start to the first reading, the camera included: {started:.1f} s")
    for part in ("detect", "classify"):
        print(f"{part}: median {traffic.median(part):.1f} ms a frame")
    print(f"pictures sent: {traffic.pictures}")
    kept = rate >= GOAL and traffic.pictures == 0
    print(
        f"frames a second with one face: {rate:.1f} (goal {GOAL:.0f})  {'ok' if kept else 'MISSED'}"
    )
    return kept


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    chromium = find_chromium()
    if not chromium:
        print("No chromium is installed.")
        return 1
    version = subprocess.run([chromium, "--version"], capture_output=True, text=True, check=True)
    print(f"{version.stdout.strip()}, {os.cpu_count()} cores")
    with running_site() as site:
        return 0 if measure(site, options.seconds) else 1


if __name__ == "__main__":
    sys.exit(main())
