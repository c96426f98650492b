package io.knack.contracts;

/**
 * What an example may be used for. Each of the first three is later in time than the one before.
 */
public enum Split {
  TRAIN,
  VALIDATION,
  /** Sealed: gates one night, then released. */
  HOLDOUT,
  /** A fixed mixed set outside every cluster, never trained on. */
  ANCHOR
}
