package io.knack.tracking;

/** How a run ended; the names are MLflow's. */
public enum RunStatus {
  FINISHED,
  FAILED,
  KILLED
}
