package io.knack.contracts;

import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ConversationId;
import io.knack.contracts.id.EpisodeId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.FamilyId;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.id.SubjectId;
import io.knack.contracts.id.TenantId;
import io.knack.contracts.table.Tables;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;

/** One full and one sparse row of every tabular contract. */
public final class Fixtures {
  private static final Instant TIME = Instant.parse("2026-03-04T05:06:07.000008Z");
  private static final Budget BUDGET = new Budget(10, 4, 20, 2, 3, 1, 30, 7, 99);
  private static final SparseVector VECTOR =
      new SparseVector(List.of(1, 5, 9), List.of(0.5f, -0.25f, 1.0f));

  private Fixtures() {}

  public static final List<Interaction> INTERACTIONS =
      List.of(
          new Interaction(
              new InteractionId("i-1"),
              TIME,
              new TenantId("acme"),
              new SubjectId("s-1"),
              new ConversationId("c-1"),
              List.of(
                  Message.system("Be short."),
                  Message.user("Was kostet 1 kg Äpfel? 多少钱"),
                  new Message(
                      Role.ASSISTANT,
                      "",
                      List.of(new ToolCall("t-1", "price", "{\"item\":\"apple\"}")),
                      null),
                  new Message(Role.TOOL, "3", List.of(), "t-1")),
              "[]",
              "3",
              "3",
              List.of(
                  new Attempt("best_of_n", "2", 10, 0, 1, 0.0, Outcome.FAILED),
                  new Attempt(null, "3", 10, 10, 1, null, Outcome.UNKNOWN)),
              Outcome.VERIFIED,
              "log:verified",
              "thumbs up",
              BUDGET,
              0.0125,
              1234L,
              "base",
              "v000003",
              Map.of("service", "shop", "language", "de")),
          new Interaction(
              new InteractionId("i-2"),
              TIME,
              Interaction.NO_TENANT,
              null,
              null,
              List.of(),
              null,
              null,
              null,
              List.of(),
              Outcome.UNKNOWN,
              null,
              null,
              Budget.ZERO,
              null,
              null,
              null,
              null,
              Map.of()));

  public static final List<Quarantined> QUARANTINE =
      List.of(new Quarantined("a/log.jsonl", 7, 1024, "not JSON", "00ff"));

  public static final List<Cluster> CLUSTERS =
      List.of(
          new Cluster(
              new ClusterId("k-1"),
              new FamilyId("f-1"),
              Cluster.Event.BORN,
              List.of(),
              new TenantId("acme"),
              20,
              LocalDate.parse("2026-03-01"),
              LocalDate.parse("2026-03-04"),
              3,
              6,
              List.of(new TenantId("acme")),
              true,
              0.9,
              0.25,
              12.5,
              4.5,
              0.1,
              1000,
              VECTOR,
              "feature-space",
              List.of("What is the price?"),
              List.of("price")),
          new Cluster(
              new ClusterId("k-2"),
              new FamilyId("f-1"),
              Cluster.Event.MERGED,
              List.of(new ClusterId("k-0"), new ClusterId("k-9")),
              null,
              2,
              LocalDate.parse("2026-03-01"),
              LocalDate.parse("2026-03-01"),
              1,
              1,
              List.of(),
              false,
              0.5,
              null,
              0,
              0,
              0,
              0,
              SparseVector.EMPTY,
              "feature-space",
              List.of(),
              List.of()));

  public static final List<ClusterMember> MEMBERS =
      List.of(
          new ClusterMember(
              new InteractionId("i-1"), new ClusterId("k-1"), new FamilyId("f-1"), 0.75),
          new ClusterMember(new InteractionId("i-2"), null, new FamilyId("f-1"), 0.125));

  public static final List<Example> EXAMPLES =
      List.of(
          new Example(
              new ExampleId("e-1"),
              new ClusterId("k-1"),
              List.of(new InteractionId("i-1")),
              TIME,
              new ConversationId("c-1"),
              new TenantId("acme"),
              new SubjectId("s-1"),
              Map.of("language", "de"),
              List.of(Message.user("1+1?")),
              "2",
              "2",
              new VerifierSpec("numeric", Map.of("tolerance", "0.01")),
              1,
              0.5,
              Split.TRAIN),
          new Example(
              new ExampleId("e-2"),
              null,
              List.of(),
              TIME,
              null,
              Interaction.NO_TENANT,
              null,
              Map.of(),
              List.of(Message.user("2+2?")),
              null,
              null,
              new VerifierSpec("command", Map.of()),
              0,
              1,
              Split.ANCHOR));

  public static final List<Evidence> EVIDENCE =
      List.of(
          new Evidence(
              new ExampleId("e-1"),
              List.of(new Attempt("best_of_n", "3", 1, 0, 1, 0.0, Outcome.FAILED))));

  public static final List<Episode> EPISODES =
      List.of(
          new Episode(
              new EpisodeId("p-1"),
              new ExampleId("e-1"),
              new SubjectId("s-1"),
              null,
              new ClusterId("k-1"),
              "1+1?",
              "2",
              4,
              VECTOR,
              "feature-space"));

  public static final List<Trial> TRIALS =
      List.of(
          new Trial(
              new ExampleId("e-1"),
              new ClusterId("k-1"),
              new TenantId("acme"),
              Map.of(),
              "adapter",
              "best_of_n",
              7,
              "S1",
              true,
              true,
              1,
              null,
              BUDGET),
          new Trial(
              new ExampleId("e-2"),
              null,
              Interaction.NO_TENANT,
              Map.of("slice", "long"),
              "baseline",
              "best_of_n",
              7,
              null,
              false,
              false,
              0,
              "timeout",
              Budget.ZERO));

  /** Writes the golden tables of a release into a directory; done once a schema version. */
  public static void main(String[] arguments) {
    Path directory = Path.of(arguments[0]);
    Tables.INTERACTIONS.writeInto(directory, INTERACTIONS);
    Tables.QUARANTINE.writeInto(directory, QUARANTINE);
    Tables.CLUSTERS.writeInto(directory, CLUSTERS);
    Tables.MEMBERS.writeInto(directory, MEMBERS);
    Tables.EXAMPLES.writeInto(directory, EXAMPLES);
    Tables.EVIDENCE.writeInto(directory, EVIDENCE);
    Tables.EPISODES.writeInto(directory, EPISODES);
    Tables.TRIALS.writeInto(directory, TRIALS);
  }
}
