"""Settings of security and accounts, which settings.py takes over."""

import re
from urllib.parse import urlsplit
from wsgiref.headers import Headers

from django.core.exceptions import ImproperlyConfigured

from fer_site.environment import env_bool, env_int, env_text

# --- Security ---------------------------------------------------------------------------------

# The site then refuses to start with settings that are for trying it out: see production.py.
PRODUCTION = env_bool("MIEN_PRODUCTION", False)

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "media-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
# A worker's script comes with a policy of its own: the one on the Live page runs WebAssembly, in
# threads where browsers keep the page apart from all others.
WASM_SCRIPTS = ("/static/js/live/on-device/worker", "/static/vendor/onnxruntime-web/")
WASM_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; "
    "worker-src 'self'; connect-src 'self'",
    "Cross-Origin-Embedder-Policy": "require-corp",
}


def add_wasm_headers(headers: Headers, _path: str, url: str) -> None:
    """Add WASM_HEADERS to the static files that need them."""
    if url.startswith(WASM_SCRIPTS):
        for name, value in WASM_HEADERS.items():
            headers[name] = value


WHITENOISE_ADD_HEADERS_FUNCTION = add_wasm_headers
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
# Behind a proxy that terminates TLS.
if env_bool("MIEN_HTTPS", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    # Asked for from within, past the proxy.
    SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
    SECURE_HSTS_SECONDS = env_int("MIEN_HSTS_SECONDS", 365 * 24 * 3600)
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
# HSTS for subdomains and browsers' preload lists: other sites below Mien's name may not have
# HTTPS, and Mien can't know.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# --- Accounts ---------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ACCOUNT_ADAPTER = "recognition.accounts.rules.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Mien] "
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
LOGIN_REDIRECT_URL = "home"
LOGIN_URL = "account_login"
OPEN_SIGNUP = env_bool("MIEN_OPEN_SIGNUP", True)
# How many proxies in front of Mien are trusted to tell the visitor's address.
ALLAUTH_TRUSTED_PROXY_COUNT = env_int("MIEN_TRUSTED_PROXIES", 0)

# --- Privacy ----------------------------------------------------------------------------------

# Who answers for what the site does with pictures of people, as its privacy notice says.
OPERATOR = env_text("MIEN_OPERATOR")
CONTACT = env_text("MIEN_CONTACT")  # an e-mail address, a telephone number, a room

# --- Single sign-on: a server that speaks OpenID Connect, for who has an account there -----------

OIDC_ISSUER = env_text("MIEN_OIDC_ISSUER").rstrip("/")
OIDC_NAME = env_text("MIEN_OIDC_NAME", "single sign-on")  # on buttons: "Continue with ..."
SOCIALACCOUNT_ADAPTER = "recognition.accounts.single_sign_on.SignOnAdapter"
SOCIALACCOUNT_REAUTHENTICATION_REQUIRED = True  # to connect an account, and to disconnect it
# Nobody's number at one server may be taken for that at another, so it's part of the address.
OIDC_ID = re.sub(r"[^a-z0-9]+", "-", OIDC_ISSUER.lower().partition("://")[2])
if OIDC_ISSUER:
    address = urlsplit(OIDC_ISSUER)
    if address.scheme != "https" and address.hostname not in {"localhost", "127.0.0.1"}:
        raise ImproperlyConfigured("MIEN_OIDC_ISSUER must begin with https://.")
    SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [
                {
                    "provider_id": OIDC_ID,
                    "name": OIDC_NAME,
                    "client_id": env_text("MIEN_OIDC_CLIENT_ID"),
                    "secret": env_text("MIEN_OIDC_CLIENT_SECRET"),
                    "settings": {"server_url": OIDC_ISSUER},
                }
            ],
        }
    }
    # The button is a form whose answer leads there.
    CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"].append(
        f"{address.scheme}://{address.netloc}"
    )

# --- Second factor ----------------------------------------------------------------------------

MFA_ADAPTER = "recognition.accounts.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    name: f"recognition.accounts.passkey_forms.{form}"
    for name, form in {
        "add_webauthn": "AddForm",
        "authenticate_webauthn": "AuthenticateForm",
        "reauthenticate_webauthn": "ReauthenticateForm",
    }.items()
}
# Administrators without a second factor have to set one up first.
STAFF_MFA = env_bool("MIEN_STAFF_MFA", False)

# --- E-mail -----------------------------------------------------------------------------------

EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if env_text("MIEN_EMAIL_HOST")
    else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_HOST = env_text("MIEN_EMAIL_HOST")
EMAIL_PORT = env_int("MIEN_EMAIL_PORT", 587)
EMAIL_HOST_USER = env_text("MIEN_EMAIL_USER")
EMAIL_HOST_PASSWORD = env_text("MIEN_EMAIL_PASSWORD")
EMAIL_USE_TLS = env_bool("MIEN_EMAIL_TLS", True)
DEFAULT_FROM_EMAIL = env_text("MIEN_EMAIL_FROM", "Mien <mien@localhost>")
# A second factor needs a verified address, so that nobody locks the owner of an address out. On a
# site that sends no e-mail nobody could verify one.
MFA_ALLOW_UNVERIFIED_EMAIL = not EMAIL_HOST
