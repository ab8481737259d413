"""tracemill's side of Airflow: operators and the local server. Only dags/ and this package import Airflow."""
