"""Settings of the API, which settings.py takes over."""

from corsheaders.defaults import default_headers

from fer_site.environment import env_int, env_list

# Other sites whose pages may call the API with a key; cookies are not sent along.
CORS_ALLOWED_ORIGINS = env_list("MIEN_CORS_ORIGINS")
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = [*default_headers, "content-disposition", "idempotency-key", "prefer"]
CORS_EXPOSE_HEADERS = [
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
]

# Private networks that webhooks may call, such as 10.0.0.0/8.
WEBHOOK_NETWORKS = env_list("MIEN_WEBHOOK_NETWORKS")
API_REQUESTS_PER_MINUTE = env_int("MIEN_API_REQUESTS_PER_MINUTE", 3000)  # per person or key

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "recognition.api.access.KeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "recognition.api.access.HasScope",
    ],
    "DEFAULT_METADATA_CLASS": "recognition.api.options.AllowedMethods",
    "DEFAULT_THROTTLE_CLASSES": ["recognition.api.access.RequestRate"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    # A request may hold a lone surrogate ("\ud800"), which a response can only contain escaped.
    "UNICODE_JSON": False,
    "EXCEPTION_HANDLER": "recognition.api.handler.handle",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Mien",
    "VERSION": "1.0.0",
    "DESCRIPTION": "Reads the expressions that faces in photos show. Errors are problem documents "
    "(RFC 9457) with a stable `code`. Sign in with a key (`Authorization: Bearer mien_…`).",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {"FacesEnum": "recognition.models.analyses.FACE_MODE_CHOICES"},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "recognition.api.description.add_problems",
    ],
}
