"""Every variable of the environment that tracemill reads, and its meaning: for `tracemill doctor` and the documents."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    """`meaning` is a sentence, `default` what holds where it is not set; the value of a `secret` one is never shown."""

    name: str
    meaning: str
    default: str = "not set"
    secret: bool = False


VARIABLES = (
    Variable("TRACEMILL_DATA", "The folder of data files, which recipes name as ${TRACEMILL_DATA}."),
    Variable("TRACEMILL_BENCHMARKS", "The folder of benchmark files, which recipes name as ${TRACEMILL_BENCHMARKS}."),
    Variable("TRACEMILL_MODELS", "The folder of models' weights, which recipes name as ${TRACEMILL_MODELS}."),
    Variable("TRACEMILL_RECIPES", "A folder or store prefix of your own recipes, by name and in the forms."),
    Variable("TRACEMILL_STORE", "Where Airflow keeps the stores: a path or an fsspec URL.", "var/store"),
    Variable("TRACEMILL_SAMPLES", "Where below a store paid answers are kept.", "samples"),
    Variable("TRACEMILL_CACHE", "The folder of what is dear to make again.", "~/.cache/tracemill"),
    Variable("TRACEMILL_ENDPOINTS", "Model servers that are up, as JSON; in Airflow connections do it.", secret=True),
    Variable("TRACEMILL_API_KEY", "The key that served models ask for and are asked with.", secret=True),
    Variable("TRACEMILL_SERVE_HOST", "The address that model servers listen on.", "127.0.0.1"),
    Variable("TRACEMILL_SERVE_AHEAD", "How many stages before the one that asks it a model server starts.", "0"),
    Variable("TRACEMILL_VLLM_PYTHON", "The python of vLLM's environment.", ".venv-vllm/bin/python"),
    Variable("TRACEMILL_TRAIN_PYTHON", "The python of the environment that trains.", ".venv-train/bin/python"),
    Variable("TRACEMILL_ON_FAILURE", "stop: a task that fails for good ends its run; finish: others go on.", "stop"),
    Variable("TRACEMILL_RUN_TIMEOUT", "A run that takes longer fails: 90m, 36h, 2d."),
    Variable("TRACEMILL_RUN_DEADLINE", "A run that takes longer is reported, and goes on."),
    Variable("TRACEMILL_TASK_TIMEOUT", "A task of a stage that works longer fails."),
    Variable("TRACEMILL_NOTIFY", "Ids of Airflow connections that are told how runs end."),
    Variable("TRACEMILL_REFRESH_CRON", "When the DAG `refresh` looks for new rows.", "0 3 * * *"),
    Variable("TRACEMILL_REFRESH_RECIPE", "The recipe that the DAG `refresh` keeps fresh."),
    Variable("HF_HUB_OFFLINE", "1: nothing is asked of the Hub; what is in its cache is used."),
    Variable("HF_HUB_CACHE", "The folder of what was fetched from the Hub.", "~/.cache/huggingface/hub"),
    Variable("HF_ENDPOINT", "Another address of the Hub, such as a mirror's.", "https://huggingface.co"),
    Variable("HF_TOKEN", "The Hub's key, for data sets and models that need one.", secret=True),
    Variable("DOCKER_HOST", "The Docker engine of the sandbox's second backend.", "unix:///var/run/docker.sock"),
)
CONNECTION = "AIRFLOW_CONN_"  # and a name: a connection to a store, a model or whoever is told
