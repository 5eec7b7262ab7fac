"""All settings of Mien: those of the API come from api.py, those of accounts from security.py.

Only they, environment.py, object_storage.py and observability.py read the environment.
"""

import socket
from pathlib import Path

import dj_database_url
from django.conf import global_settings
from django.core.exceptions import ImproperlyConfigured

from fer_site.api import *  # noqa: F403
from fer_site.environment import (
    env_bool,
    env_choice,
    env_int,
    env_list,
    env_text,
    private_folder,
    secret_key,
    share_metrics,
    socket_path,
)
from fer_site.object_storage import s3_options, s3_server
from fer_site.observability import guid_settings, logging_settings
from fer_site.security import *  # noqa: F403
from fer_site.security import CONTENT_SECURITY_POLICY, OIDC_ISSUER

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where things are -------------------------------------------------------------------------

HOST = env_text("HOST", "127.0.0.1")
PORT = env_int("PORT", 8000)
# Browsers share cookies between ports of a host: a second copy must not sign you out of the first.
SESSION_COOKIE_NAME = "sessionid" if PORT == 8000 else f"sessionid_{PORT}"
DATA_DIR = private_folder(
    Path(env_text("MIEN_DATA", str(BASE_DIR / "var"))).expanduser().absolute()
)

REDIS_SOCKET = None if env_text("REDIS_URL") else socket_path(DATA_DIR)
REDIS_URL = env_text("REDIS_URL", f"unix://{REDIS_SOCKET}")

# --- Django -----------------------------------------------------------------------------------

DEBUG = env_bool("MIEN_DEBUG", False)
SECRET_KEY = secret_key(DATA_DIR)
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *env_list("MIEN_ALLOWED_HOSTS")]
ALLOWED_HOSTS.append(socket.gethostname() if HOST in {"0.0.0.0", "::"} else HOST)
CSRF_TRUSTED_ORIGINS = env_list("MIEN_CSRF_TRUSTED_ORIGINS")

# Which process this is. Each loads only what it needs: a worker the models and the tasks of its
# rooms, but no pages, API or URLs; beat neither. Anything else loads all.
ROLE = env_text("MIEN_ROLE", "site")
EVERY_ROOM = [
    *(f"recognition.{room}" for room in ("photos", "videos", "live", "history")),
    *(f"recognition.{room}" for room in ("programs", "imports", "jobs", "accounts")),
    *(f"training.{room}" for room in ("runs", "datasets", "versions")),
]
TASK_ROOMS = {
    "beat": [],
    "frames": ["recognition.live"],
    "videos": ["recognition.videos"],
    "exports": ["recognition.history", "recognition.programs", "recognition.imports"],
    "training": ["training.runs", "training.versions"],
}.get(ROLE, EVERY_ROOM)
MODELS = ["recognition", "training", "django.contrib.auth", "django.contrib.contenttypes"]
PAGES = [
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",  # its tables are there without single sign-on, too
    *(["allauth.socialaccount.providers.openid_connect"] if OIDC_ISSUER else []),
    "channels",
    "corsheaders",
    "csp",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "fer_site.apps.AdministrationConfig",  # last: finds the admin pages of all the others
]
INSTALLED_APPS = {
    "beat": [],
    **dict.fromkeys(["frames", "analyses", "videos", "exports", "training"], MODELS),
}.get(ROLE, [*MODELS, *PAGES])

MIDDLEWARE = [
    "recognition.api.addresses.LastSlashMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "fer_site.headers.PolicyHeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "recognition.accounts.first_visit.FirstVisitMiddleware",
    "recognition.audit.middleware.AuditMiddleware",
    "fer_site.outages.OutageMiddleware",
]

# --- What operators see: logs, metrics, traces -------------------------------------------------

LOG_FORMAT = env_choice("MIEN_LOG_FORMAT", ("plain", "json"))
LOGGING = logging_settings(LOG_FORMAT)
if LOG_FORMAT == "json" and INSTALLED_APPS:
    DJANGO_GUID = guid_settings()
    INSTALLED_APPS = [*INSTALLED_APPS, "django_guid"]
    MIDDLEWARE = ["django_guid.middleware.guid_middleware", *MIDDLEWARE]

METRICS_TOKEN = env_text("MIEN_METRICS_TOKEN")  # who sends it may read /metrics; "": nobody
METRICS_PORT = env_int("MIEN_METRICS_PORT", 0)  # of a worker on another host; 0: none
METRICS_DIR = Path(env_text("MIEN_METRICS_DIR", str(DATA_DIR / "metrics")))
if METRICS_TOKEN or METRICS_PORT:
    share_metrics(METRICS_DIR)
    MIDDLEWARE = [
        "django_prometheus.middleware.PrometheusBeforeMiddleware",
        *MIDDLEWARE,
        "django_prometheus.middleware.PrometheusAfterMiddleware",
    ]
OTLP_ENDPOINT = env_text("MIEN_OTLP_ENDPOINT")  # a collector that gets traces; "": none
MIN_FREE_BYTES = env_int("MIEN_MIN_FREE_MB", 500) * 1024 * 1024  # less: the site isn't ready

ROOT_URLCONF = "fer_site.urls"
ASGI_APPLICATION = "fer_site.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "recognition.accounts.rules.open_signup",
                "recognition.accounts.single_sign_on.offered",
            ],
        },
    },
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Database ---------------------------------------------------------------------------------

if env_text("DATABASE_URL"):
    DATABASES = {"default": dj_database_url.parse(env_text("DATABASE_URL"))}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(DATA_DIR / "mien.sqlite3"),
            "TEST": {"NAME": DATA_DIR / "test.sqlite3"},  # a file, shared with real workers
            "OPTIONS": {
                # A transaction takes the write lock when it begins: one that read first and
                # wrote later would fail at once while another process writes.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    }
# Under ASGI each request runs in a new thread, so a kept connection would never be reused.
DATABASES["default"]["CONN_MAX_AGE"] = 0

# --- Files ------------------------------------------------------------------------------------

MEDIA_ROOT = DATA_DIR / "media"  # never served directly, only after a permission check
UPLOADS_DIR = private_folder(DATA_DIR / "uploads")  # files that arrive in pieces
INCOMING_DIR = private_folder(DATA_DIR / "incoming")  # request bodies while they stream in
FILE_UPLOAD_TEMP_DIR = INCOMING_DIR  # and not /tmp, which is memory in containers
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
FILE_UPLOAD_HANDLERS = ["recognition.photos.uploads.LimitedUploadHandler"]
DATA_UPLOAD_MAX_NUMBER_FILES = 500
# Who sends private files: the web process, "nginx" (X-Accel-Redirect), or "redirect", the object
# storage itself at an address that is good for a minute.
SENDFILE = env_choice("MIEN_SENDFILE", ("", "nginx", "redirect"))

STATIC_URL = "static/"
STATIC_ROOT = Path(env_text("MIEN_STATIC", str(DATA_DIR / "static")))
STATICFILES_DIRS = [
    BASE_DIR / "static",
    *(
        (f"vendor/{name}", folder)
        for name, folder in (
            ("bootstrap", BASE_DIR / "node_modules/bootstrap/dist"),
            ("chart.js", BASE_DIR / "node_modules/chart.js/dist"),
            ("tus", BASE_DIR / "node_modules/tus-js-client/dist"),
            ("uplot", BASE_DIR / "node_modules/uplot/dist"),
        )
        if folder.is_dir()  # absent in images, whose static files were collected at build time
    ),
]
S3_SERVER = s3_server()
STATICFILES_FINDERS = [*global_settings.STATICFILES_FINDERS, "fer_site.static.RuntimeFinder"]
S3 = s3_options()  # of object storage; empty without any
if S3 and SENDFILE == "redirect":
    for kind in ("img-src", "media-src", "connect-src"):
        CONTENT_SECURITY_POLICY["DIRECTIVES"][kind].append(S3["endpoint_url"])
MEDIA_CACHE_DIR = DATA_DIR / "cache" / "media"  # of files from object storage
MEDIA_CACHE_BYTES = env_int("MIEN_MEDIA_CACHE_MB", 8192) * 1024 * 1024
STORAGES = {
    "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": S3}
    if S3
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "fer_site.static.HashedStaticFilesStorage",
        # Not private like uploads: in images the static files belong to root, and Mien runs as
        # another user.
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},
    },
}

# --- Redis: queues, events, cache -------------------------------------------------------------

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        # A separate database: clearing the cache must not empty the queues.
        "LOCATION": f"{REDIS_URL}{'&' if '?' in REDIS_URL else '?'}db=1",
        "KEY_PREFIX": "mien",
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # The layer waits 5 s in a blocking pop. A socket timeout of the same length (redis-py's
        # default) would disconnect idle sockets.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": 15}], "prefix": "mien"},
    }
}

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,  # leases and the sweeper retry lost work long before this
    "socket_keepalive": True,
    "health_check_interval": 10,
    "global_keyprefix": "mien:",
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# An upload must not wait for a broker that is down: the row exists, and the sweeper sends it.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
# What workers report about their tasks.
CELERY_IMPORTS = ["recognition.jobs.workers"] if ROLE != "beat" else []
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_DEFAULT_QUEUE = "maintenance"
CELERY_TASK_ROUTES = {
    "recognition.tasks.analyze": {"queue": "analyses"},
    "recognition.tasks.analyze_frame": {"queue": "frames"},
    "recognition.tasks.prepare_video": {"queue": "videos"},
    "recognition.tasks.carry_out_part": {"queue": "videos"},
    "recognition.tasks.annotate_video": {"queue": "videos"},
    "recognition.tasks.export": {"queue": "exports"},
    "recognition.tasks.import_media": {"queue": "exports"},
    "recognition.tasks.deliver": {"queue": "webhooks"},
    "training.tasks.train": {"queue": "training"},
    "training.tasks.import_weights": {"queue": "training"},
    "training.tasks.measure_speed": {"queue": "training"},
}
QUEUES = sorted(
    {route["queue"] for route in CELERY_TASK_ROUTES.values()} | {CELERY_TASK_DEFAULT_QUEUE}
)
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BEAT_SCHEDULE = {
    "requeue-stale-jobs": {
        "task": "recognition.tasks.requeue_stale",
        "schedule": 5,
        "options": {"expires": 5},  # missed sweeps must not pile up
    },
    "deliver-webhooks": {
        "task": "recognition.tasks.deliver_due",
        "schedule": 5,
        "options": {"expires": 5},
    },
    "forget-what-is-old": {
        "task": "recognition.tasks.forget_old",
        "schedule": 24 * 3600,
        "options": {"expires": 3600},
    },
    "finish-abandoned-recordings": {
        "task": "recognition.tasks.finish_recordings",
        "schedule": 20,
        "options": {"expires": 20},
    },
    "delete-what-has-become-old": {
        "task": "recognition.tasks.delete_expired",
        "schedule": 6 * 3600,
        "options": {"expires": 3600},
    },
    "erase-closed-accounts": {
        "task": "recognition.tasks.erase_closed_accounts",
        "schedule": 60,
        "options": {"expires": 60},
    },
    "delete-old-uploads": {
        "task": "recognition.tasks.delete_old_uploads",
        "schedule": 3600,
        "options": {"expires": 3600},
    },
    "delete-old-exports": {
        "task": "recognition.tasks.delete_old_exports",
        "schedule": 3600,
        "options": {"expires": 3600},
    },
    "finish-interrupted-sessions": {
        "task": "recognition.live.tasks.finish_interrupted",
        "schedule": 5,
        "options": {"expires": 5},
    },
    "delete-leftovers-of-trainings": {
        "task": "training.tasks.delete_leftovers",
        "schedule": 3600,
        "options": {"expires": 3600},
    },
    "delete-orphaned-files": {
        "task": "recognition.tasks.delete_orphaned_files",
        "schedule": 3600,
        "options": {"expires": 3600},
    },
}

# --- Recognition ------------------------------------------------------------------------------

MAX_UPLOAD_BYTES = env_int("MIEN_MAX_UPLOAD_MB", 25) * 1024 * 1024  # one file
MAX_REQUEST_BYTES = env_int("MIEN_MAX_REQUEST_MB", 200) * 1024 * 1024  # all of a request
MAX_PIXELS = env_int("MIEN_MAX_PIXELS", 64_000_000)  # a worker needs about 14 bytes for each one
MAX_JPEG_PIXELS = env_int("MIEN_MAX_JPEG_PIXELS", 210_000_000)  # whose decoder can skip pixels
STORED_SIDE = env_int("MIEN_STORED_SIDE", 4096)  # longest side of the photo that is kept
MIN_FACE = env_int("MIEN_MIN_FACE", 0)  # pixels, in a picture scaled to MAX_SIDE; 0: by detector
MAX_SIDE = env_int("MIEN_MAX_SIDE", 1280)
DETECTOR = env_choice("MIEN_DETECTOR", ("balanced", "fast", "thorough"))  # unless a photo asks
MESH = env_text("MIEN_MESH", "on")  # on, off, or the width in pixels of faces that get one
if MESH not in {"on", "off"} and not MESH.isdecimal():
    raise ImproperlyConfigured(f"MIEN_MESH must be on, off or a number of pixels, not {MESH!r}.")
GAZE = env_choice("MIEN_GAZE", ("photos", "all", "off"))  # where irises are read, too
PRECISION = env_choice("MIEN_PRECISION", ("auto", "float32", "int8"))  # of the classifier
# Only what is in here can be imported through the API.
IMPORTS_DIR = Path(env_text("MIEN_IMPORTS", str(DATA_DIR / "imports"))).expanduser().absolute()
IMPORT_BUCKETS = env_list("MIEN_IMPORT_BUCKETS")  # and of the S3 server: bucket, bucket/folder
RETENTION_DAYS = env_int("MIEN_RETENTION_DAYS", 0)  # then entries are deleted; 0: never
AUDIT_DAYS = env_int("MIEN_AUDIT_DAYS", 365)  # then the audit log is deleted; 0: never
LEASE_SECONDS = env_int("MIEN_LEASE_SECONDS", 15)
ANALYSIS_SECONDS = env_int("MIEN_ANALYSIS_SECONDS", 60)  # limit for one photo
# The address space of a process that decodes photos; most need a tenth of it.
PHOTO_MEMORY_BYTES = env_int("MIEN_PHOTO_MEMORY_MB", 2048) * 1024 * 1024
MAX_ATTEMPTS = 3
MAX_MODEL_BYTES = env_int("MIEN_MAX_MODEL_MB", 64) * 1024 * 1024  # an imported model file

# --- Videos ---------------------------------------------------------------------------------

MAX_VIDEO_BYTES = env_int("MIEN_MAX_VIDEO_MB", 4096) * 1024 * 1024  # one file
# The address space of a process that reads videos; it uses less than a tenth of it.
VIDEO_MEMORY_BYTES = env_int("MIEN_VIDEO_MEMORY_MB", 3072) * 1024 * 1024
VIDEO_SEGMENT_SAMPLES = 300  # frames that one worker reads: some seconds of work
VIDEO_SILENCE_SECONDS = 60  # then a reader is taken for hung

# --- Live -------------------------------------------------------------------------------------

LIVE_FRAME_BYTES = env_int("MIEN_LIVE_FRAME_KB", 512) * 1024
LIVE_FRAME_PIXELS = env_int("MIEN_LIVE_FRAME_PIXELS", 4_000_000)
LIVE_FRAMES_PER_SECOND = env_int("MIEN_LIVE_FRAMES_PER_SECOND", 90)  # per person, over all sockets
LIVE_SESSIONS_PER_USER = env_int("MIEN_LIVE_SESSIONS_PER_USER", 3)
LIVE_SESSIONS = env_int("MIEN_LIVE_SESSIONS", 20)  # on the whole site
LIVE_IDLE_SECONDS = env_int("MIEN_LIVE_IDLE_SECONDS", 120)
FRAME_SECONDS = 2  # limit for one frame

# --- Training ---------------------------------------------------------------------------------

# Only files in here can be used as data sets on the server.
DATASETS_DIR = Path(env_text("MIEN_DATASETS", str(DATA_DIR / "datasets"))).expanduser().absolute()
TRAINING_DIR = DATA_DIR / "training"  # uploaded data sets, and the checkpoints of runs
DATASET_CACHE = DATA_DIR / "cache" / "datasets"
MAX_DATASET_BYTES = env_int("MIEN_MAX_DATASET_MB", 1024) * 1024 * 1024  # one uploaded file
