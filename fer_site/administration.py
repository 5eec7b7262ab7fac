"""Django's admin, hidden from everyone who may not use it."""

import functools
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib.admin import AdminSite
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.decorators import method_decorator

from recognition import administrators
from recognition.api.people import lead_to_second_factor


class Administration(AdminSite):
    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        guarded = super().admin_view(view, cacheable)

        @functools.wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated and not self.has_permission(request):
                raise Http404  # Django would offer another login, which doesn't help them
            if administrators.needs_second_factor(request.user):
                return lead_to_second_factor(request)
            try:
                return guarded(request, *args, **kwargs)
            except ValidationError as error:  # Django's shortcuts expect every key to be a number
                raise Http404 from error

        return answer

    # The admin's own form doesn't limit password guesses.
    @method_decorator(secure_admin_login)
    def login(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        return super().login(request, extra_context)
