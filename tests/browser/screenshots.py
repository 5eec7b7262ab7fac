"""`python -m tests.browser.screenshots [NAME...]`: screenshots of every page, in var/screenshots.

Starts a site, uses it like a person, and takes each page at three widths in both themes. NAME
limits them to pages whose name contains it; `readme` takes the README's pictures instead.
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

import tests.environment  # noqa: F401  (before Django reads its settings)
from tests.browser.camera import launch_with_camera, write_clip
from tests.browser.chromium import create_account, launch
from tests.browser.photos import write_photos
from tests.conftest import ROOT, LiveSite
from tests.recognition.engine.clips import astronaut, write

FOLDER = ROOT / "var" / "screenshots"
WIDTHS = (360, 768, 1440)
THEMES = ("light", "dark")
CLIPS = {"one": 1, "three": 3, "none": 0}  # faces before the camera
ERRORS = ("400", "403", "403_csrf", "404", "429", "500")
PERSON = ("ada@example.org", "correct horse battery")


def upload_all(page: Page, paths: dict[str, Path]) -> dict[str, str]:
    """Upload every photo; the addresses of the results by the photo's name."""
    page.locator("#files").set_input_files(list(paths.values()))
    expect(page.locator("#batch-count")).to_contain_text(f"{len(paths)} of {len(paths)} done")
    links = {}
    for name, path in paths.items():
        card = page.locator("#cards .analysis", has_text=path.name)
        if link := card.locator("a").get_attribute("href"):
            links[name] = link
    return links


def take(page: Page, name: str, width: int, theme: str, *, full: bool = True) -> None:
    page.wait_for_load_state("networkidle")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(500)  # the chart's animation
    page.screenshot(path=FOLDER / f"{name}-{width}-{theme}.png", full_page=full)
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    if wide:
        print(f"{name} at {width}: wider than the window")


def plan(site: LiveSite, results: dict[str, str]) -> dict[str, tuple[str, bool]]:
    """Address, and whether to be signed in, by page name."""
    pages = {
        "landing": ("/", False),
        "login": ("/accounts/login/", False),
        "signup": ("/accounts/signup/", False),
        "password-reset": ("/accounts/password/reset/", False),
        "password-reset-done": ("/accounts/password/reset/done/", False),
        "password-reset-key": ("/accounts/password/reset/key/1-bad/", False),
        "home": ("/", True),
        "history": ("/analyses/", True),
        "history-filters": ("/analyses/?kind=image&text=r", True),
        "email": ("/accounts/email/", True),
        "password-change": ("/accounts/password/change/", True),
        "second-factor": ("/accounts/2fa/", True),
        "second-factor-app": ("/accounts/2fa/totp/activate/", True),
        "second-factor-passkey": ("/accounts/2fa/webauthn/add/", True),
        "confirm": ("/accounts/reauthenticate/", True),
        "account-keys": ("/account/keys/", True),
        "account-data": ("/account/data/", True),
        "account-delete": ("/account/delete/", True),
        "account-webhooks": ("/account/webhooks/", True),
        "account-activity": ("/account/activity/", True),
        "consent": ("/account/consent/", True),
        "privacy": ("/privacy/", False),
        "privacy-sign": ("/privacy/sign/", False),
        "api-docs": ("/api/v1/docs/", True),
        "logout": ("/accounts/logout/", True),
    }
    pages |= {f"result-{name}": (address, True) for name, address in results.items()}
    return pages


def take_states(page: Page, paths: dict[str, Path], result: str, width: int, theme: str) -> None:
    """States that need interaction."""
    page.goto("/")
    upload_all(page, paths)
    take(page, "home-batch", width, theme)
    page.goto("/analyses/")
    for box in page.locator("[data-select]").all()[:3]:
        box.check()
    take(page, "history-selected", width, theme, full=False)
    page.locator("[data-bulk=delete]").click()
    take(page, "history-undo", width, theme, full=False)
    page.get_by_role("button", name="Undo").click()
    page.goto("/account/keys/")
    page.get_by_label("Name").fill(f"script at {width} px")
    page.get_by_role("button", name="Create key").click()
    page.locator("#once").wait_for()
    take(page, "account-key-made", width, theme)
    page.goto(result)
    page.get_by_role("button", name="Delete", exact=True).first.click()
    take(page, "dialog", width, theme, full=False)
    page.keyboard.press("Escape")
    page.get_by_label("Account menu").click()
    take(page, "menu", width, theme, full=False)
    page.goto("/accounts/password/change/")
    for field in ("oldpassword", "password1", "password2"):
        page.locator(f"#id_{field}").fill("12345")
    page.locator("main form button[type=submit]").click()
    take(page, "form-errors", width, theme)


def take_corrections(
    browser: Browser, site: LiveSite, state: dict, results: dict[str, str]
) -> None:
    """Corrected faces: the only one of a photo, and some of a hundred, enlarged."""
    page = browser.new_context(base_url=site.url, storage_state=state).new_page()
    page.goto(results["portrait"])
    page.get_by_label("Correct this face").select_option("surprise")
    page.locator("#reading-correction").wait_for()
    take_everywhere(page, "corrected-one")
    page.goto(results["hundred"])
    for number, correction in {12: "sad", 13: "not_a_face", 15: "happy"}.items():
        page.locator("#face-list button").nth(number - 1).click()
        page.get_by_label(f"Correct face {number}").select_option(correction)
        page.locator("#reading-correction").wait_for()
    page.locator("#announcer:not(.shown)").wait_for(state="attached")
    take_everywhere(page, "corrected-hundred")
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    page.locator("#face-list button").nth(12).click()
    take_everywhere(page, "corrected-enlarged")
    page.goto("/training/datasets/")
    page.get_by_role("button", name="Use my corrections").click()
    page.locator(".dataset").wait_for()
    take_everywhere(page, "corrected-datasets")


def take_measures(browser: Browser, site: LiveSite, state: dict, results: dict[str, str]) -> None:
    """What a face does, and its mesh."""
    page = browser.new_context(base_url=site.url, storage_state=state).new_page()
    page.goto(results["portrait"])
    page.get_by_text("Head, eyes, mouth").click()
    page.get_by_label("Draw the mesh").check()
    page.locator("#mesh path").wait_for(state="attached")
    take_everywhere(page, "measures")


def take_errors(page: Page, bodies: dict[str, str], width: int, theme: str) -> None:
    """The error pages, as intercepted responses."""
    body = ""
    page.route("**/error", lambda route: route.fulfill(body=body, content_type="text/html"))
    for name, body in bodies.items():  # noqa: B007  (read by the route)
        page.goto("/error")
        take(page, f"error-{name}", width, theme)


def take_waiting(browser: Browser, site: LiveSite, state: dict, photo: Path) -> None:
    """A pending result: the worker is gone."""
    site.worker.kill()
    page = browser.new_context(base_url=site.url, storage_state=state).new_page()
    page.goto("/")
    page.locator("#files").set_input_files(photo)
    link = page.locator("#cards .analysis[data-id] a[href]").first
    link.wait_for()
    page.goto(link.get_attribute("href"))
    take_everywhere(page, "result-waiting")


def take_live(playwright: Playwright, site: LiveSite, state: dict, folder: Path) -> None:
    """The Live page with one face, three and none, its errors, and a kept session."""
    for name, faces in CLIPS.items():
        browser = launch_with_camera(playwright, write_clip(folder / f"{name}.mjpeg", faces))
        context = browser.new_context(base_url=site.url, storage_state=state)
        page = context.new_page()
        page.goto("/live/")
        if name == "one":
            take_everywhere(page, "live-start")
            page.locator("#keep").check()
            page.get_by_role("button", name="Start camera").click()
            page.get_by_role("heading", name="Camera blocked").wait_for()
            take_everywhere(page, "live-denied")
        context.grant_permissions(["camera"])
        page.locator("[data-start]:visible").click()
        expect(page.locator("#live-faces button:not(.left)")).to_have_count(faces)
        page.wait_for_timeout(5000)  # something for the chart
        take_everywhere(page, f"live-{name}")
        if name == "three":
            page.get_by_text("Settings", exact=True).click()
            page.get_by_label("Draw the mesh").check()
            page.get_by_text("Head, eyes, mouth").click()
            page.wait_for_timeout(1000)
            take_everywhere(page, "live-mesh")
        if name == "one":
            page.get_by_text("Settings", exact=True).click()
            page.locator("#pause").click()
            take_everywhere(page, "live-paused")
            page.locator("#stop").click()
            page.locator("#ended-kept").wait_for()
            take_everywhere(page, "live-ended")
            page.locator("#ended-kept").click()
            take_everywhere(page, "live-session")
            page.goto("/analyses/")
            take_everywhere(page, "live-history")
        browser.close()


def take_device(playwright: Playwright, site: LiveSite, state: dict, folder: Path) -> None:
    """The Live page whose frames are read by the browser, and one that can't."""
    browser = launch_with_camera(playwright, write_clip(folder / "device.mjpeg"))
    context = browser.new_context(base_url=site.url, storage_state=state)
    context.grant_permissions(["camera"])
    page = context.new_page()
    page.goto("/live/")
    page.get_by_role("radio", name="On this device").check()
    take_everywhere(page, "device-start")
    page.locator("[data-start]:visible").click()
    expect(page.locator("#live-faces button:not(.left)")).to_have_count(1)
    page.get_by_text("Settings", exact=True).click()
    page.wait_for_timeout(5000)  # something for the chart
    take_everywhere(page, "device-one")
    page.add_init_script("delete window.OffscreenCanvas")
    page.reload()
    page.locator("[data-start]:visible").click()
    page.locator("#use-server").wait_for()
    take_everywhere(page, "device-failed")
    browser.close()


def take_videos(browser: Browser, site: LiveSite, state: dict, folder: Path) -> None:
    """The page of a video, with markers and a neutral face, and its exports."""
    pictures = (astronaut(number / 10, 1280, 720) for number in range(120))
    clip = write(folder / "interview.mp4", pictures, rate=10, options={"g": "10"}, sound=True)
    page = browser.new_context(base_url=site.url, storage_state=state).new_page()
    page.goto("/")
    page.locator("#files").set_input_files(clip)
    link = page.locator("#cards .analysis[data-id] a[href]", has_text=clip.name)
    link.wait_for()
    page.goto(link.get_attribute("href"))
    view = page.locator("#replay-view")
    expect(view).to_have_attribute("data-view", "succeeded", timeout=60_000)
    for start, end, label in [(2, None, "question"), (5, 8, "answers")]:
        page.locator("#player").evaluate("(video, time) => { video.currentTime = time; }", start)
        page.locator("#mark" if end is None else "#mark-span").click()
        if end is not None:
            page.locator("#player").evaluate("(video, time) => { video.currentTime = time; }", end)
            page.locator("#mark-span").click()
        field = page.locator(f".marker:has-text('0:0{start}') input:not([type=checkbox])")
        field.fill(label)
        field.press("Enter")
    page.locator("#mode").select_option("stacked")
    page.get_by_text("Head, eyes, mouth").click()
    take_everywhere(page, "video")


def take_trainings(browser: Browser, site: LiveSite, state: dict) -> None:
    """The pages of administrators, with made-up trainings."""
    site.worker.kill()  # it would sweep the made-up running training
    site.manage("shell", "-v0", "-c", "from tests.browser.trainings import fill; fill()")
    page = browser.new_context(base_url=site.url, storage_state=state).new_page()
    for name, address in {
        "training-list": "/training/",
        "training-datasets": "/training/datasets/",
        "training-models": "/models/",
        "training-version": "/models/2/",
        "training-compare": "/models/compare/?versions=1,2",
    }.items():
        page.goto(address)
        take_everywhere(page, name)
    page.goto("/models/compare/?versions=1,2")
    with tempfile.TemporaryDirectory() as folder:
        photos = write_photos(Path(folder))
        page.locator("#photo").set_input_files([photos["pair"], photos["no_face"]])
        page.get_by_role("button", name="Analyze").click()
        expect(page.locator(".photo-reading")).to_have_count(2)
    take_everywhere(page, "training-compare-read")
    page.goto("/training/")
    page.get_by_text("Options", exact=True).click()
    take_everywhere(page, "training-options")
    page.goto("/models/")
    page.get_by_role("button", name="Promote").first.click()
    take_everywhere(page, "training-ask")
    for status in ("done", "running", "failed", "queued"):
        page.goto("/training/")
        page.locator(".run", has=page.locator(".tag", has_text=status)).first.locator("a").click()
        page.locator("#run").wait_for()
        take_everywhere(page, f"training-run-{status}")


def take_jobs(browser: Browser, site: LiveSite, state: dict) -> None:
    """The jobs page: full, with an open traceback, and a confirmation."""
    site.manage("shell", "-v0", "-c", "from tests.browser.jobs import fill; fill()")
    page = browser.new_context(base_url=site.url, storage_state=state).new_page()
    page.goto("/jobs/")
    page.locator("#workers li").first.wait_for()
    page.locator("summary:visible", has_text="Traceback").first.click()
    take_everywhere(page, "jobs")
    page.get_by_role("button", name="Cancel").first.click()
    take_everywhere(page, "jobs-ask")


def take_exports(browser: Browser, site: LiveSite, state: dict) -> None:
    """The exports page, empty and with one in each state, and the dialog."""
    page = browser.new_context(base_url=site.url, storage_state=state).new_page()
    page.goto("/exports/")
    take_everywhere(page, "exports-empty")
    site.manage("shell", "-v0", "-c", "from tests.browser.exported import fill; fill()")
    page.goto("/exports/")
    take_everywhere(page, "exports")
    page.goto("/analyses/?kind=image")
    page.get_by_role("button", name="Export").click()
    for width in WIDTHS:
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            page.set_viewport_size({"width": width, "height": 900})
            take(page, "exports-dialog", width, theme, full=False)


def take_everywhere(page: Page, name: str) -> None:
    """The current page at all widths in both themes."""
    for width in WIDTHS:
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            page.set_viewport_size({"width": width, "height": 900})
            take(page, name, width, theme)


def take_for_readme(playwright: Playwright, browser: Browser, site: LiveSite, folder: Path) -> None:
    """The result of the sample photo and the Live page, as small files."""
    page = browser.new_page(base_url=site.url, viewport={"width": 1240, "height": 830})
    create_account(page, site.url, *PERSON)
    page.get_by_role("button", name="Try a sample").click()
    page.locator("#cards .analysis[data-status=succeeded] a").click()
    page.locator("#overlay .face").wait_for()
    page.wait_for_timeout(1000)  # the chart's animation
    save_for_readme(page, "result")

    camera = launch_with_camera(playwright, write_clip(folder / "one.mjpeg"))
    state = page.context.storage_state()
    live = camera.new_page(
        base_url=site.url, storage_state=state, viewport={"width": 1240, "height": 830}
    )
    live.context.grant_permissions(["camera"])
    live.goto("/live/")
    live.locator("[data-start]:visible").click()
    expect(live.locator("#live-faces button:not(.left)")).to_have_count(1)
    live.wait_for_timeout(20_000)  # something for the chart
    save_for_readme(live, "live")
    camera.close()


def save_for_readme(page: Page, name: str) -> None:
    """The window at three quarters of its size."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    small = picture.resize((960, 643), Image.Resampling.LANCZOS)
    path = ROOT / "docs" / "images" / f"{name}.webp"
    path.parent.mkdir(parents=True, exist_ok=True)
    small.save(path, quality=90)


def main(wanted: list[str]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="mien-shots-") as folder,
        sync_playwright() as playwright,
    ):
        site = LiveSite(Path(folder))
        try:
            browser = launch(playwright)
            if wanted == ["readme"]:
                take_for_readme(playwright, browser, site, Path(folder))
            else:
                take_everything(playwright, browser, site, Path(folder), wanted)
        finally:
            site.stop()


def take_everything(
    playwright: Playwright, browser: Browser, site: LiveSite, folder: Path, wanted: list[str]
) -> None:
    paths = write_photos(folder)

    def chosen(name: str) -> bool:
        return not wanted or any(part in name for part in wanted)

    visit = browser.new_context(base_url=site.url)
    page = visit.new_page()
    if chosen("setup"):
        page.goto("/")
        take_everywhere(page, "setup")
    create_account(page, site.url, *PERSON)
    take(page, "home-empty", 1280, "light")
    page.goto("/analyses/")
    take(page, "history-empty", 1280, "light")
    page.goto("/")
    results = upload_all(page, paths)
    state = visit.storage_state()
    program = "from django.template.loader import render_to_string as r; print(r('{}.html'))"
    bodies = (
        {name: site.manage("shell", "-v0", "-c", program.format(name)) for name in ERRORS}
        if chosen("error")
        else {}
    )
    for width in WIDTHS:
        for theme in THEMES:
            options = {
                "base_url": site.url,
                "color_scheme": theme,
                "viewport": {"width": width, "height": 900},
            }
            signed_in = browser.new_context(storage_state=state, **options).new_page()
            stranger = browser.new_context(**options).new_page()
            for name, (address, is_signed_in) in plan(site, results).items():
                if chosen(name):
                    page = signed_in if is_signed_in else stranger
                    page.goto(address)
                    take(page, name, width, theme)
            take_errors(stranger, bodies, width, theme)
            if chosen("states"):
                take_states(signed_in, paths, results["crowd"], width, theme)
            signed_in.context.close()
            stranger.context.close()
    if chosen("corrected"):
        take_corrections(browser, site, state, results)
    if chosen("measures"):
        take_measures(browser, site, state, results)
    if chosen("exports"):
        take_exports(browser, site, state)
    if chosen("video"):
        take_videos(browser, site, state, folder)
    if chosen("live"):
        take_live(playwright, site, state, folder)
    if chosen("device"):
        take_device(playwright, site, state, folder)
    if chosen("jobs"):
        take_jobs(browser, site, state)
    if chosen("training"):
        take_trainings(browser, site, state)
    if chosen("result-waiting"):
        take_waiting(browser, site, state, paths["portrait"])


if __name__ == "__main__":
    main(sys.argv[1:])
