package io.knack.tracking;

/** What becomes of a spool while it is written. */
interface Forwarding extends AutoCloseable {
  /** There is something new; returns at once. */
  void wake();

  /** Events not sent yet, those of earlier processes included. */
  long pending();

  /**
   * Bounded by the plan's {@code closing}; called after the last event and before the spool's
   * close.
   */
  void drain();

  /** Called after the spool's close. */
  @Override
  void close();

  Forwarding NONE =
      new Forwarding() {
        @Override
        public void wake() {}

        @Override
        public long pending() {
          return 0;
        }

        @Override
        public void drain() {}

        @Override
        public void close() {}
      };
}
