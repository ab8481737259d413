"""What a cluster needs once before its first run, and after every update: database, bucket, login, pool, connection.

`docker compose up` runs it as the service `init`; running it again changes nothing that is there.
"""

from __future__ import annotations

import base64
import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

STORE = "store"  # the connection's name
AT_HOME = "us-east-1"  # the one region that S3 does not want to be told


def read_store(environment: Mapping[str, str]) -> dict[str, object]:
    """The connection to the store. Raises SystemExit naming the secret of .env that does not stand where it is put.

    docker-compose.yaml writes them into an address and into JSON, and Compose has no way to quote them there.
    """
    address = re.search(r"://[^:]+:(.*)@", environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"])
    if address and not re.fullmatch(r"[\w.~-]*", address[1], re.ASCII):
        raise SystemExit(_UNFIT.format("POSTGRES_PASSWORD") + " Then: docker compose down --volumes, for the database")
    text = environment["AIRFLOW_CONN_STORE"]
    try:
        found: dict[str, object] = json.loads(text)
    except ValueError:
        found = {}
    if "\\" in text or not found:
        raise SystemExit(_UNFIT.format("OBJECTS_KEY or OBJECTS_SECRET"))
    return found


_UNFIT = (
    "{} of .env holds a character that does not stand in an address or in JSON as it is. Take letters, digits and -_.~ "
    "alone, as `openssl rand -hex 32` prints them."
)


def require_fernet(keys: str) -> None:
    """Raise SystemExit unless each of the keys (several, while they are changed) is one: 32 bytes in base64.

    Airflow would say so with its first connection, in a traceback that does not name .env.
    """
    for key in keys.split(","):
        try:
            size = len(base64.urlsafe_b64decode(key.strip()))
        except ValueError:
            size = 0
        if size != 32:
            raise SystemExit(
                "AIRFLOW_FERNET_KEY of .env is no Fernet key, which is 32 bytes in base64: take what "
                "`openssl rand -base64 32 | tr +/ -_` prints"
            )


def require_folders(environment: Mapping[str, str]) -> None:
    """Raise SystemExit naming a folder of this machine that the containers' user may not read: a mount has the modes of
    its machine. Runs would say so late, and own recipes be missing from the form without a word.
    """
    for name in ("TRACEMILL_DATA", "TRACEMILL_RECIPES"):
        place = environment.get(name, "")
        if place and "://" not in place and not os.access(place, os.R_OK | os.X_OK):
            raise SystemExit(
                f"the folder that {name} of .env names cannot be read here, as {place} by user {os.getuid()}: "
                "chmod -R a+rX that folder (and a+x those above it); with SELinux also chcon -Rt container_file_t"
            )


def make_bucket(connection: Mapping[str, object], url: str) -> None:
    """Make the bucket of an s3:// URL if there is none. Raises OSError with the server's words."""
    import s3fs

    from tracemill.engine.connections import s3_options

    bucket = url.removeprefix("s3://").rpartition("@")[2].partition("/")[0]
    options = s3_options(connection)
    fs = s3fs.S3FileSystem(**options)
    region = options.get("client_kwargs", {}).get("region_name", AT_HOME)
    if not fs.exists(bucket):
        where = {} if region == AT_HOME else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        fs.call_s3("create_bucket", Bucket=bucket, **where)


def airflow(*arguments: str) -> None:
    """Run one `airflow` command in this process: a process of its own would pay Airflow's imports each time, and show
    what it was given to everybody.
    """
    from airflow.cli import cli_parser

    parsed = cli_parser.get_parser().parse_args(list(arguments))
    parsed.func(parsed)


def main() -> None:
    """Prepare everything. Needs ADMIN_PASSWORD, AIRFLOW_CONN_STORE, TRACEMILL_STORE and the database's address in the
    environment.
    """
    require_fernet(os.environ["AIRFLOW__CORE__FERNET_KEY"])
    connection = read_store(os.environ)
    require_folders(os.environ)
    make_bucket(connection, os.environ["TRACEMILL_STORE"])
    airflow("db", "migrate")
    airflow("pools", "set", "gpu", "1", "one model server at a time")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "connections.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps({STORE: connection}))
        airflow("connections", "import", str(file), "--overwrite")
    person = ("--firstname", "Trace", "--lastname", "Mill", "--email", "admin@example.org")
    airflow(
        "users", "create", "--username", "admin", "--role", "Admin", *person, "--password", os.environ["ADMIN_PASSWORD"]
    )


if __name__ == "__main__":
    main()
