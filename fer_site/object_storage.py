"""The settings of object storage: any server that speaks S3, by MIEN_S3_*."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from fer_site.environment import env_text


def s3_server() -> dict[str, Any]:
    """The server, its keys, and how to talk to it; `config` are those of botocore's Config."""
    endpoint = env_text("MIEN_S3_ENDPOINT")
    if endpoint and not endpoint.startswith(("https://", "http://")):
        raise ImproperlyConfigured(
            f"MIEN_S3_ENDPOINT must be an address such as https://s3.example.org, not {endpoint!r}."
        )
    return {
        "endpoint_url": endpoint or None,
        "region_name": env_text("MIEN_S3_REGION", "us-east-1"),
        "access_key": env_text("MIEN_S3_ACCESS_KEY") or None,  # or as boto3 finds them
        "secret_key": env_text("MIEN_S3_SECRET_KEY") or None,
        "config": {
            "connect_timeout": 5,
            "read_timeout": 60,
            "retries": {"total_max_attempts": 4, "mode": "standard"},
            "s3": {"addressing_style": "path" if endpoint else "auto"},
            "signature_version": "s3v4",
            # Servers other than Amazon's may not know the newer checksums.
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
        },
    }


def s3_options() -> dict[str, Any]:
    """Options of django-storages' S3Storage; empty unless MIEN_S3_BUCKET is set."""
    if not env_text("MIEN_S3_BUCKET"):
        return {}
    from botocore.config import Config  # only those who have some need it

    server = s3_server()
    if not server["endpoint_url"] and env_text("MIEN_SENDFILE") == "redirect":
        raise ImproperlyConfigured("MIEN_SENDFILE=redirect needs MIEN_S3_ENDPOINT.")
    return {
        "bucket_name": env_text("MIEN_S3_BUCKET"),
        **{name: value for name, value in server.items() if name != "config"},
        "default_acl": None,
        "querystring_auth": True,
        "file_overwrite": False,  # an attempt that lost its lease must not replace a newer file
        "signature_version": "s3v4",
        "max_memory_size": 16 * 1024**2,  # of a file that is open; 0, the default, is all of it
        "client_config": Config(**server["config"]),
    }
