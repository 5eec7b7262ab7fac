"""The browser of the tests: Debian's chromium, driven by Playwright."""

import shutil

from playwright.sync_api import Browser, Page, Playwright, expect

# A busy machine with two cores is slow.
expect.set_options(timeout=30_000)

# --no-sandbox: inside a container chromium cannot build its own.
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"]


def find_chromium() -> str | None:
    """The path of an installed chromium, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)


def create_account(page: Page, url: str, email: str, password: str) -> None:
    """Sign up; on a new site as its administrator. Ends on the upload page."""
    page.goto(url)
    if not page.url.endswith("/setup/"):
        page.goto(f"{url}/accounts/signup/")
    page.get_by_label("Email").or_(page.get_by_label("E-mail address")).fill(email)
    page.locator("#id_password1").fill(password)
    page.locator("#id_password2").fill(password)
    page.locator("main form button[type=submit]").click()
    page.locator("#drop").wait_for()
    page.wait_for_load_state("load")  # the scripts have loaded
