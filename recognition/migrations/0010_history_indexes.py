import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import recognition.models.derived


class Migration(migrations.Migration):
    # Apart from the one before: PostgreSQL changes no table whose rows were written just now.

    dependencies = [
        ("recognition", "0009_search_and_owners"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="face",
            name="owner",
            field=recognition.models.derived.CopiedOwnerField(
                to=settings.AUTH_USER_MODEL,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                db_index=False,
            ),
        ),
        migrations.RemoveIndex(model_name="analysis", name="analysis_history"),
        migrations.AddIndex(
            model_name="analysis",
            index=models.Index(
                fields=[
                    *["owner", "-created_at", "-id", "status", "kind", "emotion"],
                    *["model_version", "stored_bytes"],
                ],
                name="analysis_list",
            ),
        ),
        migrations.AddIndex(
            model_name="analysis",
            index=models.Index(fields=["owner", "-finished_at"], name="analysis_finished"),
        ),
        migrations.AddIndex(
            model_name="face",
            index=models.Index(fields=["owner", "-id"], name="face_list"),
        ),
        migrations.AddIndex(
            model_name="face",
            index=models.Index(fields=["owner", "emotion", "-id"], name="face_list_by_emotion"),
        ),
        migrations.AddIndex(
            model_name="face",
            index=models.Index(fields=["analysis", "emotion"], name="face_emotions"),
        ),
    ]
