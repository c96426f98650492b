package io.knack.llm.local;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.knack.llm.lora.PeftAdapter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Decode steps through {@link VectorDecoder}. Rows of one request multiply the prompt they share
 * together ({@link SharedPrompt}).
 */
final class VectorStep implements TokenStep {
  private final LocalModel model;
  private final VectorDecoder decoder;
  private final Map<Task, SharedPrompt> shared = new LinkedHashMap<>();
  private List<SharedPrompt.Group> groups = List.of();
  private int[] singles = new int[0];
  private int[] all = new int[0];

  /** Whether what is kept for rows was let go of. */
  private boolean rested = true;

  VectorStep(LocalModel model, VectorDecoder decoder) {
    this.model = model;
    this.decoder = decoder;
  }

  @Override
  public double[] step(List<Row> rows, boolean changed) {
    int n = rows.size();
    KvCache cache = model.cache(n, 1, n);
    decoder.begin(n, cache);
    boolean narrowed = false;
    if (changed || rested) {
      gather(rows, cache);
      all = IntStream.range(0, n).toArray();
      rested = false;
    }
    List<@Nullable PeftAdapter> adapters = new ArrayList<>();
    decoder.choices = new float[4 * n];
    decoder.drawn = new double[2 * n];
    decoder.drawing = rows;
    for (int i = 0; i < n; i++) {
      Row row = rows.get(i);
      decoder.token(i, row.last(), row.position(), i);
      row.choose(decoder.choices, 4 * i);
      narrowed |= row.narrowed();
      adapters.add(row.task.adapter);
    }
    decoder.adapters(adapters);
    decoder.prompts = false;
    decoder.wanted = all;
    decoder.groups = groups;
    decoder.singles = singles;
    decoder.run();
    return narrowed ? narrowed(rows) : decoder.drawn;
  }

  @Override
  public void rest() {
    shared.values().forEach(SharedPrompt::close);
    shared.clear();
    rested = true;
  }

  /** Finds the rows that share a prompt. */
  private void gather(List<Row> rows, KvCache cache) {
    Map<Task, List<Integer>> sharing = new LinkedHashMap<>();
    List<Integer> others = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      Task task = rows.get(i).task;
      if (SharedPrompt.suits(task, model.config())) {
        sharing.computeIfAbsent(task, t -> new ArrayList<>()).add(i);
      } else {
        others.add(i);
      }
    }
    shared.entrySet().stream()
        .filter(known -> !sharing.containsKey(known.getKey()))
        .forEach(known -> known.getValue().close());
    shared.keySet().retainAll(sharing.keySet());
    groups = new ArrayList<>();
    sharing.forEach((task, own) -> groups.add(group(task, own, cache)));
    singles = others.stream().mapToInt(Integer::intValue).toArray();
  }

  private SharedPrompt.Group group(Task task, List<Integer> rows, KvCache cache) {
    SharedPrompt prompt =
        shared.computeIfAbsent(
            task, t -> SharedPrompt.of(model.kernels(), model.config(), cache, task, rows.get(0)));
    return new SharedPrompt.Group(prompt, rows);
  }

  /** Rows whose distribution is cut are drawn by the kernel, the others as they were. */
  private double[] narrowed(List<Row> rows) {
    List<Integer> cut = new ArrayList<>();
    for (int r = 0; r < rows.size(); r++) {
      if (rows.get(r).narrowed()) {
        cut.add(r);
      }
    }
    int vocabulary = model.config().vocabulary();
    int step = decoder.weights.head.padded;
    float[] some = new float[cut.size() * vocabulary];
    float[] draws = new float[4 * cut.size()];
    for (int i = 0; i < cut.size(); i++) {
      System.arraycopy(decoder.logits, cut.get(i) * step, some, i * vocabulary, vocabulary);
      System.arraycopy(decoder.choices, 4 * cut.get(i), draws, 4 * i, 4);
    }
    double[] drawn = decoder.drawn;
    try (NDManager scope = model.kernels().manager().newSubManager()) {
      NDArray theirs = scope.create(some, new Shape(cut.size(), vocabulary));
      NDArray choice = scope.create(draws, new Shape(cut.size(), 4));
      double[] result =
          model
              .kernels()
              .tensor(
                  scope,
                  "sample",
                  theirs,
                  choice,
                  true,
                  true,
                  model.seen(scope, cut.stream().<Row>map(rows::get).toList()),
                  model.repetitionPenalty())
              .toDoubleArray();
      for (int i = 0; i < cut.size(); i++) {
        drawn[2 * cut.get(i)] = result[2 * i];
        drawn[2 * cut.get(i) + 1] = result[2 * i + 1];
      }
    }
    return drawn;
  }
}
