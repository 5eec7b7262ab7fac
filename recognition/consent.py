"""What people agree to: versions of texts, for the site and for each project, and who accepted."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from recognition.models import Consent, ConsentText

DRAFT = """\
[Name of the institution] analyzes photos and videos of faces on this site to [purpose].

The pictures stay on our own server. A program estimates which of seven expressions each face \
shows. It doesn't recognize who somebody is, and an expression is not a feeling.

Taking part is voluntary. You can stop at any time, see and download your data, and delete it \
together with your account. Results are kept for [time].

Upload pictures of other people only if they have agreed to it.

Ask [name, email address] about anything that is unclear."""
"""What administrators start from."""


def current(project: str = "") -> ConsentText | None:
    """The text that is to be accepted now; None if there is none."""
    texts = ConsentText.objects.filter(project=project).order_by("-version")
    newest = texts.first()
    return newest if newest and not newest.retired_at else None


def projects() -> list[str]:
    """The names of the projects that have a text now, in order."""
    names = ConsentText.objects.exclude(project="").filter(retired_at=None)
    return sorted(set(names.values_list("project", flat=True)))


@transaction.atomic
def publish(project: str, body: str, by: User) -> ConsentText:
    """Make this the text: everybody is asked again. Raises IntegrityError if another was faster."""
    older = ConsentText.objects.filter(project=project)
    newest = older.order_by("-version").first()
    older.filter(retired_at=None).update(retired_at=timezone.now())
    version = newest.version + 1 if newest else 1
    return ConsentText.objects.create(
        project=project, version=version, body=body.strip(), published_by=by
    )


def retire(texts: "QuerySet[ConsentText]") -> int:
    """Ask nobody for these any more; gives how many were in use."""
    return texts.filter(retired_at=None).update(retired_at=timezone.now())


def accepted(user: User, text: ConsentText) -> Consent | None:
    """The person's consent to this version, if it stands."""
    return Consent.objects.filter(user=user, text=text, withdrawn_at=None).first()


def missing(user: User, project: str = "") -> ConsentText | None:
    """The text that this person has yet to accept for the site or a project; None if none."""
    text = current(project)
    return text if text and not accepted(user, text) else None


def accept(user: User, text: ConsentText) -> None:
    """Record that a person agrees. Accepting twice is accepting once."""
    with transaction.atomic():
        # Locked: two clicks must not make two rows.
        User.objects.select_for_update().get(pk=user.pk)
        if not accepted(user, text):
            Consent.objects.create(user=user, text=text)


def withdraw(user: User, text: ConsentText) -> None:
    """Record that a person agrees no longer; what was analyzed until then is theirs to delete."""
    standing = Consent.objects.filter(user=user, text=text, withdrawn_at=None)
    standing.update(withdrawn_at=timezone.now())
