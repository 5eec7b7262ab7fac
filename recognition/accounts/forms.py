"""Forms of the pages."""

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import SetPasswordMixin
from django.contrib.auth.models import User


class RetentionForm(forms.Form):
    """After how many days entries go, with how many would go now."""

    days = forms.TypedChoiceField(label="Delete my entries", coerce=int)

    def __init__(
        self, offered: list[tuple[int, int]], data: Any = None, initial: Any = None
    ) -> None:
        super().__init__(data, initial=initial)
        self.fields["days"].choices = [  # type: ignore[attr-defined]
            (days, self._label(days, count)) for days, count in offered
        ]

    def _label(self, days: int, count: int) -> str:
        if not days:
            return "when I do"
        number = (
            f"{count:,} {'entry goes' if count == 1 else 'entries go'}" if count else "none goes"
        )
        return f"after {days} day{'' if days == 1 else 's'} ({number} now)"


class CloseForm(forms.Form):
    """The person's own e-mail address, so that nobody deletes an account by a slip."""

    email = forms.EmailField(
        label="Your email address, to confirm",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(data)
        self.user = user

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if email.lower() != self.user.email.lower():
            raise forms.ValidationError("This isn't the address of this account.", "other_address")
        return email


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
