"""What browsers are told that pages may do."""

import json
import os
import re
import subprocess
import sys
from wsgiref.headers import Headers

import pytest
from django.conf import settings as site_settings
from django.urls import URLResolver, get_resolver

from tests.processes import ROOT

PAGES = ["/", "/live/", "/analyses/", "/account/keys/", "/accounts/2fa/", "/api/v1/docs/"]


@pytest.mark.parametrize("page", PAGES)
def test_only_the_live_page_may_use_the_camera(signed_in, page):
    policy = signed_in.get(page)["Permissions-Policy"]

    assert ("camera=(self)" in policy) == (page == "/live/")
    assert ("camera=()" in policy) == (page != "/live/")
    assert "microphone=()" in policy


@pytest.mark.parametrize("page", [*PAGES, "/api/v1/me/", "/nothing/", "/health/"])
def test_other_sites_can_neither_embed_nor_steer_what_is_here(signed_in, page):
    response = signed_in.get(page)

    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"


def test_the_policy_allows_no_inline_scripts_or_styles(signed_in):
    assert "unsafe" not in json.dumps(site_settings.CONTENT_SECURITY_POLICY)
    for page in PAGES:
        policy = signed_in.get(page)["Content-Security-Policy"]
        assert "unsafe" not in policy.replace("'wasm-unsafe-eval'", "")


def pages_without_a_key(patterns, prefix="/") -> list[str]:
    """Every address of the site that names no object."""
    found = []
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found += pages_without_a_key(pattern.url_patterns, route)
        elif not set(route) & set("<^$(["):
            found.append(route)
    return found


def test_only_the_live_page_may_run_webassembly(signed_in):
    pages = pages_without_a_key(get_resolver().url_patterns)
    assert len(pages) > 40
    assert {"/live/", "/analyses/", "/accounts/login/", "/live/networks/"} <= set(pages)
    for page in [*pages, "/nothing/"]:
        answer = signed_in.get(page)
        policy = answer.get("Content-Security-Policy", "")
        assert ("'wasm-unsafe-eval'" in policy) == (page == "/live/"), page
        assert ("Cross-Origin-Embedder-Policy" in answer) == (page == "/live/"), page
    directives = dict(
        directive.strip().split(" ", 1)
        for directive in signed_in.get("/live/")["Content-Security-Policy"].split(";")
    )
    assert directives["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert directives["worker-src"] == "'self'"


def test_of_static_files_only_the_worker_may_run_webassembly():
    may = [
        "/static/js/live/on-device/worker.0123456789ab.js",
        "/static/vendor/onnxruntime-web/ort-wasm-simd-threaded.0123456789ab.mjs",
    ]
    may_not = ["/static/js/live/live.js", "/static/vendor/chart.js/chart.umd.min.js"]
    for address in [*may, *may_not]:
        headers = Headers()
        site_settings.WHITENOISE_ADD_HEADERS_FUNCTION(headers, "/path", address)
        assert ("wasm-unsafe-eval" in str(headers)) == (address in may)
        assert ("require-corp" in str(headers)) == (address in may)


@pytest.mark.parametrize("page", PAGES)
def test_pages_need_no_inline_scripts_or_styles(signed_in, page):
    text = signed_in.get(page).content.decode()
    scripts = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", text)

    assert all('type="application/json"' in script for script in scripts)
    assert not re.findall(r"<style|\sstyle=|\son\w+=\"", text)


@pytest.mark.parametrize("page", ["/accounts/login/", "/accounts/2fa/", "/accounts/email/"])
def test_browsers_keep_no_page_of_an_account(signed_in, page):
    assert signed_in.get(page)["Cache-Control"] == "private, no-store"


def test_other_pages_are_kept_as_before(signed_in):
    assert "no-store" not in signed_in.get("/analyses/").get("Cache-Control", "")


def https(code: str, **environment: str) -> str:
    """What a site with HTTPS prints."""
    ran = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{code}"],
        cwd=ROOT,
        env={**os.environ, "MIEN_HTTPS": "true", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.strip()


ASK = """
from django.test import RequestFactory
from django.http import HttpResponse
from django.middleware.security import SecurityMiddleware
ask = SecurityMiddleware(lambda request: HttpResponse())
def show(path, **headers):
    answer = ask(RequestFactory().get(path, headers=headers, HTTP_HOST="localhost"))
    print(answer.status_code, answer.get("Location"), answer.get("Strict-Transport-Security"))
"""


def test_with_https_plain_requests_are_redirected_and_browsers_remember_it():
    code = 'show("/live/"); show("/health/ready/"); show("/live/", x_forwarded_proto="https")'

    assert https(f"{ASK}{code}").splitlines() == [
        "301 https://localhost/live/ None",
        "200 None None",
        "200 None max-age=31536000",
    ]


def test_how_long_browsers_remember_it_is_set():
    code = 'show("/live/", x_forwarded_proto="https")'

    assert https(f"{ASK}{code}", MIEN_HSTS_SECONDS="3600").endswith("max-age=3600")
    assert https(f"{ASK}{code}", MIEN_HSTS_SECONDS="0").endswith("None")
