"""Forms of the pages."""

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import SetPasswordMixin


class FirstAdministratorForm(SetPasswordMixin, forms.Form):
    """E-mail address and password for the administrator of a new site."""

    email = forms.EmailField(
        label="Email",
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )
    password1, password2 = SetPasswordMixin.create_password_fields()

    def clean(self) -> dict[str, Any] | None:
        self.validate_passwords()
        user = get_user_model()(email=self.cleaned_data.get("email", ""))
        self.validate_password_for_user(user, "password1")
        return super().clean()
