"""Settings, in the order a reader asks. Only `config.environment` reads the environment."""

from datetime import timedelta

from config.environment import BASE_DIR, STATE_DIR, database, flag, integer, optional, required, words

# Who may talk to us
SECRET_KEY = required("SECRET_KEY")  # no default in code: the stack keeps one in its state folder
SECRET_KEY_FALLBACKS = words("SECRET_KEY_FALLBACKS")  # earlier keys
SIGNING_KEY = optional("SIGNING_KEY")  # base64 of the 32 bytes that sign journeys; the stack keeps one, too
DEBUG = False
ALLOWED_HOSTS = words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS")
PROXY_HOPS = integer("PROXY_HOPS", 0)  # trusted proxies in front, each of which adds to X-Forwarded-For

# What runs
INSTALLED_APPS = [
    "config",
    "review",
    "attribution",
    "reconciliation",
    "ingestion",
    "config.admin_app.TieoutAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "template_partials",
    "import_export",
    "django_celery_beat",
    "axes",
    "pgtrigger",
    "pghistory",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "review.middleware.known_methods",
    "review.middleware.traced",
    "review.sessions.limited",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "review.middleware.no_store",
    "review.middleware.legible",
    "review.middleware.bounded",
    "review.middleware.sign_in_whole",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
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
                "review.navigation.navigation",
            ],
        },
    }
]

# Where data lives
DATABASES = {
    # A worker that hangs inside a transaction must not hold its locks for ever: PostgreSQL ends the session
    "default": database(
        required("DATABASE_URL"),
        idle_seconds=integer("IDLE_TRANSACTION_SECONDS", 60),
        keeps_statements=flag("KEEP_STATEMENTS", default=True),  # 0 behind a pooler that hands sessions on with theirs
    )
    | {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True, "TEST": {"NAME": optional("TEST_DATABASE_NAME") or None}}
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = required("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL.rsplit("/", 1)[0] + "/1",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},  # a page never waits for a lost cache
    }
}
LAKE_DIR = optional("LAKE_DIR", str(STATE_DIR / "lake"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": LAKE_DIR}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
STATIC_URL = "static/"
STATIC_ROOT = STATE_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
UPLOAD_BYTES = integer("UPLOAD_BYTES", 2 << 30)  # of a file that a page or the API takes

# The engine
ENGINE_THREADS = integer("ENGINE_THREADS", 2)
ENGINE_MEMORY = optional("ENGINE_MEMORY", "900MB")  # DuckDB spills beyond it
RANGE_PAIRS = integer("RANGE_PAIRS", 1_000_000)  # pairs that one range of a run holds at most

# Work
STEP_LEASE = timedelta(seconds=integer("STEP_LEASE_SECONDS", 45))  # silence before a step may be claimed again
STEP_ATTEMPTS = 5
WORKER_NICENESS = integer("WORKER_NICENESS", 10)  # how far workers give way to the web beside them
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 900, "unacked_restore_throttle": 1, "socket_timeout": 5}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_SOFT_TIME_LIMIT = 540
CELERY_TASK_DEFAULT_QUEUE = "ingest"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "config.tasks.sweep", "schedule": 30.0},
    "seal": {"task": "config.tasks.seal_pushes", "schedule": 15.0},
    "pull": {"task": "config.tasks.pull_sources", "schedule": 60.0},
    "schedules": {"task": "config.tasks.watch_schedules", "schedule": 30.0},
    "gates": {"task": "config.tasks.watch_gates", "schedule": 300.0},
    "figures": {"task": "config.tasks.refresh_dashboards", "schedule": 30.0},
    "deadlines": {"task": "config.tasks.watch_deadlines", "schedule": 30.0},
    "holds": {"task": "config.tasks.return_held", "schedule": 60.0},
    "training": {"task": "config.tasks.watch_training", "schedule": 60.0},
    "audit": {"task": "config.tasks.watch_audit", "schedule": 3600.0},
    "exports": {"task": "config.tasks.forget_exports", "schedule": 3600.0},
    "retention": {"task": "config.tasks.forget_raw_bytes", "schedule": 86_400.0},
    "tidy": {"task": "config.tasks.tidy_lake", "schedule": 86_400.0},
}

# Exports
EXPORT_ROWS = integer("EXPORT_ROWS", 1_000_000)  # lines that one asked for in a page or by the API has at most
EXPORT_LIFE = timedelta(days=integer("EXPORT_DAYS", 7))  # then its file is removed; who had what stays

# Where sources may be pulled from
DROP_FOLDERS = words("DROP_FOLDERS", str(STATE_DIR / "drop"))  # local drops outside of these are refused
OUTBOUND_HOSTS = words("OUTBOUND_HOSTS")  # hosts that a definition may name; none by default

# Who is told of alerts
PUBLIC_URL = optional("PUBLIC_URL", optional("TIEOUT_URL"))  # the address in messages
MAIL_FOLDER = optional("MAIL_FOLDER")  # mails are written there and not sent, as in the demo
EMAIL_BACKEND = f"django.core.mail.backends.{'filebased' if MAIL_FOLDER else 'smtp'}.EmailBackend"
EMAIL_FILE_PATH = MAIL_FOLDER or None
EMAIL_HOST = optional("EMAIL_HOST", "localhost")
EMAIL_PORT = integer("EMAIL_PORT", 25)
EMAIL_HOST_USER = optional("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = optional("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = flag("EMAIL_USE_TLS", default=False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = optional("DEFAULT_FROM_EMAIL", "tieout@localhost")

DIGEST_HOUR = integer("DIGEST_HOUR", 6)  # UTC; persons' digests of alerts are written from then on

# The audit log
AUDIT_ANCHORS = optional("AUDIT_ANCHORS", str(STATE_DIR / "audit-anchors"))  # a file outside of the database

# The demo
DEMO_PASSWORD = optional("DEMO_PASSWORD", "tieout-demo")

# Time and words
TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"
USE_I18N = False
FORMAT_MODULE_PATH = "config.formats"  # dates as the pages write them

# Sign-in, cookies, headers
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "config.rights.RightsBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "CommonPasswordValidator", "NumericPasswordValidator")
] + [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "config.passwords.Recorded"},
]
SESSION_COOKIE_AGE = integer("SESSION_HOURS", 10) * 3600  # from the sign-in on, whatever is done
SESSION_IDLE = integer("SESSION_IDLE_MINUTES", 30) * 60  # without anything that a person did
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
BEHIND_TLS = flag("SECURE_COOKIES", default=False)  # 1 behind TLS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SECURE_HSTS_SECONDS = 365 * 86_400 if BEHIND_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False  # others may live there
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS and PROXY_HOPS else None
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SILENCED_SYSTEM_CHECKS = [
    "security.W005", "security.W021",  # other hosts of the domain are not ours to bind, nor to preload
    "security.W008",  # the proxy that ends TLS redirects; health checks come to us without it
]  # fmt: skip
# What a scraper sends as `Authorization: Bearer`; empty: only people read them
METRICS_TOKEN = optional("METRICS_TOKEN")
AXES_FAILURE_LIMIT = integer("SIGN_IN_FAILURES", 5)
ADDRESS_FAILURES = integer("ADDRESS_FAILURES", 50)  # from one address, whatever the names; an office may share one
AXES_HANDLER = "review.guessing.Handler"
AXES_COOLOFF_TIME = timedelta(minutes=integer("LOCK_MINUTES", 15))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # a stranger elsewhere locks nobody out
AXES_CLIENT_IP_CALLABLE = "review.addresses.attempt_address"
AXES_LOCKOUT_CALLABLE = "review.pages.locked.locked"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # who goes on trying does not hold the owner out
AXES_DISABLE_ACCESS_LOG = True  # the audit log has the sign-ins
AXES_ENABLE_ADMIN = False  # config/admin/locks.py
AXES_VERBOSE = False
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # Tabler's form glyphs are data: images in its style sheet
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# REST
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "review.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["review.api.parsing.ExactJson", "rest_framework.parsers.MultiPartParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.CursorPagination",
    "PAGE_SIZE": 50,
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tieout",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "review.api.document.name_refusals",
    ],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],  # it names every address
    "ENUM_NAME_OVERRIDES": {
        "ModelAction": "review.api.models.VERBS",
        "ModelState": "attribution.models.ModelVersion.State",
        "ChampionVerb": "attribution.models.ChampionChange.Verb",
        "RunState": "reconciliation.models.Run.State",
        "BreakState": "reconciliation.models.Break.State",
        "MemberState": "reconciliation.models.Member.State",
        "BreakKind": "reconciliation.models.Break.Kind",
        "DifferenceKind": "reconciliation.models.Difference.Kind",
        "DecisionAction": "review.models.Decision.Action",
        "BulkAction": "review.models.BulkDecision.Action",
        "BulkAnswerAction": "review.models.BulkAnswer.Action",
        "WorkState": "ingestion.models.ClaimedWork.State",
        "IncidentState": "review.models.Incident.State",
        "BulkRowState": "review.models.BulkRow.State",
        "RepairAction": "ingestion.models.Repair.Action",
        "AnswerAction": "review.api.quarantine.ACTIONS",
        "ProposalAction": "review.api.proposals.VERBS",
        "ProposalState": "ingestion.models.MappingProposal.State",
    },
}

# Imports and exports in the admin: each is a right of its own, given by role
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "import"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"

# Logs: no raw rows, one line an event
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "config.logs.OneLine", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"tieout.audit": {"level": "INFO"}},  # anchors
    "root": {"handlers": ["console"], "level": optional("LOG_LEVEL", "WARNING")},
}
