package io.knack.practice.solve;

import io.knack.contracts.Message;
import io.knack.llm.FinishReason;
import io.knack.llm.Sample;
import io.knack.llm.Sampling;
import io.knack.practice.prompt.Replies;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Depth-first search over steps (Yao et al., "Tree of Thoughts", 2023): a node's thoughts are asked
 * for together, those that conclude are checked, the others are valued by the model; thoughts below
 * the threshold are pruned and the best is expanded first.
 */
final class TreeOfThoughts implements Search {
  private static final int VALUE_TOKENS = 8;

  private final Deque<Node> stack = new ArrayDeque<>();
  private int expanded;
  private long draws;

  private record Node(List<String> steps, long completionTokens) {}

  private static final class Valued {
    private final Node node;
    private double value;

    private Valued(Node node) {
      this.node = node;
    }
  }

  @Override
  public void start(TaskRun run) {
    stack.push(new Node(List.of(), 0));
    expand(run);
  }

  private void expand(TaskRun run) {
    if (stack.isEmpty() || expanded >= run.options().maxNodes()) {
      run.finish();
      return;
    }
    Node node = stack.pop();
    expanded++;
    run.spend(1);
    int count = run.options().branching();
    @Nullable Sample[] thoughts = new Sample[count];
    int[] missing = {count};
    TaskRun.Asked[] request = new TaskRun.Asked[1];
    List<String> stop = run.prompts().thoughtStop();
    request[0] =
        run.ask(
            run.prompts().thought(run.task().messages(), node.steps()),
            count,
            run.sampling(draws++, run.options().maxTokens(), stop),
            sample -> {
              thoughts[sample.index()] = sample;
              if (--missing[0] == 0) {
                children(run, node, thoughts, request[0]);
              }
            });
  }

  private void children(
      TaskRun run, Node node, @Nullable Sample[] thoughts, TaskRun.Asked request) {
    Map<String, Node> leaves = new LinkedHashMap<>();
    Map<String, Node> inner = new LinkedHashMap<>();
    for (Sample thought : thoughts) {
      String step = thought == null ? "" : firstLine(thought.text());
      if (thought == null || step.isEmpty()) {
        continue;
      }
      List<String> steps = new ArrayList<>(node.steps());
      steps.add(step);
      Node child =
          new Node(List.copyOf(steps), node.completionTokens() + thought.completionTokens());
      if (Replies.concludes(step)) {
        leaves.putIfAbsent(step, child);
      } else if (steps.size() < run.options().depth()
          && thought.finishReason() != FinishReason.LENGTH) {
        inner.putIfAbsent(step, child);
      }
    }
    checkLeaves(run, new ArrayDeque<>(leaves.values()), List.copyOf(inner.values()), request);
  }

  /** The prompt that the leaves share is booked on the first of them. */
  private void checkLeaves(
      TaskRun run, Deque<Node> leaves, List<Node> inner, TaskRun.@Nullable Asked payer) {
    Node leaf = leaves.poll();
    if (leaf == null) {
      value(run, inner);
      return;
    }
    run.check(
        String.join("\n", leaf.steps()),
        payer,
        leaf.completionTokens(),
        said -> {
          if (run.passes(said)) {
            run.finish();
          } else {
            checkLeaves(run, leaves, inner, null);
          }
        });
  }

  private void value(TaskRun run, List<Node> inner) {
    if (inner.isEmpty() || expanded >= run.options().maxNodes()) {
      expand(run);
      return;
    }
    List<Valued> valued = inner.stream().map(Valued::new).toList();
    int[] missing = {valued.size()};
    for (Valued candidate : valued) {
      List<Message> question = run.prompts().value(run.task().messages(), candidate.node.steps());
      run.ask(
          question,
          1,
          Sampling.greedy(VALUE_TOKENS),
          sample -> {
            candidate.value = Replies.digit(sample.text()).orElse(0);
            if (--missing[0] == 0) {
              descend(run, valued);
            }
          });
    }
  }

  /** The best ends on top of the stack; among equals the first thought. */
  private void descend(TaskRun run, List<Valued> valued) {
    List<Valued> ordered = new ArrayList<>(valued);
    ordered.sort(Comparator.comparingDouble((Valued v) -> v.value).reversed());
    for (int i = ordered.size() - 1; i >= 0; i--) {
      if (ordered.get(i).value >= run.options().valueThreshold()) {
        stack.push(ordered.get(i).node);
      }
    }
    expand(run);
  }

  private static String firstLine(String text) {
    return text.lines().map(String::strip).filter(l -> !l.isEmpty()).findFirst().orElse("");
  }
}
