package io.knack.llm.encoder;

import io.knack.llm.text.Utf8Lines;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Sentence vectors: one text a line in, one JSON array of numbers a line out. */
@Command(
    name = "embed",
    mixinStandardHelpOptions = true,
    description =
        "sentence vectors from a BERT-family checkpoint: one text a line in, one vector a line out",
    footer = {"", "Example: ./knack embed --model ./all-MiniLM-L6-v2 --input questions.txt"})
public final class EmbedCommand implements Callable<Integer> {
  /** Lines read at once, so that memory does not grow with the file. */
  private static final int LINES = 4096;

  @Option(
      names = "--model",
      required = true,
      paramLabel = "DIR",
      description = "checkpoint directory")
  private Path model = Path.of(".");

  @Option(
      names = "--input",
      required = true,
      paramLabel = "FILE",
      description = "one text a line, UTF-8")
  private Path input = Path.of(".");

  @Option(
      names = "--device",
      defaultValue = "cpu",
      paramLabel = "D",
      description = "cpu, cuda or cuda:N (default: ${DEFAULT-VALUE})")
  private String device = "cpu";

  /** The output is JSON lines in any case. */
  @Option(names = "--json", description = "JSON lines (the only format)")
  @SuppressWarnings("unused")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    try (TextEncoder encoder = TextEncoder.load(model, device);
        Utf8Lines lines = Utf8Lines.open(input)) {
      List<String> texts = new ArrayList<>();
      for (String line = lines.next(); line != null; line = lines.next()) {
        texts.add(line);
        if (texts.size() == LINES) {
          print(encoder, texts, out);
        }
      }
      print(encoder, texts, out);
    }
    return 0;
  }

  private static void print(TextEncoder encoder, List<String> texts, PrintWriter out) {
    for (float[] vector : encoder.embed(texts)) {
      out.println(Arrays.toString(vector));
    }
    out.flush();
    texts.clear();
  }
}
