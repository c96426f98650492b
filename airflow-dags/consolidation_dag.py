"""The night for Airflow 3: the graph of config/graph.yaml, one task a stage.

Set in the environment of the scheduler and the workers:

  KNACK_ROOT        the project's root, where ./knack is (default: the directory above this file's)
  KNACK_HOME        the workspace (default: KNACK_ROOT/knack-home)
  KNACK_NIGHT_PLAN  the night's plan (default: config/night.yaml below KNACK_ROOT)
  KNACK_CRON        when (default: 30 1 * * *); "none" for runs by hand only
  KNACK_SPARK_CONN  an Airflow connection to Spark. With it import, mine and curate are submitted
                    through the Spark provider; without it they run in local mode like the rest

A stage that ends with 99 had nothing to hand on: the task is skipped, and so is what needs it. 75 is
temporary: the task is retried. Every other failure stops the night at once.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import yaml
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import DAG, BaseOperator, TriggerRule
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

ROOT = Path(os.environ.get("KNACK_ROOT", Path(__file__).resolve().parent.parent))
HOME = os.environ.get("KNACK_HOME", str(ROOT / "knack-home"))
PLAN = os.environ.get("KNACK_NIGHT_PLAN", str(ROOT / "config" / "night.yaml"))
CRON = os.environ.get("KNACK_CRON", "30 1 * * *")
SPARK_CONN = os.environ.get("KNACK_SPARK_CONN")
JOB_JAR = str(ROOT / "spark-jobs" / "target" / "knack-spark-jobs-job.jar")

NOTHING, TEMPORARY = 99, 75
RUN_ID = "airflow-{{ run_id }}"


def planned(stage: str, run: str) -> tuple[list[str], dict[str, str]]:
    """The stage's command line and variables, as './knack night' would have them: one place decides."""
    # A run id names a directory of the workspace; Airflow's own hold colons and plus signs.
    run = re.sub(r"[^A-Za-z0-9._-]", "-", run)
    forecast = subprocess.run(
        [str(ROOT / "knack"), "night", "--dry-run", "--json"]
        + ["--home", HOME, "--plan", PLAN, "--run", run],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    if forecast.returncode != 0:
        raise AirflowFailException(f"the night's plan is wrong: {forecast.stderr.strip()}")
    night = json.loads(forecast.stdout)
    for node in night["stages"]:
        if node["name"] == stage:
            return node["arguments"], night["environment"]
    raise AirflowSkipException(f"the night's plan leaves {stage} out")


def judge(stage: str, code: int) -> None:
    """Exit codes of the stage protocol as Airflow's outcomes."""
    if code == 0:
        return
    if code == NOTHING:
        raise AirflowSkipException(f"{stage} had nothing to hand on")
    if code == TEMPORARY:
        raise AirflowException(f"{stage} ended with 75: temporary, to be tried again")
    raise AirflowFailException(f"{stage} ended with {code}; its words are in the task's log")


class KnackStage(BaseOperator):
    """One stage as a process of its own, through the launcher."""

    template_fields = ("run",)

    def __init__(self, *, stage: str, run: str = RUN_ID, **kwargs):
        super().__init__(**kwargs)
        self.stage = stage
        self.run = run
        self._process: subprocess.Popen | None = None

    def execute(self, context):
        arguments, environment = planned(self.stage, self.run)
        self._process = subprocess.Popen(
            [str(ROOT / "knack"), *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        last = ""
        for line in self._process.stdout:
            last = line.rstrip()
            self.log.info(last)
        judge(self.stage, self._process.wait())
        return last

    def on_kill(self):
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)


class KnackSparkStage(SparkSubmitOperator):
    """One stage on a Spark cluster: the driver is the stage, its exit code the stage's."""

    template_fields = (*SparkSubmitOperator.template_fields, "run")

    def __init__(self, *, stage: str, run: str = RUN_ID, **kwargs):
        super().__init__(application=JOB_JAR, java_class="io.knack.spark.Main", **kwargs)
        self.stage = stage
        self.run = run

    def execute(self, context):
        self.application_args, environment = planned(self.stage, self.run)
        self.env_vars = {**(self.env_vars or {}), **environment}
        try:
            super().execute(context)
        except (AirflowSkipException, AirflowFailException):
            raise
        except AirflowException as problem:
            code = re.search(r"Error code is: (\d+)", str(problem))
            if code is None:
                raise
            judge(self.stage, int(code.group(1)))


def make_stage(node: dict) -> BaseOperator:
    rule = {
        "all": TriggerRule.ALL_SUCCESS,
        "any": TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
    }[node.get("join", "all")]
    common = {"task_id": node["name"], "stage": node["name"], "trigger_rule": rule}
    if node.get("engine") == "spark" and SPARK_CONN:
        return KnackSparkStage(conn_id=SPARK_CONN, name=f"knack-{node['name']}", **common)
    return KnackStage(**common)


with DAG(
    dag_id="knack_consolidation",
    description="Knack's night: from logs to a promotion",
    schedule=None if CRON == "none" else CRON,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,  # a missed night is made up for by the next one: it reads all that is new
    max_active_runs=1,
    default_args={
        "retries": 3,
        "retry_delay": timedelta(seconds=30),
        "retry_exponential_backoff": True,
    },
    tags=["knack"],
) as dag:
    stages: dict[str, BaseOperator] = {}
    for graph_node in yaml.safe_load((ROOT / "config" / "graph.yaml").read_text())["stages"]:
        task = make_stage(graph_node)
        stages[graph_node["name"]] = task
        for need in graph_node.get("needs", []):
            stages[need] >> task
