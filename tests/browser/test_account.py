"""API keys, webhooks and the API's documentation in the browser."""

import re

import httpx
import pytest
from playwright.sync_api import expect


def test_a_key_is_shown_once_works_and_is_revoked(person, live_site):
    person.goto("/account/keys/")
    expect(person.get_by_text("None yet.")).to_be_visible()
    person.get_by_label("Name").fill("holiday script")
    person.get_by_label("Upload, change and delete").uncheck()
    person.get_by_role("button", name="Create key").click()
    key = person.get_by_label("The new key")
    expect(key).to_have_value(re.compile(r"^mien_\w{8}_"))
    headers = {"Authorization": f"Bearer {key.input_value()}"}
    assert httpx.get(f"{live_site.url}/api/v1/me/", headers=headers).status_code == 200

    person.reload()
    expect(key).to_be_hidden()
    row = person.locator("#keys li", has_text="holiday script")
    expect(row).to_contain_text("Last used")
    row.get_by_role("button", name="Revoke holiday script").click()
    person.locator("#confirm").get_by_role("button", name="Revoke").click()
    expect(row).to_contain_text("Revoked")
    assert httpx.get(f"{live_site.url}/api/v1/me/", headers=headers).status_code == 401


# The lowest contrast (WCAG 2.2, 1.4.3) of the texts in an element with what is behind them.
CONTRAST = """element => {
  const rgba = color => [...color.matchAll(/[\\d.]+/g)].map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = node => {
    for (let at = node; at; at = at.parentElement) {
      const [r, g, b, a = 1] = rgba(getComputedStyle(at).backgroundColor);
      if (a === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const opacity = node => {
    let product = 1;
    for (let at = node; at; at = at.parentElement) product *= Number(getComputedStyle(at).opacity);
    return product;
  };
  return Math.min(...[element, ...element.querySelectorAll("*")]
    .filter(node => [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim()))
    .filter(node => node.checkVisibility())
    .map(node => {
      const ground = behind(node), part = opacity(node);
      const ink = rgba(getComputedStyle(node).color)
        .map((v, i) => v * part + (ground[i] ?? 0) * (1 - part));
      const [high, low] = [light(ink), light(ground)].sort((a, b) => b - a);
      return (high + 0.05) / (low + 0.05);
    }));
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_revoked_key_can_be_read(person, theme):
    person.emulate_media(color_scheme=theme)
    person.goto("/account/keys/")
    person.get_by_label("Name").fill("old script")
    person.get_by_role("button", name="Create key").click()
    row = person.locator("#keys li", has_text="old script")
    row.get_by_role("button", name="Revoke old script").click()
    person.locator("#confirm").get_by_role("button", name="Revoke").click()
    expect(row).to_contain_text("Revoked")
    assert row.evaluate(CONTRAST) >= 4.5


def test_a_key_without_any_scope_is_explained(person):
    person.goto("/account/keys/")
    person.get_by_label("Name").fill("useless")
    person.get_by_label("Read photos and results").uncheck()
    person.get_by_label("Upload, change and delete").uncheck()
    person.get_by_role("button", name="Create key").click()
    expect(person.locator("#key-error")).to_contain_text("at least one permission")
    person.complaints.clear()  # the browser logs the refused request


def test_a_webhook_is_added_paused_and_deleted(person):
    person.goto("/account/webhooks/")
    person.get_by_label("Address").fill("http://127.0.0.1/inside")
    person.get_by_role("button", name="Add").click()
    expect(person.locator("#webhook-error")).not_to_be_empty()
    person.complaints.clear()  # the browser logs the refused request

    person.get_by_label("Address").fill("https://1.1.1.1/hook")
    person.get_by_role("button", name="Add").click()
    row = person.locator("#webhooks > li", has_text="1.1.1.1")
    row.get_by_text("Secret").click()
    expect(row.get_by_label("Secret")).to_have_value(re.compile(r"\S{30,}"))
    row.get_by_text("Deliveries").click()
    expect(row).to_contain_text("None in the last 30 days.")
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("Paused")
    row.get_by_role("button", name="Delete").click()
    person.locator("#confirm").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)


def test_the_documentation_of_the_api_works_under_the_policy(person):
    person.goto("/api/v1/docs/")
    expect(person.locator(".swagger-ui .opblock").first).to_be_visible()
    person.locator("#operations-me-me_retrieve").click()
    person.get_by_role("button", name="Try it out").click()
    person.get_by_role("button", name="Execute").click()
    expect(person.locator(".live-responses-table")).to_contain_text("200")
