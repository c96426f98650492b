package io.knack.trainer;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.cli.Console;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/** Writes {@code metrics.jsonl} beside each adapter and shows progress. */
final class MetricsFile implements TrainingListener, AutoCloseable {
  private final Function<String, Path> directory;
  private final Console console;
  private final Console.Progress progress;
  private final BooleanSupplier stop;
  private final Map<String, Path> files = new TreeMap<>();

  MetricsFile(Function<String, Path> directory, Console console, long steps, BooleanSupplier stop) {
    this.directory = directory;
    this.console = console;
    this.progress = console.progress("train", steps);
    this.stop = stop;
  }

  @Override
  public void planned(String words) {
    console.say("train: " + words);
  }

  @Override
  public void step(StepReport report) {
    ObjectNode line = Jsons.mapper().createObjectNode();
    line.put("step", report.step());
    line.put("loss", report.loss());
    line.put("learning_rate", report.learningRate());
    line.put("grad_norm", report.gradNorm());
    line.put("tokens", report.tokens());
    line.put("tokens_per_second", report.tokensPerSecond());
    if (report.skipped()) {
      line.put("skipped", true);
    }
    append(report.lane(), report.step(), line);
    progress.step(1);
    progress.note(
        String.format(
            java.util.Locale.ROOT,
            "%s loss %.4f, %.0f tokens/s",
            report.lane(),
            report.loss(),
            report.tokensPerSecond()));
  }

  @Override
  public void validated(String lane, long step, double loss) {
    ObjectNode line = Jsons.mapper().createObjectNode();
    line.put("step", step).put("validation_loss", loss);
    append(lane, step, line);
  }

  /** A resumed run writes steps again that its checkpoint had not seen: the last line counts. */
  private void append(String lane, long step, ObjectNode line) {
    try {
      Path file = files.get(lane);
      if (file == null) {
        Path place = directory.apply(lane);
        Files.createDirectories(place);
        file = place.resolve("metrics.jsonl");
        if (step == 1) {
          Files.deleteIfExists(file);
        }
        files.put(lane, file);
      }
      Files.writeString(file, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public boolean stopRequested() {
    return stop.getAsBoolean();
  }

  @Override
  public void close() {
    progress.close();
  }
}
