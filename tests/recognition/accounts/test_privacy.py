"""The privacy notice and the sign, with what is true of this site."""

import pytest


def test_everybody_can_read_the_notice(client, user, settings):
    settings.OPERATOR, settings.CONTACT = "Face Lab", "privacy@lab.example.org"
    settings.RETENTION_DAYS, settings.AUDIT_DAYS = 30, 90
    page = client.get("/privacy/").content.decode()
    for said in ("Face Lab", "mailto:privacy@lab.example.org", "after 30 days", "for 90 days"):
        assert said in page
    assert "Article 50" in page


def test_the_notice_says_what_is_not_limited(client, user, settings):
    settings.RETENTION_DAYS = settings.AUDIT_DAYS = 0
    page = client.get("/privacy/").content.decode()
    assert "until their owner deletes them" in page
    assert "without limit" in page


def test_only_administrators_are_told_how_to_enter_a_contact(client, user, django_user_model):
    assert "MIEN_CONTACT" not in client.get("/privacy/").content.decode()
    client.force_login(django_user_model.objects.get(username="admin"))
    assert "MIEN_CONTACT" in client.get("/privacy/").content.decode()


def test_every_page_leads_to_the_notice(client, user):
    assert 'href="/privacy/"' in client.get("/").content.decode()
    assert 'href="/privacy/"' in client.get("/accounts/login/").content.decode()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000"])
def test_the_code_on_the_sign_leads_to_the_notice(client, user, settings, host):
    cv2 = pytest.importorskip("cv2")
    import re

    import numpy as np

    settings.OPERATOR = "Face <Lab>"
    page = client.get("/privacy/sign/", HTTP_HOST=host).content.decode()
    assert "Face &lt;Lab&gt;" in page
    drawing = re.search(r"<svg[^>]*viewBox.*?</svg>", page[page.index("sign-code") :], re.S)[0]
    side = int(re.search(r'viewBox="0 0 (\d+)', drawing)[1])
    # Its one path, as segno writes it: strokes a module high, drawn here by hand.
    unit = 4
    dark = np.full((side, side), 255, np.uint8)
    x = y = 0.0
    for step in re.findall(r"[Mmh][^Mmh]*", re.search(r' d="([^"]+)"', drawing)[1]):
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", step)]
        if step[0] == "M":
            x, y = numbers
        elif step[0] == "m":
            x, y = x + numbers[0], y + numbers[1]
        else:
            top = int((y - 0.5) * unit)
            dark[top : top + unit, int(x * unit) : int((x + numbers[0]) * unit)] = 0
            x += numbers[0]
    framed = np.pad(dark, 40, constant_values=255)
    found, _points, _straight = cv2.QRCodeDetector().detectAndDecode(framed)
    assert found == f"http://{host}/privacy/"
