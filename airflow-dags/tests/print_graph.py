"""Loads the DAG with a real Airflow and prints what it is, as JSON, for the test that compares."""

import json
import sys
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag

folder = Path(__file__).resolve().parent.parent
bag = DagBag(dag_folder=str(folder / "consolidation_dag.py"))
if bag.import_errors:
    sys.exit(f"import errors: {bag.import_errors}")
dag = bag.dags["knack_consolidation"]
print(
    json.dumps(
        {
            "edges": sorted(
                [upstream, task.task_id]
                for task in dag.tasks
                for upstream in task.upstream_task_ids
            ),
            "stages": sorted(task.task_id for task in dag.tasks),
            "operators": {task.task_id: type(task).__name__ for task in dag.tasks},
            "rules": {task.task_id: task.trigger_rule.value for task in dag.tasks},
        }
    )
)
