package io.knack.contracts.stage;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.Budget;
import io.knack.contracts.PriceBook;
import io.knack.contracts.id.RunId;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a stage may spend on models, and what it has spent: {@code HOME/runs/RUN/STAGE.spent.json},
 * over all attempts of the stage in that run, so that a kill forgets at most the last seconds.
 *
 * <p>A night hands what is left of its limits to each stage in the environment variable {@value
 * #VARIABLE}; without it there is no limit. Safe for use by several threads.
 */
public final class Allowance implements AutoCloseable {
  public static final String VARIABLE = "KNACK_ALLOWANCE";

  private static final Duration BETWEEN_WRITES = Duration.ofSeconds(2);

  /** Null where nothing is kept. */
  private final @Nullable Path file;

  private final Limits limits;
  private final String stage;
  private final Spent before;
  private Spent now;
  private Spent written;
  private long lastWrite = System.nanoTime();

  /**
   * What is left for one attempt at a stage; null for no limit.
   *
   * @param money in the currency of the prices
   */
  public record Limits(@Nullable Long tokens, @Nullable Double money, PriceBook prices) {
    public static final Limits NONE = new Limits(null, null, PriceBook.DEFAULT);
  }

  /** Tokens that models read and wrote. */
  public record Spent(long promptTokens, long cachedPromptTokens, long completionTokens) {
    public static final Spent NOTHING = new Spent(0, 0, 0);

    public long tokens() {
      return promptTokens + completionTokens;
    }

    public double money(PriceBook prices) {
      return prices.cost(
          new Budget(promptTokens, cachedPromptTokens, completionTokens, 0, 0, 0, 0, 0, 0));
    }

    public Spent plus(Spent other) {
      return new Spent(
          promptTokens + other.promptTokens,
          cachedPromptTokens + other.cachedPromptTokens,
          completionTokens + other.completionTokens);
    }

    public Spent less(Spent other) {
      return new Spent(
          promptTokens - other.promptTokens,
          cachedPromptTokens - other.cachedPromptTokens,
          completionTokens - other.completionTokens);
    }
  }

  Allowance(Path home, RunId run, String stage, Limits limits) {
    this(file(home, run, stage), limits, stage, spent(home, run, stage));
  }

  private Allowance(@Nullable Path file, Limits limits, String stage, Spent before) {
    this.file = file;
    this.limits = limits;
    this.stage = stage;
    this.before = before;
    this.now = before;
    this.written = before;
  }

  /** Without limits, kept nowhere: for a stage outside of a run. */
  public static Allowance unlimited() {
    return new Allowance(null, Limits.NONE, "stage", Spent.NOTHING);
  }

  /** Of this process, limited by its environment. */
  static Allowance of(Path home, RunId run, String stage) {
    String given = System.getenv(VARIABLE);
    if (given == null || given.isBlank()) {
      return new Allowance(home, run, stage, Limits.NONE);
    }
    try {
      return new Allowance(home, run, stage, Jsons.mapper().readValue(given, Limits.class));
    } catch (JsonProcessingException e) {
      throw new PlanException(
          VARIABLE + " is '" + given + "', expected what './knack night' sets; unset it");
    }
  }

  /** What all attempts at a stage have spent in a run. */
  public static Spent spent(Path home, RunId run, String stage) {
    Path file = file(home, run, stage);
    if (!Files.exists(file)) {
      return Spent.NOTHING;
    }
    try {
      return Jsons.mapper().readValue(Files.readString(file), Spent.class);
    } catch (JsonProcessingException e) {
      throw new ContractException(file + " is damaged: " + Jsons.words(e), e);
    } catch (IOException e) {
      throw new TemporaryException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  private static Path file(Path home, RunId run, String stage) {
    return home.resolve("runs").resolve(run.value()).resolve(stage + ".spent.json");
  }

  /**
   * Books what a model has just read and written.
   *
   * @throws TemporaryException when that reaches the limit: the stage ends with 75
   */
  public synchronized void spend(
      long promptTokens, long cachedPromptTokens, long completionTokens) {
    now = now.plus(new Spent(promptTokens, cachedPromptTokens, completionTokens));
    if (System.nanoTime() - lastWrite > BETWEEN_WRITES.toNanos()) {
      write();
    }
    Spent here = now.less(before);
    if (limits.tokens() != null && here.tokens() >= limits.tokens()) {
      throw new TemporaryException(
          stage
              + " stops: the night's limit of tokens is reached, it had "
              + limits.tokens()
              + " left");
    }
    if (limits.money() != null && here.money(limits.prices()) >= limits.money()) {
      throw new TemporaryException(
          String.format(
              Locale.ROOT,
              "%s stops: the night's limit of money is reached, it had %.4f left",
              stage,
              limits.money()));
    }
  }

  /** What this attempt has spent, for the stage's record; empty when it asked no model. */
  synchronized SortedMap<String, Object> figures() {
    Spent here = now.less(before);
    SortedMap<String, Object> figures = new TreeMap<>();
    if (!here.equals(Spent.NOTHING)) {
      figures.put("spent_tokens", here.tokens());
      figures.put("spent_prompt_tokens", here.promptTokens());
      figures.put("spent_cached_prompt_tokens", here.cachedPromptTokens());
      figures.put("spent_completion_tokens", here.completionTokens());
    }
    return figures;
  }

  @Override
  public synchronized void close() {
    if (!now.equals(written)) {
      write();
    }
  }

  private void write() {
    lastWrite = System.nanoTime();
    if (file == null) {
      return;
    }
    try {
      DurableFiles.replace(file, Jsons.mapper().writeValueAsString(now) + "\n");
      written = now;
    } catch (IOException e) {
      throw new TemporaryException("cannot write " + file + ": " + e.getMessage(), e);
    }
  }
}
