"""What the audit log records, by route: looking at pictures, administration, and accounts.

The names of actions are stored, and must not change.
"""

WORDS = {
    # Looking at, or taking away, what belongs to somebody.
    "picture.viewed": "Viewed a photo",
    "video.viewed": "Played a video",
    "face.viewed": "Viewed a face of a video",
    "numbers.downloaded": "Downloaded the numbers of an entry",
    "export.downloaded": "Downloaded an export",
    "entry.deleted": "Deleted an entry",
    "export.requested": "Requested an export",
    # Accounts.
    "account.created": "Created the account",
    "account.signed_in": "Signed in",
    "account.sign_in_failed": "A sign-in failed",
    "account.signed_out": "Signed out",
    "account.email_changed": "Changed the email address",
    "account.password_changed": "Changed the password",
    "account.second_factor_changed": "Changed two-factor authentication",
    "account.retention_changed": "Changed how long entries are kept",
    "consent.given": "Accepted or withdrew a consent",
    "key.created": "Created an API key",
    "key.revoked": "Revoked an API key",
    "webhook.created": "Added a webhook",
    "webhook.changed": "Changed a webhook",
    "webhook.deleted": "Deleted a webhook",
    # Administration.
    "administration.changed": "Changed something in the administration",
    "audit.downloaded": "Downloaded the audit log",
    "dataset.created": "Added a data set",
    "dataset.checked": "Checked a data set",
    "dataset.deleted": "Deleted a data set",
    "corrections.collected": "Made a data set of corrections",
    "training.started": "Started a training",
    "training.canceled": "Canceled a training",
    "training.resumed": "Resumed a training",
    "training.retried": "Retried a training",
    "training.deleted": "Deleted a training",
    "model.imported": "Imported a model",
    "model.import_deleted": "Deleted a model import",
    "model.promoted": "Promoted a model version",
    "model.rolled_back": "Rolled back to the previous model version",
    "model.archived": "Archived or restored a model version",
    "model.evaluated": "Evaluated a model version",
    "job.retried": "Retried jobs",
    "job.canceled": "Canceled a job",
    "queue.paused": "Paused a queue",
    "queue.resumed": "Resumed a queue",
    "import.started": "Started a bulk import",
    "import.canceled": "Canceled a bulk import",
    "import.retried": "Retried a bulk import",
}

VIEWS = {
    "analysis-photo": "picture.viewed",
    "analysis-thumbnail": "picture.viewed",
    "api-analysis-photo": "picture.viewed",
    "api-analysis-thumbnail": "picture.viewed",
    "api-analysis-annotated": "picture.viewed",
    "analysis-media": "video.viewed",
    "api-track-picture": "face.viewed",
    "analysis-faces": "numbers.downloaded",
    "api-file-detail": "numbers.downloaded",
    "api-export-file": "export.downloaded",
}
"""Reading these routes is recorded."""

CHANGES = {
    ("account_signup", "POST"): "account.created",
    ("setup", "POST"): "account.created",
    ("account_logout", "POST"): "account.signed_out",
    ("account_email", "POST"): "account.email_changed",
    ("account_confirm_email", "POST"): "account.email_changed",
    ("account_change_password", "POST"): "account.password_changed",
    ("account_set_password", "POST"): "account.password_changed",
    ("account_reset_password_from_key", "POST"): "account.password_changed",
    ("mfa_activate_totp", "POST"): "account.second_factor_changed",
    ("mfa_deactivate_totp", "POST"): "account.second_factor_changed",
    ("mfa_generate_recovery_codes", "POST"): "account.second_factor_changed",
    ("mfa_add_webauthn", "POST"): "account.second_factor_changed",
    ("mfa_remove_webauthn", "POST"): "account.second_factor_changed",
    ("account_data", "POST"): "account.retention_changed",
    ("account_consent", "POST"): "consent.given",
    ("api-key-list", "POST"): "key.created",
    ("api-key-detail", "DELETE"): "key.revoked",
    ("api-webhook-list", "POST"): "webhook.created",
    ("api-webhook-detail", "PUT"): "webhook.changed",
    ("api-webhook-detail", "PATCH"): "webhook.changed",
    ("api-webhook-detail", "DELETE"): "webhook.deleted",
    ("api-analysis-detail", "DELETE"): "entry.deleted",
    ("api-export-list", "POST"): "export.requested",
    ("export-everything", "POST"): "export.requested",
}
"""What people do to their accounts and data, by route and method."""

ADMINISTRATION = {
    ("api-dataset-list", "POST"): "dataset.created",
    ("api-dataset-corrections", "POST"): "corrections.collected",
    ("api-dataset-check", "POST"): "dataset.checked",
    ("api-dataset-detail", "DELETE"): "dataset.deleted",
    ("api-run-list", "POST"): "training.started",
    ("api-run-cancel", "POST"): "training.canceled",
    ("api-run-resume", "POST"): "training.resumed",
    ("api-run-retry", "POST"): "training.retried",
    ("api-run-detail", "DELETE"): "training.deleted",
    ("api-import-list", "POST"): "model.imported",
    ("model-import", "POST"): "model.imported",
    ("api-import-detail", "DELETE"): "model.import_deleted",
    ("api-model-promote", "POST"): "model.promoted",
    ("model-roll-back", "POST"): "model.rolled_back",
    ("model-archive", "POST"): "model.archived",
    ("api-evaluation-list", "POST"): "model.evaluated",
    ("api-job-retry", "POST"): "job.retried",
    ("api-jobs-retry", "POST"): "job.retried",
    ("api-job-cancel", "POST"): "job.canceled",
    ("api-queue-pause", "POST"): "queue.paused",
    ("api-queue-resume", "POST"): "queue.resumed",
    ("api-media-import-list", "POST"): "import.started",
    ("api-media-import-cancel", "POST"): "import.canceled",
    ("api-media-import-retry", "POST"): "import.retried",
}
"""What administrators do, by route and method; every change in Django's administration, too."""

BY_ADMINISTRATORS = {*ADMINISTRATION.values(), "administration.changed", "audit.downloaded"}


def action_of(route: str, method: str) -> str:
    """The action to record for a request that succeeded; "" for none."""
    if method in {"GET", "HEAD"}:
        return VIEWS.get(route, "")
    if route.startswith("admin:"):
        signing = {"admin:login": "account.signed_in", "admin:logout": "account.signed_out"}
        return signing.get(route, "administration.changed")
    return CHANGES.get((route, method)) or ADMINISTRATION.get((route, method), "")
