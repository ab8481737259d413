"""The secrets that docker-compose.yaml asks for, each with a value that is found wherever it gets to."""

from __future__ import annotations

SECRETS = ("AIRFLOW_FERNET_KEY", "AIRFLOW_SECRET_KEY", "AIRFLOW_JWT_SECRET", "POSTGRES_PASSWORD", "OBJECTS_KEY")
SECRETS += ("OBJECTS_SECRET", "ADMIN_PASSWORD")
SECRET_VALUES = {name: f"the-word-of-{name.lower()}" for name in SECRETS}
