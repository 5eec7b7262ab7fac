"""`python -m tests.deploy.journey URL`: a new person's first minutes on a running site.

Creates the administrator, uploads a photo, waits for its faces and deletes it. Needs the standard
library only, so it runs with any Python beside any site.
"""

import http.cookiejar
import json
import re
import sys
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "static" / "img" / "sample.jpg"


class Visitor:
    """A browser without a screen: keeps cookies and sends the CSRF token."""

    def __init__(self, url: str):
        self.url = url.rstrip("/")
        self.cookies = http.cookiejar.CookieJar()
        processor = urllib.request.HTTPCookieProcessor(self.cookies)
        self.opener = urllib.request.build_opener(processor)

    def request(self, path: str, data: bytes | None = None, **headers: str) -> str:
        token = {cookie.name: cookie.value or "" for cookie in self.cookies}.get("csrftoken", "")
        headers |= {"X-CSRFToken": token, "Origin": self.url}
        request = urllib.request.Request(self.url + path, data, headers)
        with self.opener.open(request, timeout=60) as response:
            return response.read().decode()

    def set_up(self) -> None:
        form = self.request("/setup/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
        assert token, "the set-up page has no form"
        password = uuid.uuid4().hex
        fields = {"email": "first@example.org", "password1": password, "password2": password}
        self.request(
            "/setup/", urllib.parse.urlencode({"csrfmiddlewaretoken": token[1], **fields}).encode()
        )

    def analyze(self, photo: bytes, wait: int = 20) -> dict:
        prefer = {"Prefer": f"wait={wait}"} if wait else {}
        answer = self.request(
            "/api/v1/analyses/",
            photo,
            **{"Content-Type": "image/jpeg", "Accept": "application/json"},
            **prefer,
        )
        (analysis,) = json.loads(answer)["analyses"]
        return analysis


def main(url: str) -> int:
    visitor = Visitor(url)
    visitor.set_up()
    assert "Upload photos" in visitor.request("/")
    analysis = visitor.analyze(SAMPLE.read_bytes())
    assert analysis["status"] == "succeeded", analysis
    assert analysis["faces"], "no face was found in the sample"
    assert analysis["title"] in visitor.request("/analyses/")
    print(f"{analysis['title']}: {[face['emotion'] for face in analysis['faces']]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
