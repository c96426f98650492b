package io.knack.contracts;

import java.util.List;

/** The one definition of what the problem of a conversation is. */
public final class Problems {
  private Problems() {}

  /** The content of the last user turn, or an empty string. */
  public static String of(List<Message> messages) {
    for (int i = messages.size() - 1; i >= 0; i--) {
      if (messages.get(i).role() == Role.USER) {
        return messages.get(i).content();
      }
    }
    return "";
  }
}
