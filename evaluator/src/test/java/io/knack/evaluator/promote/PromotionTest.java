package io.knack.evaluator.promote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.knack.contracts.Manifest;
import io.knack.contracts.Manifest.AdapterRef;
import io.knack.contracts.SparseVector;
import io.knack.contracts.cli.Console;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.Jsons;
import io.knack.evaluator.measure.Memories;
import io.knack.llm.checkpoint.SafetensorsWriter;
import io.knack.tracking.ModelVersion;
import io.knack.tracking.RunTracker;
import io.knack.tracking.TrackedRun;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PromotionTest {
  private static final String BASE = "acme/tiny";
  @TempDir Path temp;

  @Test
  void aManifestGoesLiveWithItsAdaptersAndAliases() throws Exception {
    Aliases aliases = new Aliases();
    Promotion.Outcome outcome =
        promotion(home(), PromotePlan.FILES, aliases).promote(wish("one", 0.5f));
    assertThat(outcome.fresh()).isTrue();
    assertThat(outcome.manifest().number()).isEqualTo(1);
    AdapterRef ref = adapter(outcome.manifest());
    Path handed = home().resolve("serving").resolve(ref.path());
    assertThat(handed.resolve("adapter_model.safetensors")).exists();
    assertThat(Files.readString(handed.resolve("card.json"))).contains("llama_cpp");
    assertThat(Memories.digest(handed)).isEqualTo(ref.digest());
    assertThat(home().resolve("serving/feature-spaces/toy-space")).exists();
    assertThat(aliases.points).containsEntry("knack-acme-tiny@champion", "v000001");
    assertThat(aliases.points).doesNotContainKey("knack-acme-tiny@challenger");

    Promotion.Outcome second =
        promotion(home(), PromotePlan.FILES, aliases).promote(wish("two", 0.25f));
    assertThat(second.manifest().previous()).isEqualTo(1);
    assertThat(aliases.points)
        .containsEntry("knack-acme-tiny@champion", "v000002")
        .containsEntry("knack-acme-tiny@previous", "v000001");
    assertThat(promotion(home(), PromotePlan.FILES, aliases).promote(wish("two", 0.25f)).fresh())
        .isFalse();
    assertThat(promotion(home(), PromotePlan.FILES, aliases).history()).hasSize(2);
  }

  @Test
  void killedAtAnyStepServingIsOldOrNewAndTheNextRunCompletesIt() throws Exception {
    int step = 0;
    boolean finished = false;
    while (!finished) {
      Path home = temp.resolve("killed-" + step);
      Aliases aliases = new Aliases();
      promotion(home, PromotePlan.FILES, aliases).promote(wish("old", 0.5f));
      AtomicInteger left = new AtomicInteger(step);
      Promotion dies =
          new Promotion(
              home,
              PromotePlan.FILES,
              aliases,
              Clock.systemUTC(),
              Console.silent(),
              () -> {
                if (left.getAndDecrement() == 0) {
                  throw new Killed();
                }
              });
      try {
        dies.promote(wish("new", 0.25f));
        finished = true;
      } catch (Killed e) {
        Manifest seen = promotion(home, PromotePlan.FILES, aliases).live().orElseThrow();
        assertThat(seen.number()).as("step " + step).isIn(1L, 2L);
        assertThat(home.resolve("serving").resolve(adapter(seen).path()))
            .isDirectoryContaining(f -> f.endsWith("adapter_model.safetensors"));
      }
      Promotion.Outcome again =
          promotion(home, PromotePlan.FILES, aliases).promote(wish("new", 0.25f));
      assertThat(again.manifest().number()).as("step " + step).isEqualTo(2);
      assertThat(aliases.points)
          .as("step " + step)
          .containsEntry("knack-acme-tiny@champion", "v000002")
          .containsEntry("knack-acme-tiny@previous", "v000001")
          .doesNotContainKey("knack-acme-tiny@challenger");
      List<Journal.Line> lines = new Journal(home).lines();
      assertThat(lines.get(lines.size() - 1).step()).isEqualTo(Journal.Step.DONE);
      assertThat(promotion(home, PromotePlan.FILES, aliases).history()).hasSize(2);
      step++;
    }
    assertThat(step).isGreaterThan(8);
  }

  @Test
  void ofTwoPromotersAtOnceOneWinsAndTheOtherSaysSo() throws Exception {
    CyclicBarrier both = new CyclicBarrier(2);
    ExecutorService pool = Executors.newFixedThreadPool(2);
    List<Future<String>> ends = new ArrayList<>();
    for (String name : List.of("left", "right")) {
      Promotion.Wish wish = wish(name, name.equals("left") ? 0.5f : 0.25f);
      AtomicInteger steps = new AtomicInteger();
      Callable<String> promoter =
          () -> {
            try {
              // Both wait for each other just before the manifest is created.
              new Promotion(
                      home(),
                      PromotePlan.FILES,
                      new Aliases(),
                      Clock.systemUTC(),
                      Console.silent(),
                      () -> {
                        if (steps.incrementAndGet() == 5) {
                          await(both);
                        }
                      })
                  .promote(wish);
              return "won";
            } catch (TemporaryException e) {
              return String.valueOf(e.getMessage());
            }
          };
      ends.add(pool.submit(promoter));
    }
    List<String> said = List.of(ends.get(0).get(), ends.get(1).get());
    pool.shutdown();
    assertThat(said).filteredOn("won"::equals).hasSize(1);
    assertThat(said)
        .filteredOn(text -> !text.equals("won"))
        .singleElement()
        .asString()
        .contains("another promoter has written manifest 1");
    assertThat(promotion(home(), PromotePlan.FILES, new Aliases()).history()).hasSize(1);
  }

  @Test
  void misbehavingReplicasAreNamedAndTheNextRunCompletesIt() throws Exception {
    try (Vllm good = new Vllm();
        Vllm bad = new Vllm()) {
      bad.behaviour = "500";
      PromotePlan plan = PromotePlan.FILES.withReplicas(List.of(good.address(), bad.address()));
      Aliases aliases = new Aliases();
      Promotion.Wish wish = wish("one", 0.5f);
      String adapter = adapter(wish.manifest()).name();
      assertThatThrownBy(() -> promotion(home(), plan, aliases).promote(wish))
          .isInstanceOf(TemporaryException.class)
          .hasMessageContaining(good.address() + " has 1 of 1")
          .hasMessageContaining(bad.address() + " has 0 of 1, lacks " + adapter)
          .hasMessageContaining("answered 500")
          .hasMessageContaining("Manifest in force: none");
      assertThat(promotion(home(), plan, aliases).live()).isEmpty();

      bad.behaviour = "lies"; // says yes, loads nothing
      assertThatThrownBy(() -> promotion(home(), plan, aliases).promote(wish))
          .isInstanceOf(TemporaryException.class)
          .hasMessageContaining("lacks " + adapter);

      bad.behaviour = "good";
      assertThat(promotion(home(), plan, aliases).promote(wish).manifest().number()).isEqualTo(1);
      assertThat(bad.loaded).containsExactly(adapter);

      Promotion.Wish next = wish("two", 0.25f);
      promotion(home(), plan, aliases).promote(next);
      assertThat(good.loaded).containsExactly(adapter(next.manifest()).name());
      assertThat(bad.loaded).containsExactly(adapter(next.manifest()).name());
    }
  }

  @Test
  void aReplicaThatAnswersTooLateIsNamedAndNotAskedAgain() throws Exception {
    try (Vllm good = new Vllm();
        Vllm slow = new Vllm()) {
      slow.behaviour = "slow";
      PromotePlan plan =
          Plans.read(
              PromotePlan.class,
              null,
              List.of(
                  "replicas=[" + good.address() + "," + slow.address() + "]", "timeout=PT0.5S"));
      Aliases aliases = new Aliases();
      Promotion.Wish wish = wish("one", 0.5f);
      String adapter = adapter(wish.manifest()).name();
      assertThatThrownBy(() -> promotion(home(), plan, aliases).promote(wish))
          .isInstanceOf(TemporaryException.class)
          .hasMessageContaining(good.address() + " has 1 of 1")
          .hasMessageContaining(slow.address() + " has 0 of 1, lacks " + adapter)
          .hasMessageContaining("timed out")
          .hasMessageContaining("Manifest in force: none");
      assertThat(good.loaded).containsExactly(adapter);
      assertThat(promotion(home(), plan, aliases).live()).isEmpty();
      assertThat(aliases.points).doesNotContainKey("knack-acme-tiny@champion");

      // The server had not given up: it ends what the client no longer waits for.
      slow.hurry.countDown();
      slow.lateDone.await();
      assertThat(promotion(home(), plan, aliases).promote(wish).manifest().number()).isEqualTo(1);
      assertThat(slow.loaded).containsExactly(adapter);
      assertThat(List.of(good.loads.get(), slow.loads.get())).containsExactly(1, 1);
      assertThat(aliases.points).containsEntry("knack-acme-tiny@champion", "v000001");
    }
  }

  @Test
  void anAdapterOfManyClustersIsHandedOverAndLoadedOnce() throws Exception {
    try (Vllm server = new Vllm()) {
      Promotion.Wish one = wish("shared", 0.5f);
      Manifest.Entry entry = one.manifest().entries().get(0);
      List<Manifest.Entry> entries = new ArrayList<>();
      for (String cluster : List.of("k-1", "k-2", "k-3")) {
        entries.add(
            new Manifest.Entry(
                new ClusterId(cluster),
                null,
                "adapter",
                entry.adapter(),
                List.of(),
                List.of(),
                entry.trigger(),
                1));
      }
      Promotion.Wish shared =
          new Promotion.Wish(
              one.run(),
              one.source(),
              one.reason(),
              new Manifest(0, null, Instant.EPOCH, "", BASE, null, "toy-space", null, entries),
              one.adapters(),
              one.featureSpace());
      PromotePlan plan = PromotePlan.FILES.withReplicas(List.of(server.address()));
      Promotion.Outcome outcome = promotion(home(), plan, new Aliases()).promote(shared);
      assertThat(outcome.manifest().entries()).hasSize(3);
      assertThat(server.loaded).containsExactly(adapter(outcome.manifest()).name());
      try (var handed = Files.list(home().resolve("serving/adapters"))) {
        assertThat(handed).hasSize(1);
      }
    }
  }

  @Test
  void whatATargetCannotServeIsNotPromoted() throws Exception {
    Path adapter = peft(temp.resolve("odd"), Float.NaN, Map.of("r", 128, "use_dora", true));
    Files.writeString(adapter.resolve("extra.bin"), "x");
    assertThat(new AdapterLint(PromotePlan.FILES.target(), "other/base", null).problems(adapter))
        .anyMatch(p -> p.contains("NaN or Inf"))
        .anyMatch(p -> p.contains("rank 128"))
        .anyMatch(p -> p.contains("DoRA"))
        .anyMatch(p -> p.contains("extra.bin"))
        .anyMatch(p -> p.contains("serving runs 'other/base'"));
    assertThat(
            new AdapterLint(PromotePlan.FILES.target(), BASE, null)
                .problems(peft(temp.resolve("fine"), 0.5f, Map.of())))
        .isEmpty();
    Promotion.Wish wish = wish("bad", 1e20f);
    assertThatThrownBy(() -> promotion(home(), PromotePlan.FILES, new Aliases()).promote(wish))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("nothing was promoted")
        .hasMessageContaining("norm");
  }

  @Test
  void rsLoraNeedsAnotherAlphaInLlamaCpp() throws Exception {
    Path adapter =
        peft(temp.resolve("rs"), 0.5f, Map.of("r", 16, "lora_alpha", 8, "use_rslora", true));
    assertThat(AdapterLint.llamaCpp(adapter).loraAlpha()).isEqualTo(32.0);
  }

  @Test
  void planDefaultsAreThoseOfTheShippedFile() {
    Path file = Path.of(System.getProperty("knack.root"), "config", "promote.yaml");
    assertThat(Plans.read(PromotePlan.class, file, List.of())).isEqualTo(PromotePlan.FILES);
    assertThat(Plans.leftOut(PromotePlan.class, file)).isEmpty();
    assertThatThrownBy(() -> Plans.read(PromotePlan.class, null, List.of("target.max_rank=63")))
        .hasMessageContaining("vLLM takes 1, 8, 16");
  }

  private Path home() {
    return temp.resolve("home");
  }

  private static Promotion promotion(Path home, PromotePlan plan, RunTracker tracker) {
    return new Promotion(home, plan, tracker, Clock.systemUTC(), Console.silent());
  }

  private static AdapterRef adapter(Manifest manifest) {
    return Optional.ofNullable(manifest.entries().get(0).adapter()).orElseThrow();
  }

  private Promotion.Wish wish(String name, float weight) throws IOException {
    Path directory = peft(temp.resolve("adapter-" + name), weight, Map.of());
    String digest = Memories.digest(directory);
    AdapterRef ref =
        new AdapterRef(
            "k-1-" + digest.substring(0, 12), "adapters/k-1-" + digest.substring(0, 12), digest);
    Manifest manifest =
        new Manifest(
            0,
            null,
            Instant.EPOCH,
            "",
            BASE,
            null,
            "toy-space",
            null,
            List.of(
                new Manifest.Entry(
                    new ClusterId("k-1"),
                    null,
                    "adapter",
                    ref,
                    List.of(),
                    List.of(),
                    new Manifest.Trigger(0.5, 0, SparseVector.EMPTY, List.of()),
                    1)));
    Path space = Files.writeString(temp.resolve("space"), "toy");
    return new Promotion.Wish(
        "run",
        "evaluation@" + name,
        "saves (evaluation@" + name + ")",
        manifest,
        Map.of(ref.name(), directory),
        space);
  }

  private static Path peft(Path directory, float weight, Map<String, Object> changes)
      throws IOException {
    if (Files.exists(directory)) {
      return directory;
    }
    Files.createDirectories(directory);
    Map<String, Object> config = new TreeMap<>();
    config.put("peft_type", "LORA");
    config.put("base_model_name_or_path", BASE);
    config.put("r", 2);
    config.put("lora_alpha", 4);
    config.put("bias", "none");
    config.put("target_modules", List.of("q_proj"));
    config.putAll(changes);
    Files.writeString(
        directory.resolve("adapter_config.json"), Jsons.mapper().writeValueAsString(config));
    String module = "base_model.model.model.layers.0.self_attn.q_proj.";
    Map<String, SafetensorsWriter.Declaration> tensors = new TreeMap<>();
    tensors.put(
        module + "lora_A.weight", new SafetensorsWriter.Declaration("F32", List.of(2L, 4L)));
    tensors.put(
        module + "lora_B.weight", new SafetensorsWriter.Declaration("F32", List.of(4L, 2L)));
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(directory.resolve("adapter_model.safetensors"), tensors)) {
      for (String name : tensors.keySet()) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(32).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 8; i++) {
          bytes.putFloat(weight);
        }
        writer.write(name, bytes.flip());
      }
    }
    return directory;
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await();
    } catch (InterruptedException | java.util.concurrent.BrokenBarrierException e) {
      throw new IllegalStateException(e);
    }
  }

  private static final class Killed extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /** Remembers where aliases point. */
  private static final class Aliases implements RunTracker {
    private final Map<String, String> points = new TreeMap<>();
    private final RunTracker none = RunTracker.none();

    @Override
    public TrackedRun start(String name, @Nullable String parentKey, Map<String, String> tags) {
      return none.start(name, parentKey, tags);
    }

    @Override
    public TrackedRun join(String name, String key, Map<String, String> tags) {
      return none.join(name, key, tags);
    }

    @Override
    public void registerModel(
        ModelVersion version, String source, @Nullable String runKey, Map<String, String> tags) {}

    @Override
    public void setAlias(ModelVersion version, String alias) {
      points.put(version.model() + "@" + alias, version.key());
    }

    @Override
    public void deleteAlias(String model, String alias) {
      points.remove(model + "@" + alias);
    }

    @Override
    public void setVersionTag(ModelVersion version, String name, String value) {}

    @Override
    public long pending() {
      return 0;
    }

    @Override
    public void close() {}
  }

  /** Speaks vLLM's LoRA API, and misbehaves on request. */
  private static final class Vllm implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService workers = Executors.newCachedThreadPool();
    private final Set<String> loaded = new ConcurrentSkipListSet<>();
    private final AtomicInteger loads = new AtomicInteger();

    /** What a slow load waits for. */
    private final CountDownLatch hurry = new CountDownLatch(1);

    private final CountDownLatch lateDone = new CountDownLatch(1);
    private volatile String behaviour = "good";

    Vllm() throws IOException {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      server.createContext(
          "/",
          exchange -> {
            String path = exchange.getRequestURI().getPath();
            String body =
                new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            int status = 200;
            String answer = "Success";
            if (path.equals("/v1/models")) {
              List<Map<String, String>> data = new ArrayList<>();
              data.add(Map.of("id", BASE));
              loaded.forEach(name -> data.add(Map.of("id", name, "parent", BASE)));
              answer = Jsons.mapper().writeValueAsString(Map.of("data", data));
            } else if (behaviour.equals("500")) {
              status = 500;
              answer = "CUDA out of memory";
            } else if (!behaviour.equals("lies")) {
              String name = Jsons.mapper().readTree(body).path("lora_name").asText();
              if (path.equals("/v1/load_lora_adapter")) {
                loads.incrementAndGet();
                if (behaviour.equals("slow")) {
                  awaitHurry();
                }
                loaded.add(name);
                lateDone.countDown();
              } else {
                loaded.remove(name);
              }
            }
            byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
          });
      server.setExecutor(workers);
      server.start();
    }

    private void awaitHurry() {
      try {
        hurry.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    String address() {
      return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    @Override
    public void close() {
      server.stop(0);
      workers.shutdownNow();
    }
  }
}
