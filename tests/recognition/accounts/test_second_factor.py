"""Authenticator app, passkeys and recovery codes; and who has to have one."""

import base64
import html
import time

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from recognition import administrators
from recognition.accounts.second_factor import SecondFactorAdapter
from recognition.api import keys
from tests.conftest import confirm

pytestmark = pytest.mark.django_db

SECRET = base64.b32encode(b"twenty bytes of luck").decode()
LOGIN = {"login": "ada@example.org", "password": "correct horse"}


def code_now(secret: str = SECRET) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


@pytest.fixture
def protected(user):
    """A person with an authenticator app and recovery codes."""
    TOTP.activate(user, SECRET)
    RecoveryCodes.activate(user)
    return user


@pytest.fixture
def administrator(user, django_user_model):
    return django_user_model.objects.get(username="admin")


@pytest.fixture
def staff(client, administrator):
    """A test client of the administrator, who has no second factor."""
    client.force_login(administrator)
    return client


def test_an_app_is_set_up_with_a_code_from_it(signed_in, user):
    confirm(signed_in)
    page = signed_in.get(reverse("mfa_activate_totp"))
    secret = page.context["form"].secret
    assert "data:image/svg+xml;base64," in page.content.decode()
    assert f"secret={secret}" in page.context["totp_url"]
    assert "issuer=Mien%20testserver" in page.context["totp_url"]

    answer = signed_in.post(reverse("mfa_activate_totp"), {"code": code_now(secret)})
    assert answer.url == reverse("mfa_view_recovery_codes")
    codes = signed_in.get(answer.url)
    assert len(codes.context["unused_codes"]) == 10
    assert set(user.authenticator_set.values_list("type", flat=True)) == {"totp", "recovery_codes"}


def test_a_wrong_code_sets_nothing_up_and_says_what_to_enter(signed_in, user):
    confirm(signed_in)
    signed_in.get(reverse("mfa_activate_totp"))
    page = signed_in.post(reverse("mfa_activate_totp"), {"code": "12"})

    assert "Enter the code that your app shows right now" in page.content.decode()
    assert not user.authenticator_set.exists()


def test_setting_up_asks_for_the_password_first(signed_in):
    for name in ("mfa_activate_totp", "mfa_add_webauthn"):
        answer = signed_in.get(reverse(name))
        assert answer.url.startswith("/accounts/reauthenticate/?next=")


def test_where_e_mail_is_sent_the_address_has_to_be_verified_first(signed_in, user, settings):
    settings.MFA_ALLOW_UNVERIFIED_EMAIL = False
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)
    confirm(signed_in)
    page = signed_in.get(reverse("mfa_activate_totp"), follow=True)

    assert page.redirect_chain[-1][0] == reverse("mfa_index")
    assert "Verify your email address first" in page.content.decode()


def test_the_password_alone_signs_nobody_in(client, protected):
    answer = client.post("/accounts/login/", LOGIN)

    assert answer.url == reverse("mfa_authenticate")
    assert client.get("/analyses/").status_code == 302
    assert client.get("/api/v1/me/").status_code == 401


def test_password_and_code_do(client, protected):
    client.post("/accounts/login/", LOGIN)
    page = client.get(reverse("mfa_authenticate")).content.decode()
    assert "authenticator app" in page
    assert "passkey" not in page  # there is none

    assert client.post(reverse("mfa_authenticate"), {"code": code_now()}).url == "/"
    assert client.get("/api/v1/me/").status_code == 200


def test_a_code_works_once(client, protected):
    code = code_now()
    for one, status in ((Client(), 302), (Client(), 200)):
        one.post("/accounts/login/", LOGIN)
        assert one.post(reverse("mfa_authenticate"), {"code": code}).status_code == status


def test_a_recovery_code_works_once(protected):
    (authenticator,) = protected.authenticator_set.filter(type="recovery_codes")
    code = authenticator.wrap().get_unused_codes()[0]
    for one, status in ((Client(), 302), (Client(), 200)):
        one.post("/accounts/login/", LOGIN)
        assert one.post(reverse("mfa_authenticate"), {"code": code}).status_code == status


def test_guesses_are_limited(client, protected):
    client.post("/accounts/login/", LOGIN)
    for _ in range(12):
        page = client.post(reverse("mfa_authenticate"), {"code": "000000"})

    assert "Too many failed" in page.content.decode()
    right = client.post(reverse("mfa_authenticate"), {"code": code_now()})
    assert right.status_code == 200


@pytest.mark.parametrize("credential", ["{}", "[]", "null", "x", '{"id": 1}', '{"response": {}}'])
def test_a_broken_passkey_is_refused_in_a_sentence(client, protected, credential):
    client.post("/accounts/login/", LOGIN)
    page = client.post(reverse("mfa_authenticate"), {"credential": credential})
    assert_told(page, "webauthn_form")

    client.post(reverse("mfa_authenticate"), {"code": code_now()})
    client.get(reverse("mfa_add_webauthn"))
    page = client.post(reverse("mfa_add_webauthn"), {"credential": credential})
    assert_told(page, "form")


def assert_told(page, form: str) -> None:
    """The page shows every error of a form as an alert."""
    errors = [error for errors in page.context[form].errors.values() for error in errors]
    assert errors
    for error in errors:
        assert f'role="alert"><span>{error}' in html.unescape(page.content.decode())


def test_the_second_factor_confirms_like_the_password(client, protected):
    client.force_login(protected)
    page = client.get("/accounts/reauthenticate/")
    assert reverse("mfa_reauthenticate") in page.content.decode()
    client.post(reverse("mfa_reauthenticate"), {"code": code_now()})

    made = client.post("/api/v1/keys/", {"name": "x", "scopes": ["read"]}, "application/json")
    assert made.status_code == 201


def test_turning_the_app_off_deletes_the_codes(client, protected):
    client.force_login(protected)
    confirm(client)
    assert client.get(reverse("mfa_deactivate_totp")).status_code == 200
    client.post(reverse("mfa_deactivate_totp"))

    assert not protected.authenticator_set.exists()


@pytest.mark.parametrize(
    "page", ["mfa_index", "mfa_view_recovery_codes", "mfa_generate_recovery_codes"]
)
def test_the_pages_open(client, protected, page):
    client.force_login(protected)
    confirm(client)

    assert "Two-factor" in client.get(reverse(page)).content.decode()


def test_the_codes_can_be_downloaded(client, protected):
    client.force_login(protected)
    confirm(client)
    answer = client.get(reverse("mfa_download_recovery_codes"))

    assert len(answer.content.split()) >= 10
    assert answer["Content-Disposition"] == 'attachment; filename="recovery-codes.txt"'


def test_a_passkey_is_listed_renamed_and_removed(signed_in, user):
    key = Authenticator.objects.create(user=user, type="webauthn", data={"name": "blue key"})
    confirm(signed_in)
    assert "blue key" in signed_in.get(reverse("mfa_list_webauthn")).content.decode()
    signed_in.post(reverse("mfa_edit_webauthn", args=[key.pk]), {"name": "red key"})
    assert (
        "red key" in signed_in.get(reverse("mfa_remove_webauthn", args=[key.pk])).content.decode()
    )
    signed_in.post(reverse("mfa_remove_webauthn", args=[key.pk]))

    assert not user.authenticator_set.exists()


def test_passkeys_are_numbered_unless_they_are_named(signed_in, user):
    confirm(signed_in)
    assert 'value="Passkey"' in signed_in.get(reverse("mfa_add_webauthn")).content.decode()
    adapter = SecondFactorAdapter()
    Authenticator.objects.create(user=user, type="webauthn", data={"name": "blue key"})

    assert adapter.generate_authenticator_name(user, Authenticator.Type.WEBAUTHN) == "Passkey 2"


def test_nobody_touches_the_passkey_of_another(signed_in, other_user):
    key = Authenticator.objects.create(user=other_user, type="webauthn", data={"name": "blue key"})
    confirm(signed_in)
    for name in ("mfa_edit_webauthn", "mfa_remove_webauthn"):
        assert signed_in.post(reverse(name, args=[key.pk])).status_code == 404


def test_who_lost_everything_is_let_in_by_a_command(protected, capsys):
    call_command("remove_second_factor", "Ada@example.org")
    assert not protected.authenticator_set.exists()
    call_command("remove_second_factor", "ada@example.org")
    assert "has no second factor" in capsys.readouterr().out

    with pytest.raises(CommandError, match="Check the address"):
        call_command("remove_second_factor", "nobody@example.org")


def test_the_admin_shows_no_secret_and_changes_nothing(staff, protected):
    one = protected.authenticator_set.get(type="totp")
    page = staff.get(f"/admin/mfa/authenticator/{one.pk}/change/").content.decode()

    assert SECRET not in page
    assert staff.get("/admin/mfa/authenticator/add/").status_code == 403
    staff.post(f"/admin/mfa/authenticator/{one.pk}/delete/", {"post": "yes"})
    assert not protected.authenticator_set.filter(pk=one.pk).exists()


# --- MIEN_STAFF_MFA


@pytest.mark.parametrize(
    "page", ["/admin/", "/models/", "/jobs/", "/training/", "/training/datasets/"]
)
def test_an_administrator_is_led_to_set_one_up(staff, settings, page):
    assert staff.get(page).status_code == 200
    settings.STAFF_MFA = True
    answer = staff.get(page, follow=True)

    assert answer.redirect_chain[-1][0] == reverse("mfa_index")
    assert "Administrators of this site need a second factor" in answer.content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("address", ["jobs/", "datasets/", "models/1/promote/", "jobs/workers/"])
def test_the_api_tells_an_administrator_so(staff, settings, address, method):
    settings.STAFF_MFA = True
    answer = getattr(staff, method)(f"/api/v1/{address}")

    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_needed")
    assert reverse("mfa_index") in answer.json()["detail"]


def test_a_key_of_such_an_administrator_is_refused_too(administrator, settings):
    settings.STAFF_MFA = True
    _key, text = keys.create(administrator, "trainer", ["read", "train"])
    program = Client(headers={"authorization": f"Bearer {text}"})

    assert program.get("/api/v1/jobs/").json()["code"] == "second_factor_needed"
    assert program.get("/api/v1/me/").status_code == 200


def test_with_a_second_factor_everything_opens(staff, administrator, settings):
    settings.STAFF_MFA = True
    TOTP.activate(administrator, SECRET)

    for address in ("/admin/", "/jobs/", "/api/v1/jobs/"):
        assert staff.get(address).status_code == 200


def test_recovery_codes_alone_are_no_second_factor(staff, administrator, settings):
    settings.STAFF_MFA = True
    RecoveryCodes.activate(administrator)

    assert staff.get("/jobs/").status_code == 302


def test_an_administrator_without_one_uses_the_rest_of_the_site(staff, settings):
    settings.STAFF_MFA = True

    for address in ("/", "/analyses/", "/api/v1/analyses/", reverse("mfa_index")):
        assert staff.get(address).status_code == 200


def test_it_asks_nothing_of_others(signed_in, user, settings):
    settings.STAFF_MFA = True

    assert not administrators.needs_second_factor(user)
    assert not administrators.may_administrate(user)
    for address in ("/jobs/", "/api/v1/jobs/", "/admin/"):
        assert signed_in.get(address).status_code == 404
