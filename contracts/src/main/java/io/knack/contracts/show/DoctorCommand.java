package io.knack.contracts.show;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.cli.HomeOptions;
import io.knack.contracts.plan.HttpAddress;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code doctor}: what this machine has and lacks for each verb, and what to do about it. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description = "What this machine has and lacks for each verb.",
    footer = {
      "",
      "With --device cpu|gpu:N: ten training steps there, compared with the CPU.",
      "",
      "Example: ./knack doctor --json"
    })
public final class DoctorCommand implements Callable<Integer> {
  private static final long GIB = 1L << 30;

  @Mixin HomeOptions home = new HomeOptions();

  @Spec @Nullable CommandSpec spec;

  /** How a finding stands. */
  enum State {
    OK,
    /** Some verbs will not work, or not well. */
    LACKING,
    /** Nothing will work. */
    BROKEN
  }

  /**
   * One thing looked at.
   *
   * @param verbs what needs it
   * @param advice what to do; empty when all is well
   */
  public record Finding(String name, String state, String found, String verbs, String advice) {}

  @Override
  public Integer call() throws JsonProcessingException {
    List<Finding> findings =
        List.of(
            java(),
            tool(
                "maven",
                "mvn",
                "building",
                "install Maven 3.8.7 or newer",
                System.getenv("KNACK_NO_BUILD") == null ? State.BROKEN : State.LACKING),
            python(),
            cores(),
            memory(),
            disk(),
            engine(),
            mlflow(),
            baseModel(),
            environment("airflow", "scripts/airflow-night, parts of the test command"),
            environment("pyspark", "spark-submit, parts of the test command"));
    Map<String, List<String>> lacking = lacking(findings);
    PrintWriter out = spec().commandLine().getOut();
    if (home.json) {
      out.println(
          Jsons.mapper().writeValueAsString(Map.of("findings", findings, "lacking", lacking)));
    } else {
      for (Finding finding : findings) {
        out.printf(
            Locale.ROOT,
            "%-8s %-10s %s (%s)%n",
            finding.state(),
            finding.name(),
            finding.found(),
            finding.verbs());
        if (!finding.advice().isEmpty()) {
          out.println("         -> " + finding.advice());
        }
      }
      lacking.forEach(
          (verb, names) -> out.println(verb + " lacks " + String.join(", ", names) + " here"));
      if (lacking.isEmpty()) {
        out.println("no verb lacks anything here");
      }
    }
    out.flush();
    boolean broken = findings.stream().anyMatch(finding -> finding.state().equals("broken"));
    return broken ? ExitCode.TEMPORARY.code() : ExitCode.OK.code();
  }

  /** Verb by verb, what is not as it should be. */
  private static Map<String, List<String>> lacking(List<Finding> findings) {
    Map<String, List<String>> lacking = new TreeMap<>();
    for (Finding finding : findings) {
      if (!finding.state().equals("ok")) {
        for (String verb : finding.verbs().split(", ", -1)) {
          lacking.computeIfAbsent(verb, name -> new ArrayList<>()).add(finding.name());
        }
      }
    }
    return lacking;
  }

  /** The checkpoint that ships beside the launcher. */
  private static Finding baseModel() {
    String launcher = System.getenv("KNACK_LAUNCHER");
    Path file =
        (launcher == null ? Path.of("") : Path.of(launcher).resolveSibling(""))
            .resolve("data/base-model/model.safetensors");
    boolean there = Files.isRegularFile(file);
    return finding(
        "base",
        there ? State.OK : State.LACKING,
        there ? "data/base-model" : file + " is missing",
        "demo, sandbox",
        there ? "" : "restore it from the repository, or name a checkpoint with --model");
  }

  /** A Python environment that is made on first use, see {@code scripts/python-env}. */
  private static Finding environment(String name, String verbs) {
    String variable = "KNACK_" + name.toUpperCase(Locale.ROOT) + "_PYTHON";
    String given = System.getenv(variable);
    boolean broken = given != null && firstLine(given, "--version").isEmpty();
    return finding(
        name,
        broken ? State.LACKING : State.OK,
        given == null ? "installed on first use below target/python" : given,
        verbs,
        broken ? variable + " names no Python; unset it or name one that has " + name : "");
  }

  private static Finding java() {
    int feature = Runtime.version().feature();
    return finding(
        "java",
        feature >= 17 ? State.OK : State.BROKEN,
        Runtime.version().toString(),
        "all",
        feature >= 17 ? "" : "install JDK 17");
  }

  private static Finding tool(
      String name, String command, String verbs, String advice, State without) {
    Optional<String> version = firstLine(command, "--version");
    return finding(
        name,
        version.isPresent() ? State.OK : without,
        version.orElse("not on the PATH"),
        verbs,
        version.isPresent() ? "" : advice);
  }

  private static Finding python() {
    return tool(
        "python3",
        "python3",
        "bench --peer, Airflow, parts of the test command",
        "install Python 3.10 or newer",
        State.LACKING);
  }

  private static Finding cores() {
    int cores = Runtime.getRuntime().availableProcessors();
    return finding(
        "cores",
        cores >= 2 ? State.OK : State.LACKING,
        String.valueOf(cores),
        "all",
        cores >= 2 ? "" : "training and mining expect two cores; they will be slow on one");
  }

  private static Finding memory() {
    long bytes =
        ManagementFactory.getOperatingSystemMXBean()
                instanceof com.sun.management.OperatingSystemMXBean system
            ? system.getTotalMemorySize()
            : Runtime.getRuntime().maxMemory();
    boolean enough = bytes >= 7 * GIB;
    return finding(
        "memory",
        enough ? State.OK : State.LACKING,
        gib(bytes),
        "demo, mine, train",
        enough ? "" : "the demo wants 8 GiB; smaller logs and models need less");
  }

  private Finding disk() {
    Path place = home.home.toAbsolutePath();
    while (place.getParent() != null && !Files.exists(place)) {
      place = place.getParent();
    }
    try {
      long free = Files.getFileStore(place).getUsableSpace();
      boolean writable = Files.isWritable(place);
      boolean enough = free >= 2 * GIB;
      return finding(
          "disk",
          !writable ? State.BROKEN : enough ? State.OK : State.LACKING,
          gib(free) + " free at " + home.home + (writable ? "" : ", not writable"),
          "all",
          !writable
              ? "name a --home that you may write"
              : enough ? "" : "free some space: a night keeps logs, adapters and checkpoints");
    } catch (IOException e) {
      return finding(
          "disk", State.BROKEN, String.valueOf(e.getMessage()), "all", "name another --home");
    }
  }

  /**
   * The native engine is a jar of the launcher's class path for llm; only platforms listed have
   * one.
   */
  private static Finding engine() {
    String platform =
        (System.getProperty("os.name") + "-" + System.getProperty("os.arch"))
            .toLowerCase(Locale.ROOT)
            .replace("amd64", "x86_64");
    boolean shipped = platform.equals("linux-x86_64");
    boolean overridden = System.getenv("PYTORCH_LIBRARY_PATH") != null;
    return finding(
        "pytorch",
        shipped || overridden ? State.OK : State.LACKING,
        overridden ? "PYTORCH_LIBRARY_PATH" : platform + (shipped ? ", shipped" : ", not shipped"),
        "generate, embed, train, evaluate, demo",
        shipped || overridden
            ? ""
            : "set PYTORCH_LIBRARY_PATH, PYTORCH_VERSION and PYTORCH_FLAVOR to a libtorch of your"
                + " own");
  }

  private static Finding mlflow() {
    return mlflow(System.getenv().getOrDefault("MLFLOW_TRACKING_URI", "").strip());
  }

  static Finding mlflow(String uri) {
    if (uri.isEmpty()) {
      return finding(
          "mlflow",
          State.OK,
          "no server configured: runs are kept in files",
          "train, evaluate, promote, night",
          "");
    }
    Optional<String> problem = HttpAddress.problem(uri);
    if (problem.isPresent()) {
      return finding(
          "mlflow",
          State.LACKING,
          "MLFLOW_TRACKING_URI " + problem.get(),
          "train, promote, night",
          "nothing fails without it; until it is mended, runs are kept in files alone");
    }
    try (Socket socket = new Socket()) {
      URI server = URI.create(uri);
      int port = server.getPort() > 0 ? server.getPort() : uri.startsWith("https") ? 443 : 80;
      socket.connect(new InetSocketAddress(server.getHost(), port), 2_000);
      return finding(
          "mlflow", State.OK, server.getHost() + " answers", "train, promote, night", "");
    } catch (IOException | IllegalArgumentException e) {
      return finding(
          "mlflow",
          State.LACKING,
          "MLFLOW_TRACKING_URI does not answer",
          "train, promote, night",
          "nothing fails without it; what could not be sent is kept and sent later");
    }
  }

  private static Finding finding(
      String name, State state, String found, String verbs, String advice) {
    return new Finding(name, state.name().toLowerCase(Locale.ROOT), found, verbs, advice);
  }

  private static String gib(long bytes) {
    return String.format(Locale.ROOT, "%.1f GiB", bytes / (double) GIB);
  }

  private static Optional<String> firstLine(String... command) {
    List<String> lines = new ArrayList<>();
    try {
      Process process =
          new ProcessBuilder(command).redirectErrorStream(true).redirectInput(nowhere()).start();
      try (var reader = process.inputReader(StandardCharsets.UTF_8)) {
        reader.lines().limit(3).forEach(lines::add);
      }
      process.waitFor(10, TimeUnit.SECONDS);
    } catch (IOException e) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
    return lines.stream().findFirst().map(line -> line.replaceAll("\u001b\\[[0-9;]*m", ""));
  }

  private static ProcessBuilder.Redirect nowhere() {
    return ProcessBuilder.Redirect.from(new java.io.File("/dev/null"));
  }

  private CommandSpec spec() {
    if (spec == null) {
      throw new IllegalStateException("picocli injects the command's own description");
    }
    return spec;
  }
}
