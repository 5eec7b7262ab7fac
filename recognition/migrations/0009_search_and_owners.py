import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import recognition.models.derived
from recognition.models.derived import search_text

BATCH = 2000


def fill_search_text(apps, schema_editor):
    """What the analyses stored so far are found by."""
    analyses = apps.get_model("recognition", "Analysis").objects
    last = None
    while True:
        rows = analyses.order_by("pk") if last is None else analyses.order_by("pk").filter(pk__gt=last)
        batch = list(rows.only("title", "notes", "tags")[:BATCH])
        if not batch:
            return
        for one in batch:
            analyses.filter(pk=one.pk).update(search_text=search_text(one.title, one.notes, one.tags))
        last = batch[-1].pk


def fill_owner(apps, schema_editor):
    """The faces stored so far belong to whom their analysis belongs."""
    owner = apps.get_model("recognition", "Analysis").objects.filter(pk=models.OuterRef("analysis_id"))
    faces = apps.get_model("recognition", "Face").objects
    faces.update(owner=models.Subquery(owner.values("owner_id")[:1]))


class Migration(migrations.Migration):

    dependencies = [
        ("recognition", "0008_tracebacks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="analysis",
            name="search_text",
            field=recognition.models.derived.SearchTextField(default="", editable=False),
        ),
        migrations.RunPython(fill_search_text, migrations.RunPython.noop, elidable=True),
        migrations.AddField(
            model_name="face",
            name="owner",
            field=recognition.models.derived.CopiedOwnerField(
                to=settings.AUTH_USER_MODEL,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                db_index=False,
                null=True,
            ),
        ),
        migrations.RunPython(fill_owner, migrations.RunPython.noop, elidable=True),
    ]
