package io.knack.evaluator.measure;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.AdapterCard;
import io.knack.contracts.Episode;
import io.knack.contracts.Manifest.AdapterRef;
import io.knack.contracts.Manifest.EpisodeText;
import io.knack.contracts.Manifest.RuleText;
import io.knack.contracts.Rule;
import io.knack.contracts.RuleSet;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.TenantId;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.StageInputs;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.table.Tables;
import io.knack.practice.features.FeatureSpace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Everything that was learnt tonight, as arms: per cluster and tenant episodes, each way of rules,
 * the adapter, and the adapter with the rules.
 */
public final class Memories {
  private static final List<String> WAYS = List.of("reflect", "multi_case", "update");
  private final List<Memory> all;
  private final Map<String, Path> adapterDirectories;

  private Memories(List<Memory> all, Map<String, Path> adapterDirectories) {
    this.all = List.copyOf(all);
    this.adapterDirectories = Map.copyOf(adapterDirectories);
  }

  /** Every arm, in the order of clusters and arms. */
  public List<Memory> all() {
    return all;
  }

  /** PEFT directories by adapter name. */
  public Map<String, Path> adapterDirectories() {
    return adapterDirectories;
  }

  /** The names of all arms, in order of first mention. */
  public List<String> arms() {
    return all.stream().map(Memory::arm).distinct().toList();
  }

  /**
   * Reads the night's memory artifacts.
   *
   * @param space tonight's; episodes that an earlier night stored in another one get vectors in it
   */
  public static Memories read(
      StageInputs inputs, EvaluatePlan.Carrying carrying, FeatureSpace space) {
    record Owner(ClusterId cluster, @Nullable TenantId tenant) {}
    Map<String, Owner> owners = new TreeMap<>();
    Map<String, List<EpisodeText>> episodes = new LinkedHashMap<>();
    Map<String, Map<String, List<RuleText>>> rules = new LinkedHashMap<>();
    Map<String, AdapterRef> adapters = new LinkedHashMap<>();
    Map<String, Double> training = new LinkedHashMap<>();
    Map<String, Path> directories = new TreeMap<>();

    inputs
        .latest(ArtifactKind.EPISODES)
        .ifPresent(
            artifact -> {
              for (Episode e : Tables.EPISODES.readAllFrom(artifact.directory())) {
                String key = key(e.clusterId(), e.tenant());
                owners.put(key, new Owner(e.clusterId(), e.tenant()));
                episodes
                    .computeIfAbsent(key, k -> new ArrayList<>())
                    .add(
                        new EpisodeText(
                            e.id(),
                            e.problem(),
                            e.solution(),
                            e.featureSpaceDigest().equals(space.digest())
                                ? e.vector()
                                : space.vector(e.problem())));
              }
            });
    inputs
        .latest(ArtifactKind.RULES)
        .ifPresent(
            artifact -> {
              for (Rule r : readRules(artifact).rules()) {
                String key = key(r.clusterId(), r.tenant());
                owners.put(key, new Owner(r.clusterId(), r.tenant()));
                rules
                    .computeIfAbsent(key, k -> new TreeMap<>())
                    .computeIfAbsent(r.way(), w -> new ArrayList<>())
                    .add(new RuleText(r.id(), r.when(), r.then()));
              }
            });
    inputs
        .latest(ArtifactKind.ADAPTERS)
        .ifPresent(
            artifact -> {
              for (Path directory : adapterDirectories(artifact.directory())) {
                AdapterCard card = readCard(directory);
                String key = key(card.clusterId(), card.tenant());
                owners.put(key, new Owner(card.clusterId(), card.tenant()));
                AdapterRef ref = reference(card, directory);
                adapters.put(key, ref);
                training.put(key, card.deviceSeconds() / 3600 * carrying.deviceHour());
                directories.put(ref.name(), directory);
              }
            });

    // One adapter may serve many clusters: its slot and its training are paid once.
    Map<String, Long> sharing =
        adapters.values().stream()
            .collect(Collectors.groupingBy(AdapterRef::name, Collectors.counting()));
    List<Memory> all = new ArrayList<>();
    owners.forEach(
        (key, owner) -> {
          Function<String, List<RuleText>> way =
              w -> rules.getOrDefault(key, Map.of()).getOrDefault(w, List.of());
          if (episodes.containsKey(key)) {
            all.add(
                new Memory(
                    "episodes",
                    owner.cluster(),
                    owner.tenant(),
                    null,
                    List.of(),
                    episodes.get(key),
                    0));
          }
          for (String name : WAYS) {
            if (!way.apply(name).isEmpty()) {
              all.add(
                  new Memory(
                      name, owner.cluster(), owner.tenant(), null, way.apply(name), List.of(), 0));
            }
          }
          AdapterRef adapter = adapters.get(key);
          if (adapter != null) {
            double cost =
                (carrying.adapterSlotPerMonth()
                        + training.getOrDefault(key, 0.0) / carrying.monthsToWriteOff())
                    / sharing.getOrDefault(adapter.name(), 1L);
            all.add(
                new Memory(
                    "adapter",
                    owner.cluster(),
                    owner.tenant(),
                    adapter,
                    List.of(),
                    List.of(),
                    cost));
            List<RuleText> best =
                WAYS.stream().map(way).filter(r -> !r.isEmpty()).findFirst().orElse(List.of());
            if (!best.isEmpty()) {
              all.add(
                  new Memory(
                      "adapter_rules",
                      owner.cluster(),
                      owner.tenant(),
                      adapter,
                      best,
                      List.of(),
                      cost));
            }
          }
        });
    return new Memories(all, directories);
  }

  /** Directories that hold a PEFT adapter, in name order. */
  public static List<Path> adapterDirectories(Path root) {
    try (Stream<Path> walk = Files.walk(root, 3)) {
      return walk.filter(file -> file.getFileName().toString().equals("adapter_config.json"))
          .map(file -> file.toAbsolutePath().getParent())
          .filter(path -> path != null)
          .sorted()
          .collect(Collectors.toList());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + root, e);
    }
  }

  /** PEFT directories of an adapters artifact by the names that serving will know them by. */
  public static Map<String, Path> adaptersByName(Path root) {
    Map<String, Path> byName = new TreeMap<>();
    for (Path directory : adapterDirectories(root)) {
      byName.put(reference(readCard(directory), directory).name(), directory);
    }
    return byName;
  }

  /** The name in serving: never reused, because it carries the digest of what it names. */
  static AdapterRef reference(AdapterCard card, Path directory) {
    String digest = digest(directory);
    String slug = card.clusterId().value().replaceAll("[^A-Za-z0-9._-]", "-");
    String name = slug.substring(0, Math.min(60, slug.length())) + "-" + digest.substring(0, 12);
    return new AdapterRef(name, "adapters/" + name, digest);
  }

  /** sha256 over the names and digests of a PEFT directory's files, card and metrics aside. */
  public static String digest(Path directory) {
    return AdapterCard.weightsDigest(directory);
  }

  static AdapterCard readCard(Path directory) {
    Path file = directory.resolve(AdapterCard.FILE);
    try {
      return Jsons.mapper().readValue(Files.readString(file), AdapterCard.class);
    } catch (JsonProcessingException e) {
      throw new ContractException(file + " is no adapter card: " + Jsons.words(e), e);
    } catch (IOException e) {
      throw new ContractException(
          "adapter " + directory + " has no readable " + AdapterCard.FILE, e);
    }
  }

  static RuleSet readRules(Artifact artifact) {
    Path file = artifact.file("rules.json");
    try {
      return Jsons.mapper().readValue(Files.readString(file), RuleSet.class);
    } catch (JsonProcessingException e) {
      throw new ContractException(file + " is no rule set: " + Jsons.words(e), e);
    } catch (IOException e) {
      throw new ContractException("rules artifact " + artifact.ref() + " has no rules.json", e);
    }
  }

  private static String key(ClusterId cluster, @Nullable TenantId tenant) {
    return cluster.value() + "\n" + (tenant == null ? "" : tenant.value());
  }
}
