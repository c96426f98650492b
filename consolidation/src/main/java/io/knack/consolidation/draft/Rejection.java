package io.knack.consolidation.draft;

/** Why a reply or a draft was refused. */
public enum Rejection {
  /** Not in the form that was asked for. */
  UNPARSED,
  /** Longer than a rule may be. */
  TOO_LONG,
  /** Instructions to a model, role marks, tool calls, markup, template syntax, links. */
  INJECTION,
  /** A placeholder of the scrubber: what stood there is nobody's business. */
  PLACEHOLDER,
  /** A case word for word. */
  VERBATIM,
  /** A number that no evidence has. */
  UNSUPPORTED_NUMBER,
  /** A name or date that no evidence has. */
  UNSUPPORTED_NAME,
  /** The same rule was proposed before, tonight or earlier. */
  KNOWN,
  /** With it, validation problems did not get cheaper at the same pass rate. */
  NO_HELP,
  /** With it, problems of other clusters got worse. */
  HARMS_OTHERS
}
