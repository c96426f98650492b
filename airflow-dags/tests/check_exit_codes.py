"""Runs the DAG's operators against a launcher that ends as told: exit codes become outcomes."""

import os
import stat
import sys
import tempfile
from pathlib import Path

folder = Path(__file__).resolve().parent.parent
root = Path(tempfile.mkdtemp())
(root / "config").mkdir()
(root / "config" / "graph.yaml").write_text((folder.parent / "config" / "graph.yaml").read_text())
launcher = root / "knack"
launcher.write_text(
    """#!/usr/bin/env bash
if [ "$1" = night ]; then
  printf '{"stages": [{"name": "mine", "arguments": ["mine", "--run", "%s"]}], "environment": {"MLFLOW_TRACKING_URI": "http://t"}}' "$9"
  exit 0
fi
echo "arguments: $* $MLFLOW_TRACKING_URI"
exit "$KNACK_TEST_CODE"
"""
)
launcher.chmod(launcher.stat().st_mode | stat.S_IEXEC)
os.environ["KNACK_ROOT"] = str(root)
sys.path.insert(0, str(folder))

import consolidation_dag as night  # noqa: E402
from airflow.sdk.exceptions import (  # noqa: E402
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
)

task = night.dag.get_task("mine")
task.run = "airflow-manual__2026-03-01T00:00:00+00:00"
os.environ["KNACK_TEST_CODE"] = "0"
last = task.execute({})
expected = "mine --run airflow-manual__2026-03-01T00-00-00-00-00 http://t"
assert expected in last, f"the stage's own command line and variables, found: {last}"

for code, expected in [
    ("99", AirflowSkipException),
    ("75", AirflowException),
    ("65", AirflowFailException),
    ("2", AirflowFailException),
    ("70", AirflowFailException),
]:
    os.environ["KNACK_TEST_CODE"] = code
    try:
        task.execute({})
    except AirflowException as outcome:
        assert type(outcome) is expected, f"{code}: {type(outcome)}"
    else:
        raise AssertionError(f"{code} passed")

try:
    night.dag.get_task("train").execute({})
except AirflowSkipException as outcome:
    assert "leaves train out" in str(outcome)
else:
    raise AssertionError("a stage that the plan leaves out ran")
print("6 passed, 0 failed")
