package io.knack.llm.local;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.jni.IValue;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.KnackException;
import io.knack.contracts.stage.PlanException;
import io.knack.llm.FinishReason;
import io.knack.llm.GenerationListener;
import io.knack.llm.GenerationRequest;
import io.knack.llm.GenerationSession;
import io.knack.llm.Sample;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.Kernels;
import io.knack.llm.lora.PeftAdapter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The continuous batch of one {@link LocalModel}.
 *
 * <p>Running samples are the rows 0..n-1 of the batch and of the cache. One turn of the loop lets
 * waiting samples in (a prompt is computed once, its cache copied for each further sample), then
 * decodes one token for every row in one kernel call. A row that ends gives its place to the next
 * sample of its own request, whose prompt is there already, or to a request for the same prompt
 * that was submitted when it ended, else to the last row.
 *
 * <p>A row's tokens do not depend on its companions in float32. Of a prompt: products run over a
 * multiple of 4 rows, for which the matrix kernels compute every row alike, and prompts are cut at
 * multiples of {@link PromptPass#CHUNK} of their own length. Of the tokens after it, and of short
 * prompts: {@link VectorDecoder} sums in one order whatever else runs; where {@link DecodeStep}
 * takes them, attention is per row or in a fixed number of rows ({@link AttentionBlocks}), and a
 * neighbour that looks further adds exact zeros, which may move a last bit. The uniforms behind the
 * draws come from seed, sample and place.
 */
final class LocalSession implements GenerationSession {
  private final LocalModel model;
  private final Kernels kernels;
  private final ModelConfig config;
  private final NDManager owner;
  private final PromptPass prompts;
  private final TokenStep decoding;
  private final Deque<Task> queue = new ArrayDeque<>();
  private final List<@Nullable Row> rows = new ArrayList<>();

  /** Samples that took over the row of another one of their request and have drawn nothing yet. */
  private final Deque<Entry> fresh = new ArrayDeque<>();

  private boolean changed = true;

  LocalSession(LocalModel model) {
    this.model = model;
    this.kernels = model.kernels();
    this.config = model.config();
    this.owner = kernels.manager().newSubManager();
    this.prompts = new PromptPass(model, owner);
    VectorDecoder vectors = model.vectors();
    this.decoding = vectors == null ? new DecodeStep(model, owner) : new VectorStep(model, vectors);
  }

  @Override
  public Handle submit(GenerationRequest request, GenerationListener listener) {
    List<Integer> prompt;
    PeftAdapter adapter;
    try {
      prompt = model.check(request);
      adapter = model.adapter(request.adapter());
    } catch (KnackException e) {
      listener.failed(e);
      return () -> {};
    }
    int limit = Math.min(request.sampling().maxTokens(), config.maxPositions() - prompt.size());
    Set<Integer> stopIds = model.stopIds(request.sampling().stop());
    Task task = new Task(request, listener, prompt, adapter, stopIds, limit);
    queue.add(task);
    return task;
  }

  @Override
  public void run() {
    if (!model.turn().tryLock()) {
      throw new IllegalStateException("another session of this model is running");
    }
    try {
      kernels.gradients(Kernels.Gradients.OFF);
      while (true) {
        dropCancelled();
        admit();
        compact();
        if (!rows.isEmpty()) {
          step();
        } else if (queue.isEmpty()) {
          return;
        }
      }
    } finally {
      decoding.rest();
      model.turn().unlock();
    }
  }

  /** Reports what was cancelled and frees its rows. */
  private void dropCancelled() {
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      if (row != null && row.task.cancelled()) {
        rows.set(i, null);
        changed = true;
        row.task.report(row.finish(FinishReason.CANCELLED, model));
        row.task.completeIfDone();
      }
    }
    for (Task task : List.copyOf(queue)) {
      if (task.cancelled()) {
        queue.remove(task);
        task.reportRest();
        task.completeIfDone();
      }
    }
  }

  // Letting samples in ------------------------------------------------------------------------

  /** A new sample and where its prompt's cache comes from. */
  private record Entry(Row row, int place, int source) {}

  private void admit() {
    while (!queue.isEmpty()) {
      int wanted = Math.min(model.options().maxBatch(), running() + waitingSamples());
      KvCache cache = room(wanted);
      if (cache == null || !fits(queue.element(), cache)) {
        return; // Refused, or it must wait until the rows that run now have ended.
      }
      int limit = Math.min(cache.rows(), model.options().maxBatch());
      List<Integer> free = free(limit);
      if (free.isEmpty()) {
        return;
      }
      List<Entry> entries = new ArrayList<>();
      List<Task> unread = new ArrayList<>();
      List<Integer> places = new ArrayList<>();
      int tokens = 0;
      while (!queue.isEmpty() && !free.isEmpty() && fits(queue.peek(), cache)) {
        Task task = queue.element();
        int source = task.logits == null ? -1 : rowOf(task);
        if (source < 0) {
          if (!unread.isEmpty() && tokens + task.prompt.size() > PromptPass.CHUNK) {
            break;
          }
          tokens += task.prompt.size();
          source = free.get(0);
          unread.add(task);
          places.add(source);
        }
        while (task.waiting() && !free.isEmpty()) {
          int place = free.remove(0);
          Row row = new Row(task, task.begun++);
          put(place, row);
          entries.add(new Entry(row, place, source));
        }
        if (!task.waiting()) {
          queue.remove();
        }
      }
      prompts.run(unread, places, cache);
      begin(entries, cache);
    }
  }

  private boolean fits(Task task, KvCache cache) {
    return capacity(task) <= cache.capacity();
  }

  private static int capacity(Task task) {
    return KvCache.step(task.prompt.size() + task.limit);
  }

  /** A cache with room for the first waiting task, or null when it was refused. */
  private @Nullable KvCache room(int wanted) {
    Task first = queue.element();
    int most = queue.stream().mapToInt(LocalSession::capacity).max().orElse(KvCache.STEP);
    try {
      return model.cache(
          Math.max(model.padded(wanted), model.padded(rows.size())), most, rows.size());
    } catch (PlanException tooLarge) {
      Task largest = queue.stream().filter(t -> capacity(t) == most).findFirst().orElse(first);
      queue.remove(largest);
      largest.fail(tooLarge);
      return queue.isEmpty() ? null : room(wanted);
    }
  }

  private int running() {
    return (int) rows.stream().filter(row -> row != null).count();
  }

  private int waitingSamples() {
    long sum = 0;
    for (Task task : queue) {
      sum += task.request.samples() - task.begun;
    }
    return (int) Math.min(sum, 1 << 20);
  }

  private List<Integer> free(int limit) {
    List<Integer> free = new ArrayList<>();
    for (int i = 0; i < limit; i++) {
      if (i >= rows.size() || rows.get(i) == null) {
        free.add(i);
      }
    }
    return free;
  }

  private void put(int place, Row row) {
    while (rows.size() <= place) {
      rows.add(null);
    }
    rows.set(place, row);
    changed = true;
  }

  /** A row whose cache starts with the task's prompt, or -1. */
  private int rowOf(Task task) {
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      if (row != null && row.task == task) {
        return i;
      }
    }
    return -1;
  }

  /** Copies prompts' caches to the new rows and draws each one's first token. */
  private void begin(List<Entry> entries, KvCache cache) {
    if (entries.isEmpty()) {
      return;
    }
    List<Entry> copies = entries.stream().filter(e -> e.place() != e.source()).toList();
    if (!copies.isEmpty()) {
      kernels.run(
          "copy_rows",
          cache.tensors(),
          copies.stream().mapToLong(Entry::source).toArray(),
          copies.stream().mapToLong(Entry::place).toArray(),
          copies.stream().mapToLong(e -> e.row().task.prompt.size()).toArray());
    }
    first(entries);
    firstOfFresh();
  }

  /** Each sample that ends at its first token may bring in another one of its request. */
  private void firstOfFresh() {
    while (!fresh.isEmpty()) {
      List<Entry> entries = List.copyOf(fresh);
      fresh.clear();
      first(entries);
    }
  }

  /** Draws the first token of new samples from their prompts' last logits. */
  private void first(List<Entry> entries) {
    List<Row> drawing = new ArrayList<>();
    List<NDArray> logits = new ArrayList<>();
    float[] choices = new float[4 * entries.size()];
    boolean narrowed = false;
    for (Entry entry : entries) {
      Row row = entry.row();
      if (row.task.cancelled()) {
        continue; // Reported before the next step.
      }
      if (row.task.limit <= 0) {
        rows.set(entry.place(), null);
        row.task.report(row.finish(FinishReason.LENGTH, model));
        row.task.completeIfDone();
      } else {
        row.choose(choices, 4 * drawing.size());
        narrowed |= row.narrowed();
        drawing.add(row);
        logits.add(Objects.requireNonNull(row.task.logits));
      }
    }
    if (drawing.isEmpty()) {
      return;
    }
    double[] drawn;
    try (NDManager scope = owner.newSubManager()) {
      NDArray together = kernels.tensor(scope, "rows", logits);
      NDArray choice =
          scope.create(
              java.util.Arrays.copyOf(choices, 4 * drawing.size()), new Shape(drawing.size(), 4));
      drawn =
          kernels
              .tensor(
                  scope,
                  "sample",
                  together,
                  choice,
                  narrowed,
                  true,
                  model.seen(scope, drawing),
                  model.repetitionPenalty())
              .toDoubleArray();
    }
    for (int i = 0; i < drawing.size(); i++) {
      if (!drawing.get(i).task.cancelled()) {
        take(drawing.get(i), (int) drawn[2 * i], (float) drawn[2 * i + 1]);
      }
    }
  }

  // Decoding ----------------------------------------------------------------------------------

  /** One token for every row. */
  private void step() {
    List<Row> running = new ArrayList<>();
    for (Row row : rows) {
      running.add(Objects.requireNonNull(row));
    }
    double[] drawn = decoding.step(running, changed);
    changed = false;
    for (int i = 0; i < running.size(); i++) {
      Row row = running.get(i);
      if (!row.task.cancelled()) {
        take(row, (int) drawn[2 * i], (float) drawn[2 * i + 1]);
      }
    }
    firstOfFresh();
  }

  private void take(Row row, int token, float logprob) {
    if (token < 0) {
      String adapter = row.task.request.adapter();
      row.task.fail(
          new ContractException(
              "model '"
                  + model.name()
                  + "'"
                  + (adapter == null ? "" : " with adapter '" + adapter + "'")
                  + " computes NaN or infinite logits; its weights or its scale are out of range"));
      return;
    }
    Sample finished = row.take(token, logprob, model);
    if (finished == null) {
      return;
    }
    int place = rows.indexOf(row);
    rows.set(place, null);
    changed = true;
    Task newest = queue.peekLast();
    row.task.report(finished);
    if (queue.peekLast() != newest) {
      takeOver(row.task, place);
    }
    row.task.completeIfDone();
    if (row.task.waiting() && row.task.logits != null && rows.get(place) == null) {
      // The prompt is still in this row: the next sample starts here.
      Row next = new Row(row.task, row.task.begun++);
      rows.set(place, next);
      if (!row.task.waiting()) {
        queue.remove(row.task);
      }
      fresh.add(new Entry(next, place, place));
    }
  }

  /**
   * Lets a request that asks the same again, submitted just now, go on in the row of the one that
   * ended: what was computed of the prompt is there. It goes before others that wait, which changes
   * no draws.
   */
  private void takeOver(Task ended, int place) {
    Task next = queue.peekLast();
    if (next == null
        || ended.request.samples() != 1
        || ended.logits == null
        || !next.waiting()
        || next.request.samples() != 1
        || next.scoresPrompt()
        || !Objects.equals(next.adapter, ended.adapter)
        || !next.prompt.equals(ended.prompt)
        || next.limit <= 0
        || capacity(next) > capacity(ended)) {
      return;
    }
    queue.removeLast();
    next.inherit(ended);
    Row row = new Row(next, next.begun++);
    rows.set(place, row);
    fresh.add(new Entry(row, place, place));
  }

  /** Moves the last rows into the holes. */
  private void compact() {
    List<Long> source = new ArrayList<>();
    List<Long> target = new ArrayList<>();
    List<Long> count = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      while (!rows.isEmpty() && rows.get(rows.size() - 1) == null) {
        rows.remove(rows.size() - 1);
      }
      if (i < rows.size() && rows.get(i) == null) {
        Row moved = Objects.requireNonNull(rows.remove(rows.size() - 1));
        rows.set(i, moved);
        source.add((long) rows.size());
        target.add((long) i);
        count.add((long) moved.held());
      }
    }
    if (!source.isEmpty()) {
      changed = true;
      IValue cache = model.cache(1, 1, 1).tensors();
      kernels.run("copy_rows", cache, longs(source), longs(target), longs(count));
    }
  }

  private static long[] longs(List<Long> values) {
    return values.stream().mapToLong(Long::longValue).toArray();
  }

  @Override
  public void close() {
    for (Row row : rows) {
      if (row != null) {
        row.task.cancel();
      }
    }
    queue.forEach(Task::cancel);
    RuntimeException first = null;
    try {
      for (boolean more = true; more; ) {
        more = false;
        try {
          dropCancelled();
        } catch (RuntimeException e) {
          // A listener's, at the first that was told: the others are to hear of their end too.
          first = GenerationSession.first(first, e);
          more = true;
        }
      }
    } finally {
      rows.clear();
      queue.clear();
      fresh.clear();
      owner.close();
    }
    if (first != null) {
      throw first;
    }
  }
}
