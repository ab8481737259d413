"""tracemill's side of Airflow: operators, and the local server that `make demo` starts. Only dags/ and this import Airflow."""
