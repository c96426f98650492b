"""Prints the state of each task of the DAG's latest run, a line each."""

from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from sqlalchemy import select

with create_session() as session:
    run = session.scalars(
        select(DagRun)
        .where(DagRun.dag_id == "knack_consolidation")
        .order_by(DagRun.id.desc())
        .limit(1)
    ).one()
    for task in sorted(run.get_task_instances(session=session), key=lambda task: task.task_id):
        print(task.task_id, task.state)
