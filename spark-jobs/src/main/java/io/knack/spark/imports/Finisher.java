package io.knack.spark.imports;

import io.knack.contracts.Attempt;
import io.knack.contracts.Budget;
import io.knack.contracts.Interaction;
import io.knack.contracts.Message;
import io.knack.contracts.Problems;
import io.knack.contracts.ToolCall;
import io.knack.contracts.id.ConversationId;
import io.knack.contracts.id.Id;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.id.SubjectId;
import io.knack.contracts.id.TenantId;
import io.knack.contracts.store.Digests;
import io.knack.contracts.store.Salt;
import io.knack.spark.imports.format.Draft;
import io.knack.spark.imports.format.Unreadable;
import io.knack.spark.imports.scrub.Scrubber;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Makes interactions of drafts: scrubs every text, hashes who asked, fills what is missing. */
final class Finisher {
  /** Bytes of UTF-8 per token of the usual vocabularies, for logs that count no tokens. */
  private static final int BYTES_PER_TOKEN = 4;

  private final Scrubber scrubber;
  private final Salt salt;

  Finisher(Scrubber scrubber, Salt salt) {
    this.scrubber = scrubber;
    this.salt = salt;
  }

  /**
   * @param fallbackId for drafts without an id of their own
   */
  Interaction finish(Draft draft, String fallbackId) throws Unreadable {
    if (Problems.of(draft.messages).isBlank()) {
      throw new Unreadable("no words of a user");
    }
    Scrubber.Session scrub = scrubber.session();
    List<Message> messages = new ArrayList<>();
    for (Message message : draft.messages) {
      messages.add(message(message, scrub));
    }
    long promptTokens = draft.promptTokens > 0 ? draft.promptTokens : tokens(messages);
    List<Attempt> attempts = attempts(draft, promptTokens, scrub);
    Map<String, String> tags = new TreeMap<>();
    draft.tags.forEach((name, value) -> tags.put(clean(name), text(value, scrub)));
    return new Interaction(
        new InteractionId(id(draft.id, fallbackId, scrub)),
        draft.occurredAt == null ? Instant.EPOCH : draft.occurredAt,
        draft.tenant == null
            ? Interaction.NO_TENANT
            : new TenantId(id(draft.tenant, salt.hash(draft.tenant), scrub)),
        draft.subject == null || draft.subject.isBlank()
            ? null
            : new SubjectId(salt.hash(draft.subject)),
        draft.conversation == null || draft.conversation.isBlank()
            ? null
            : new ConversationId(id(draft.conversation, salt.hash(draft.conversation), scrub)),
        messages,
        maybe(draft.tools, scrub),
        maybe(draft.completion, scrub),
        maybe(draft.reference, scrub),
        attempts,
        draft.outcome,
        draft.outcomeSource,
        maybe(draft.feedback, scrub),
        draft.budget == null ? budget(draft, attempts) : draft.budget,
        draft.cost,
        draft.latencyMicros,
        maybe(draft.model, scrub),
        draft.servedBy,
        tags);
  }

  private static Message message(Message message, Scrubber.Session scrub) {
    List<ToolCall> calls = new ArrayList<>();
    for (ToolCall call : message.toolCalls()) {
      calls.add(new ToolCall(clean(call.id()), clean(call.name()), text(call.arguments(), scrub)));
    }
    return new Message(message.role(), text(message.content(), scrub), calls, message.toolCallId());
  }

  /** The served answer is always among them. */
  private static List<Attempt> attempts(Draft draft, long promptTokens, Scrubber.Session scrub) {
    List<Attempt> attempts = new ArrayList<>();
    String completion = draft.completion;
    if (completion != null
        && draft.attempts.stream().noneMatch(attempt -> attempt.text().equals(completion))) {
      attempts.add(
          new Attempt(
              null,
              text(completion, scrub),
              promptTokens,
              draft.cachedPromptTokens,
              draft.completionTokens > 0 ? draft.completionTokens : tokens(completion),
              draft.score,
              draft.outcome));
    }
    for (Attempt attempt : draft.attempts) {
      attempts.add(
          new Attempt(
              attempt.method(),
              text(attempt.text(), scrub),
              attempt.promptTokens() > 0 ? attempt.promptTokens() : promptTokens,
              attempt.cachedPromptTokens(),
              attempt.completionTokens() > 0 ? attempt.completionTokens() : tokens(attempt.text()),
              attempt.score(),
              attempt.outcome()));
    }
    return attempts;
  }

  private static Budget budget(Draft draft, List<Attempt> attempts) {
    long prompt = 0;
    long cached = 0;
    long completion = 0;
    for (Attempt attempt : attempts) {
      prompt += attempt.promptTokens();
      cached += attempt.cachedPromptTokens();
      completion += attempt.completionTokens();
    }
    long wall = draft.latencyMicros == null ? 0 : draft.latencyMicros;
    return new Budget(prompt, cached, completion, attempts.size(), 0, 0, 0, 0, wall);
  }

  private static long tokens(List<Message> messages) {
    return messages.stream().mapToLong(message -> tokens(message.content())).sum();
  }

  private static long tokens(@Nullable String text) {
    if (text == null) {
      return 0;
    }
    long bytes = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
    }
    return (bytes + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN;
  }

  /** The given id where it can be stored and names nobody. */
  private static String id(@Nullable String given, String fallback, Scrubber.Session scrub) {
    if (given == null || given.isBlank()) {
      return fallback;
    }
    String kept = clean(given);
    boolean storable =
        kept.length() <= Id.MAX_LENGTH && kept.chars().noneMatch(Character::isISOControl);
    if (storable && (!kept.contains("@") || scrub.scrub(kept).equals(kept))) {
      return kept;
    }
    return storable ? fallback : Digests.sha256(given).substring(0, 32);
  }

  private static @Nullable String maybe(@Nullable String text, Scrubber.Session scrub) {
    return text == null ? null : text(text, scrub);
  }

  private static String text(String text, Scrubber.Session scrub) {
    return scrub.scrub(clean(text));
  }

  /** Halves of surrogate pairs cannot be written as UTF-8. */
  private static String clean(String text) {
    StringBuilder repaired = null;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (!Character.isSurrogate(c)) {
        continue;
      }
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
        continue;
      }
      if (repaired == null) {
        repaired = new StringBuilder(text);
      }
      repaired.setCharAt(i, '\uFFFD');
    }
    return repaired == null ? text : repaired.toString();
  }
}
