"""Prints the path of a Python that has MLflow: $KNACK_MLFLOW_PYTHON, or a virtual environment made here.

Usage: python3 mlflow_python.py DIRECTORY   (the environment goes to DIRECTORY/mlflow-venv)
"""

import os
import subprocess
import sys
import venv
from pathlib import Path

MLFLOW = "mlflow==3.17.2"


def main():
    given = os.environ.get("KNACK_MLFLOW_PYTHON")
    if given:
        print(given)
        return
    home = Path(sys.argv[1]) / "mlflow-venv"
    python = home / "bin" / "python"
    ready = home / "ready"
    if not ready.exists():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", MLFLOW], check=True, stdout=sys.stderr)
        ready.write_text(MLFLOW)
    print(python)


if __name__ == "__main__":
    main()
