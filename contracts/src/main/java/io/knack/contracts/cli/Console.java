package io.knack.contracts.cli;

/**
 * What a person sees while work goes on. Standard error only: standard output belongs to results.
 */
public interface Console {
  /** One plain line. */
  void say(String line);

  /**
   * Long work: a bar with rate and time left on a terminal, a plain line now and then otherwise.
   *
   * @param total steps; negative when unknown
   */
  Progress progress(String what, long total);

  /** Close it when the work ends. */
  interface Progress extends AutoCloseable {
    void step(long count);

    /** A short word behind the bar, such as {@code loss 1.23}. */
    void note(String words);

    @Override
    void close();
  }

  /** Says nothing. */
  static Console silent() {
    return new Console() {
      @Override
      public void say(String line) {}

      @Override
      public Progress progress(String what, long total) {
        return new Progress() {
          @Override
          public void step(long count) {}

          @Override
          public void note(String words) {}

          @Override
          public void close() {}
        };
      }
    };
  }
}
