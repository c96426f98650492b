package io.knack.spark.imports.format;

import io.knack.contracts.Attempt;
import io.knack.contracts.Budget;
import io.knack.contracts.Message;
import io.knack.contracts.Outcome;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** An interaction as its log tells it, before scrubbing: everything may be missing. */
public final class Draft {
  public @Nullable String id;
  public @Nullable Instant occurredAt;
  public @Nullable String tenant;
  public @Nullable String subject;
  public @Nullable String conversation;
  public List<Message> messages = new ArrayList<>();
  public @Nullable String tools;
  public @Nullable String completion;
  public @Nullable String reference;
  public List<Attempt> attempts = new ArrayList<>();
  public Outcome outcome = Outcome.UNKNOWN;
  public @Nullable String outcomeSource;
  public @Nullable String feedback;
  public long promptTokens;
  public long cachedPromptTokens;
  public long completionTokens;

  /** Everything spent, where the log says it all; else it is made of the token counts. */
  public @Nullable Budget budget;

  public @Nullable Double score;
  public @Nullable Double cost;
  public @Nullable Long latencyMicros;
  public @Nullable String model;
  public @Nullable String servedBy;
  public final Map<String, String> tags = new TreeMap<>();

  /** Under which other records of the input speak of this one; null when none does. */
  public @Nullable String joinKey;

  /** Of two records with the same id the one with the higher version counts. */
  public long version;

  /** Adds a tag unless there is nothing to say. */
  public void tag(String name, @Nullable String value) {
    if (value != null && !value.isBlank()) {
      tags.put(name, value);
    }
  }

  /** Adds a line of feedback. */
  public void addFeedback(String line) {
    feedback = feedback == null ? line : feedback + "\n" + line;
  }

  /** What an outside judge said; an earlier verdict of failure stays. */
  public void judged(Outcome verdict, String source) {
    if (outcome != Outcome.FAILED) {
      outcome = verdict;
      outcomeSource = source;
    }
  }
}
