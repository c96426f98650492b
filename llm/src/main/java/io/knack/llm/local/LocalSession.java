package io.knack.llm.local;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.jni.IValue;
import io.knack.contracts.stage.KnackException;
import io.knack.contracts.stage.PlanException;
import io.knack.llm.FinishReason;
import io.knack.llm.GenerationListener;
import io.knack.llm.GenerationRequest;
import io.knack.llm.GenerationSession;
import io.knack.llm.Sample;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import io.knack.llm.lora.PeftAdapter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
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
 * <p>A row's numbers do not depend on its companions in float32: products run over a multiple of 4
 * rows, for which the matrix kernels compute every row alike, attention is per row, prompts are cut
 * at multiples of {@link #CHUNK} of their own length, and the uniforms behind the draws come from
 * seed, sample and place.
 */
final class LocalSession implements GenerationSession {
  /** Prompt tokens that go through the blocks at once. */
  private static final int CHUNK = 1024;

  /** The cache grows in steps of this many places. */
  private static final int CAPACITY_STEP = 64;

  private final LocalModel model;
  private final Kernels kernels;
  private final ModelConfig config;
  private final NDManager owner;
  private final long[] shape;
  private final Deque<Task> queue = new ArrayDeque<>();
  private final List<@Nullable Row> rows = new ArrayList<>();

  /** Samples that took over the row of another one of their request and have drawn nothing yet. */
  private final Deque<Entry> fresh = new ArrayDeque<>();

  private final LongBuffer numbers;
  private final FloatBuffer draws;
  private final NDArray numbersTensor;
  private final NDArray drawsTensor;
  private @Nullable NDArray own;
  private @Nullable AdapterStack stack;
  private boolean changed = true;

  LocalSession(LocalModel model) {
    this.model = model;
    this.kernels = model.kernels();
    this.config = model.config();
    this.owner = kernels.manager().newSubManager();
    this.shape = new long[3 + config.layers()];
    shape[0] = config.heads();
    shape[1] = config.kvHeads();
    shape[2] = config.headDim();
    for (int i = 0; i < config.layers(); i++) {
      shape[3 + i] = config.windows().get(i);
    }
    int most = padded(model.options().maxBatch());
    ByteBuffer longs = ByteBuffer.allocateDirect(most * 4 * 8).order(ByteOrder.nativeOrder());
    ByteBuffer floats = ByteBuffer.allocateDirect(most * 4 * 4).order(ByteOrder.nativeOrder());
    numbers = longs.asLongBuffer();
    draws = floats.asFloatBuffer();
    numbersTensor = kernels.over(owner, longs, new Shape(most, 4), DataType.INT64);
    drawsTensor = kernels.over(owner, floats, new Shape(most, 4), DataType.FLOAT32);
  }

  /** Rows of a product, so that each is computed alike whatever their number; see kernels.py. */
  private int padded(int n) {
    return model.dtype() == DType.F32 ? (n + 3) / 4 * 4 : n;
  }

  @Override
  public Handle submit(GenerationRequest request, GenerationListener listener) {
    List<Integer> prompt;
    PeftAdapter adapter;
    try {
      if (request.samples() < 1) {
        throw new PlanException(
            "request: samples is " + request.samples() + ", expected at least 1");
      }
      prompt = model.ids(request.prompt());
      adapter = model.adapter(request.adapter());
      if (prompt.size() > config.maxPositions()) {
        throw new PlanException(
            "prompt: "
                + prompt.size()
                + " tokens, the model's context has "
                + config.maxPositions());
      }
    } catch (KnackException e) {
      listener.failed(e);
      return () -> {};
    }
    int limit = Math.min(request.sampling().maxTokens(), config.maxPositions() - prompt.size());
    Task task = new Task(request, listener, prompt, adapter, limit);
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
      List<Task> prompts = new ArrayList<>();
      List<Integer> promptRows = new ArrayList<>();
      int tokens = 0;
      while (!queue.isEmpty() && !free.isEmpty() && fits(queue.peek(), cache)) {
        Task task = queue.element();
        int source = task.logits == null ? -1 : rowOf(task);
        if (source < 0) {
          if (!prompts.isEmpty() && tokens + task.prompt.size() > CHUNK) {
            break;
          }
          tokens += task.prompt.size();
          source = free.get(0);
          prompts.add(task);
          promptRows.add(source);
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
      prefill(prompts, promptRows, cache);
      begin(entries, cache);
    }
  }

  private boolean fits(Task task, KvCache cache) {
    return capacity(task) <= cache.capacity();
  }

  private static int capacity(Task task) {
    return (task.prompt.size() + task.limit + CAPACITY_STEP - 1) / CAPACITY_STEP * CAPACITY_STEP;
  }

  /** A cache with room for the first waiting task, or null when it was refused. */
  private @Nullable KvCache room(int wanted) {
    Task first = queue.element();
    int most = queue.stream().mapToInt(LocalSession::capacity).max().orElse(CAPACITY_STEP);
    try {
      return model.cache(Math.max(padded(wanted), padded(rows.size())), most, rows.size());
    } catch (PlanException tooLarge) {
      Task largest = queue.stream().filter(t -> capacity(t) == most).findFirst().orElse(first);
      queue.remove(largest);
      largest.listener.failed(tooLarge);
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

  /** Computes prompts into their rows and keeps each one's last logits. */
  private void prefill(List<Task> tasks, List<Integer> places, KvCache cache) {
    if (tasks.isEmpty()) {
      return;
    }
    int longest = tasks.stream().mapToInt(task -> task.prompt.size()).max().orElse(0);
    for (int from = 0; from < longest; from += CHUNK) {
      chunk(tasks, places, cache, from);
    }
  }

  /** One piece of every prompt that reaches so far; several prompts only when all are short. */
  private void chunk(List<Task> tasks, List<Integer> places, KvCache cache, int from) {
    int total = 0;
    for (Task task : tasks) {
      total += Math.max(0, Math.min(CHUNK, task.prompt.size() - from));
    }
    int n = padded(total);
    long[] table = new long[4 * n];
    long[] segments = new long[3 * tasks.size()];
    long[] last = new long[padded(tasks.size())];
    List<@Nullable PeftAdapter> adapters = new ArrayList<>();
    boolean scored = false;
    int at = 0;
    for (int i = 0; i < tasks.size(); i++) {
      Task task = tasks.get(i);
      int count = Math.max(0, Math.min(CHUNK, task.prompt.size() - from));
      segments[3 * i] = places.get(i);
      segments[3 * i + 1] = from;
      segments[3 * i + 2] = count;
      for (int j = from; j < from + count; j++) {
        table[4 * at] = task.prompt.get(j);
        table[4 * at + 1] = j;
        table[4 * at + 2] = places.get(i);
        table[4 * at + 3] = j + 1 < task.prompt.size() ? task.prompt.get(j + 1) : 0;
        adapters.add(task.adapter);
        at++;
      }
      last[i] = Math.max(0, at - 1);
      scored |= task.scoresPrompt();
    }
    for (; at < n; at++) {
      table[4 * at + 2] = cache.scrap();
      adapters.add(null);
    }
    try (NDManager scope = owner.newSubManager()) {
      AdapterStack used = stack(adapters);
      NDArray mask = mask(scope, used, adapters);
      NDArray[] result =
          kernels.tensors(
              scope,
              "prefill",
              model.weights().list(),
              shape,
              config.normEpsilon(),
              cache.tensors(),
              used.tensors(),
              mask,
              scope.create(table, new Shape(n, 4)),
              segments,
              scope.create(last),
              scored);
      at = 0;
      float[] scores = scored ? result[1].toFloatArray() : new float[0];
      for (int i = 0; i < tasks.size(); i++) {
        Task task = tasks.get(i);
        int count = (int) segments[3 * i + 2];
        if (task.scoresPrompt() && count > 0) {
          keepScores(task, scores, at, from, count);
        }
        at += count;
        if (from + count == task.prompt.size() && count > 0) {
          if (task.logits != null) {
            task.logits.close();
          }
          task.logits = kernels.tensor(owner, "pick_rows", result[0], new long[] {i});
        }
      }
    }
  }

  private static void keepScores(Task task, float[] scores, int at, int from, int count) {
    List<@Nullable Float> kept = task.promptLogprobs;
    if (kept == null || from == 0) {
      kept = new ArrayList<>(Collections.singletonList(null));
      task.promptLogprobs = kept;
    }
    for (int j = 0; j < count && from + j + 1 < task.prompt.size(); j++) {
      kept.add(scores[at + j]);
    }
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
        choose(choices, 4 * drawing.size(), row);
        narrowed |= narrowed(row);
        drawing.add(row);
        logits.add(java.util.Objects.requireNonNull(row.task.logits));
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
      drawn = kernels.tensor(scope, "sample", together, choice, narrowed, true).toDoubleArray();
    }
    for (int i = 0; i < drawing.size(); i++) {
      if (!drawing.get(i).task.cancelled()) {
        take(drawing.get(i), (int) drawn[2 * i], (float) drawn[2 * i + 1]);
      }
    }
  }

  // Decoding ----------------------------------------------------------------------------------

  private static boolean narrowed(Row row) {
    return row.task.sampling().temperature() > 0
        && (row.task.sampling().topP() < 1 || row.task.sampling().topK() > 0);
  }

  private static void choose(float[] choices, int at, Row row) {
    choices[at] = (float) row.task.sampling().temperature();
    choices[at + 1] = (float) row.task.sampling().topP();
    choices[at + 2] = row.task.sampling().topK();
    choices[at + 3] = row.task.uniform(row.index, row.place());
  }

  /** One token for every row. */
  private void step() {
    KvCache cache = model.cache(rows.size(), 1, rows.size());
    int n = padded(rows.size());
    int longest = 0;
    boolean narrowed = false;
    boolean scored = false;
    float[] choice = new float[4];
    for (int i = 0; i < n; i++) {
      Row row = i < rows.size() ? rows.get(i) : null;
      int position = row == null ? 0 : row.position();
      numbers.put(4 * i, row == null ? 0 : row.last());
      numbers.put(4 * i + 1, position);
      numbers.put(4 * i + 2, i);
      if (row != null) {
        choose(choice, 0, row);
        draws.put(4 * i, choice);
        narrowed |= narrowed(row);
        scored |= row.task.scores();
        longest = Math.max(longest, position + 1);
      }
    }
    if (changed) {
      remask(n);
      changed = false;
    }
    int length =
        Math.min(cache.capacity(), (longest + CAPACITY_STEP - 1) / CAPACITY_STEP * CAPACITY_STEP);
    double[] drawn;
    try (NDManager scope = owner.newSubManager()) {
      drawn =
          kernels
              .tensor(
                  scope,
                  "decode",
                  model.weights().list(),
                  shape,
                  config.normEpsilon(),
                  cache.tensors(),
                  java.util.Objects.requireNonNull(stack).tensors(),
                  java.util.Objects.requireNonNull(own),
                  numbersTensor,
                  drawsTensor,
                  n,
                  rows.size(),
                  length,
                  narrowed,
                  scored)
              .toDoubleArray();
    }
    List<Row> running = new ArrayList<>();
    for (Row row : rows) {
      running.add(java.util.Objects.requireNonNull(row));
    }
    for (int i = 0; i < running.size(); i++) {
      Row row = running.get(i);
      if (!row.task.cancelled()) {
        take(row, (int) drawn[2 * i], (float) drawn[2 * i + 1]);
      }
    }
    firstOfFresh();
  }

  private void remask(int n) {
    List<@Nullable PeftAdapter> adapters = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      Row row = i < rows.size() ? rows.get(i) : null;
      adapters.add(row == null ? null : row.task.adapter);
    }
    stack = stack(adapters);
    if (own != null) {
      own.close();
    }
    own = mask(owner, stack, adapters);
  }

  /** The stack of the adapters among these; a superset that is there already will do. */
  private AdapterStack stack(List<@Nullable PeftAdapter> adapters) {
    List<PeftAdapter> distinct = new ArrayList<>();
    for (PeftAdapter adapter : adapters) {
      if (adapter != null && !distinct.contains(adapter)) {
        distinct.add(adapter);
      }
    }
    distinct.sort(java.util.Comparator.comparingInt(System::identityHashCode));
    return model.stack(distinct);
  }

  private static NDArray mask(
      NDManager to, AdapterStack stack, List<@Nullable PeftAdapter> adapters) {
    float[] mask = new float[adapters.size() * stack.width()];
    for (int i = 0; i < adapters.size(); i++) {
      PeftAdapter adapter = adapters.get(i);
      if (adapter != null) {
        stack.mark(mask, i, adapter);
      }
    }
    return to.create(mask, new Shape(adapters.size(), stack.width()));
  }

  private void take(Row row, int token, float logprob) {
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
        || !java.util.Objects.equals(next.adapter, ended.adapter)
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
        Row moved = java.util.Objects.requireNonNull(rows.remove(rows.size() - 1));
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
    try {
      dropCancelled();
    } finally {
      rows.clear();
      queue.clear();
      fresh.clear();
      owner.close();
    }
  }
}
