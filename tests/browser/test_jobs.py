"""The page of jobs in the browser: queues are shown, and can be paused and resumed."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_training_run import administrator, site

__all__ = ["administrator", "site"]  # the fixtures


@pytest.mark.slow
def test_a_queue_is_paused_and_resumed(administrator):
    page = administrator
    page.goto("/jobs/")
    pause = page.get_by_role("button", name="Pause").first
    resume = page.get_by_role("button", name="Resume")
    expect(resume).to_have_count(0)
    pause.click()
    expect(resume).to_have_count(1)

    page.reload()
    resume.click()
    expect(resume).to_have_count(0)
