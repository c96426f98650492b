package io.knack.trainer;

import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.TemporaryException;
import io.knack.llm.cli.ResidentMemory;
import java.nio.file.Path;
import java.util.List;

/**
 * A training in a process of its own, for tests that kill it, starve it or weigh it.
 *
 * <p>Arguments: where the adapters go, the step to stand still at (0 for none), then overrides of
 * the plan.
 */
final class TrainingProcess {
  private TrainingProcess() {}

  static List<AdapterTask> tasks() throws Exception {
    return List.of(
        new AdapterTask("a", PeftParityTest.examples(0, 30), List.of(), null),
        new AdapterTask("b", PeftParityTest.examples(30, 50), List.of(), null));
  }

  public static void main(String[] arguments) throws Exception {
    Path out = Path.of(arguments[0]);
    long stand = Long.parseLong(arguments[1]);
    TrainPlan plan =
        Plans.read(TrainPlan.class, null, List.of(arguments).subList(2, arguments.length));
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void step(StepReport report) {
            if (report.lane().equals("b") && report.step() == stand) {
              System.out.println("standing");
              try {
                System.in.read(); // Nobody writes: this is where the process dies.
              } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            }
            if (report.lane().equals("b") && report.step() % 400 == 0) {
              System.out.println("resident " + report.step() + " " + ResidentMemory.bytes());
            }
          }
        };
    try {
      LoraTraining.run(
          plan,
          Path.of("src/test/resources/peft/base"),
          tasks(),
          out,
          out.resolveSibling(out.getFileName() + "-work"),
          listener);
    } catch (TemporaryException e) {
      System.out.println(e.getMessage());
      System.exit(e.exitCode().code());
    }
  }
}
