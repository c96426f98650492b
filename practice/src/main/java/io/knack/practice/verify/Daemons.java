package io.knack.practice.verify;

import java.util.concurrent.ThreadFactory;

/** Threads that never keep a process alive. */
final class Daemons {
  private Daemons() {}

  static ThreadFactory named(String name) {
    return work -> {
      Thread thread = new Thread(work, name);
      thread.setDaemon(true);
      return thread;
    };
  }
}
