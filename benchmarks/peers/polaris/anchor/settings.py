"""Settings of Django and of Polaris: what `startproject` gives and Polaris adds, or, lean, what a GET needs alone."""

import os

LEAN = bool(os.environ["BENCH_LEAN"])

SECRET_KEY = "k" * 50
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "polaris.urls"
WSGI_APPLICATION = "anchor.wsgi.application"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
_CORS = "corsheaders.middleware.CorsMiddleware"  # Polaris does not start without it
_APPS = ["corsheaders", "rest_framework", "polaris", "anchor.apps.AnchorConfig"]
if LEAN:
    INSTALLED_APPS = _APPS
    MIDDLEWARE = [_CORS]
    REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": [], "UNAUTHENTICATED_USER": None}
else:
    INSTALLED_APPS = [
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        *_APPS,
    ]
    MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        _CORS,
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["BENCH_BASE"],
        "CONN_MAX_AGE": 600,
        "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL"},
    }
}

POLARIS_ACTIVE_SEPS = ["sep-10", "sep-12"]
POLARIS_SIGNING_SEED = os.environ["BENCH_SEED"]
POLARIS_SERVER_JWT_KEY = "j" * 48
POLARIS_HOST_URL = os.environ["BENCH_URL"]
POLARIS_HORIZON_URI = os.environ["BENCH_HORIZON"]
POLARIS_LOCAL_MODE = True
