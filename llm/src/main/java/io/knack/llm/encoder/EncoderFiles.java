package io.knack.llm.encoder;

import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.Digests;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/** The files of a checkpoint that decide its vectors. */
final class EncoderFiles {
  private EncoderFiles() {}

  /**
   * Over the weights, the tokenizer and the configurations of all modules, by name; not over model
   * cards, other formats and notes of training, which copies of a checkpoint leave out.
   */
  static String digest(Path directory) {
    EncoderConfig config = EncoderConfig.of(directory);
    TreeSet<Path> places = new TreeSet<>();
    places.add(directory);
    places.add(config.directory());
    places.addAll(EncoderConfig.places(directory));
    TreeMap<String, String> lines = new TreeMap<>();
    for (Path place : places) {
      try (Stream<Path> files = Files.list(place)) {
        for (Path file : files.filter(EncoderFiles::counts).toList()) {
          lines.put(directory.relativize(file).toString().replace('\\', '/'), Digests.sha256(file));
        }
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read the encoder at " + directory, e);
      }
    }
    if (lines.keySet().stream().noneMatch(name -> name.endsWith(".safetensors"))) {
      throw new ContractException(
          directory + ": no model.safetensors; expected the weights of an encoder in safetensors");
    }
    StringBuilder all = new StringBuilder();
    lines.forEach((name, digest) -> all.append(name).append(' ').append(digest).append('\n'));
    return Digests.sha256(all.toString());
  }

  private static boolean counts(Path file) {
    String name = file.getFileName().toString();
    return Files.isRegularFile(file)
        && (name.endsWith(".safetensors")
            || EncoderConfig.FILES.contains(name)
            || name.equals("tokenizer.json")
            || name.equals("model.safetensors.index.json"));
  }
}
