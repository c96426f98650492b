package io.knack.sandbox.world;

import java.util.List;

/**
 * Problems of one structure under one policy that customers keep asking.
 *
 * @param policy empty for plain arithmetic
 * @param firstDay on which it is asked first, from 1
 * @param lastDay on which it is asked last
 * @param rank in popularity, from 1
 * @param users who ask it, at least five
 * @param core the questions that come again word for word
 */
public record Family(
    String id,
    String tenant,
    String policy,
    Kind kind,
    Structure structure,
    int firstDay,
    int lastDay,
    int rank,
    List<String> users,
    List<Problem> core) {
  public Family {
    users = List.copyOf(users);
    core = List.copyOf(core);
  }

  boolean active(int day) {
    return day >= firstDay && day <= lastDay;
  }
}
