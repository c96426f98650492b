package io.knack.spark.mine;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.Cluster.Event;
import io.knack.contracts.store.Jsons;
import io.knack.practice.features.TextVector;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The picture of a night: one page without a network. Every cluster is a circle, its area the
 * interactions, its colour the expected saving; near centroids stand near. Text is shown only at or
 * above the privacy floor.
 *
 * <p>The layout starts from the two leading principal directions of the centroids' dense blocks and
 * is relaxed: each circle is drawn to its {@value #NEAREST} nearest, and overlapping circles part.
 * It is deterministic.
 */
final class ClusterMap {
  /** The largest clusters; more cannot be told apart. */
  private static final int SHOWN = 600;

  private static final int NEAREST = 4;
  private static final int ROUNDS = 300;
  private static final double WIDTH = 1000;

  private ClusterMap() {}

  static void write(Path file, List<Living> clusters, MinePlan plan) {
    List<Living> shown =
        clusters.stream()
            .filter(cluster -> cluster.event() != Event.RETIRED)
            .sorted(
                Comparator.comparingLong((Living one) -> -one.statistics().interactions)
                    .thenComparing(Living::id))
            .limit(SHOWN)
            .toList();
    double[] radius = radii(shown);
    double[][] place = layout(shown, radius);
    List<Map<String, Object>> circles = new ArrayList<>();
    for (int i = 0; i < shown.size(); i++) {
      circles.add(circle(shown.get(i), place[i], radius[i], plan));
    }
    Map<String, Object> page = new LinkedHashMap<>();
    page.put("total", clusters.size());
    page.put("circles", circles);
    try (InputStream template = ClusterMap.class.getResourceAsStream("map.html")) {
      if (template == null) {
        throw new IllegalStateException("map.html is missing from the class path");
      }
      String html = new String(template.readAllBytes(), StandardCharsets.UTF_8);
      Files.writeString(file, html.replace("/*DATA*/null", json(page)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Inside a script element no text may close it. */
  private static String json(Map<String, Object> page) throws JsonProcessingException {
    return Jsons.mapper()
        .writeValueAsString(page)
        .replace("<", "\\u003c")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029");
  }

  private static Map<String, Object> circle(Living one, double[] at, double radius, MinePlan plan) {
    boolean named = one.eligible(plan);
    Map<String, Object> circle = new LinkedHashMap<>();
    circle.put("x", Math.round(at[0] * 10) / 10.0);
    circle.put("y", Math.round(at[1] * 10) / 10.0);
    circle.put("r", Math.round(radius * 10) / 10.0);
    circle.put("id", one.id());
    circle.put("family", one.family());
    circle.put("event", one.event().name().toLowerCase(java.util.Locale.ROOT));
    circle.put("size", one.statistics().interactions);
    circle.put("subjects", one.statistics().distinctSubjects());
    circle.put("saving", Math.round(one.savingPerMonth()));
    circle.put("eligible", named);
    circle.put("terms", named ? one.terms() : List.of());
    circle.put("exemplars", named ? one.exemplars() : List.of());
    return circle;
  }

  private static double[] radii(List<Living> shown) {
    double total = 0;
    for (Living one : shown) {
      total += one.statistics().interactions;
    }
    double[] radius = new double[shown.size()];
    for (int i = 0; i < radius.length; i++) {
      double share = shown.get(i).statistics().interactions / Math.max(1, total);
      radius[i] = Math.max(3, Math.sqrt(share * 0.3 * WIDTH * WIDTH / Math.PI));
    }
    return radius;
  }

  private static double[][] layout(List<Living> shown, double[] radius) {
    int n = shown.size();
    double[][] place = principal(shown);
    int[][] near = nearest(shown);
    for (int round = 0; round < ROUNDS; round++) {
      double heat = 1 - round / (double) ROUNDS;
      for (int i = 0; i < n; i++) {
        for (int j : near[i]) {
          double dx = place[j][0] - place[i][0];
          double dy = place[j][1] - place[i][1];
          double distance = Math.sqrt(dx * dx + dy * dy);
          double rest = radius[i] + radius[j] + 4;
          if (distance > rest) {
            double pull = 0.05 * heat * (distance - rest) / distance;
            place[i][0] += pull * dx;
            place[i][1] += pull * dy;
            place[j][0] -= pull * dx;
            place[j][1] -= pull * dy;
          }
        }
      }
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
          double dx = place[j][0] - place[i][0];
          double dy = place[j][1] - place[i][1];
          double least = radius[i] + radius[j] + 2;
          double square = dx * dx + dy * dy;
          if (square < least * least) {
            double distance = Math.max(1e-6, Math.sqrt(square));
            double push = 0.5 * (least - distance) / distance;
            place[i][0] -= push * dx;
            place[i][1] -= push * dy;
            place[j][0] += push * dx;
            place[j][1] += push * dy;
          }
        }
      }
    }
    return place;
  }

  /** Positions along the two leading principal directions, spread over the page. */
  private static double[][] principal(List<Living> shown) {
    int n = shown.size();
    int width = n == 0 ? 0 : shown.get(0).centroid().dense().length;
    double[] mean = new double[width];
    for (Living one : shown) {
      for (int r = 0; r < width; r++) {
        mean[r] += one.centroid().dense()[r] / (double) n;
      }
    }
    double[] first = direction(shown, mean, new double[width], 1);
    double[] second = direction(shown, mean, first, 2);
    double[][] place = new double[n][2];
    double most = 1e-9;
    for (int i = 0; i < n; i++) {
      float[] dense = shown.get(i).centroid().dense();
      for (int r = 0; r < width; r++) {
        place[i][0] += (dense[r] - mean[r]) * first[r];
        place[i][1] += (dense[r] - mean[r]) * second[r];
      }
      // A little of its number keeps equal centroids apart.
      place[i][0] += 1e-4 * Math.cos(i);
      place[i][1] += 1e-4 * Math.sin(i);
      most = Math.max(most, Math.max(Math.abs(place[i][0]), Math.abs(place[i][1])));
    }
    for (double[] at : place) {
      at[0] *= WIDTH / 2 / most;
      at[1] *= WIDTH / 2 / most;
    }
    return place;
  }

  private static double[] direction(
      List<Living> shown, double[] mean, double[] without, int start) {
    int width = mean.length;
    double[] direction = new double[width];
    for (int r = 0; r < width; r++) {
      direction[r] = Math.cos((double) start * (r + 1));
    }
    for (int round = 0; round < 50; round++) {
      double[] next = new double[width];
      for (Living one : shown) {
        double dot = 0;
        for (int r = 0; r < width; r++) {
          dot += (one.centroid().dense()[r] - mean[r]) * direction[r];
        }
        for (int r = 0; r < width; r++) {
          next[r] += dot * (one.centroid().dense()[r] - mean[r]);
        }
      }
      double along = 0;
      for (int r = 0; r < width; r++) {
        along += next[r] * without[r];
      }
      double norm = 0;
      for (int r = 0; r < width; r++) {
        next[r] -= along * without[r];
        norm += next[r] * next[r];
      }
      if (norm < 1e-24) {
        return direction;
      }
      for (int r = 0; r < width; r++) {
        direction[r] = next[r] / Math.sqrt(norm);
      }
    }
    return direction;
  }

  private static int[][] nearest(List<Living> shown) {
    int n = shown.size();
    NeighbourGraph graph = NeighbourGraph.empty(n, NEAREST);
    for (int i = 0; i < n; i++) {
      TextVector own = shown.get(i).centroid();
      for (int j = 0; j < n; j++) {
        if (i != j) {
          graph.offer(i, j, (float) own.denseDot(shown.get(j).centroid()));
        }
      }
    }
    int[][] near = new int[n][];
    for (int i = 0; i < n; i++) {
      near[i] =
          java.util.Arrays.copyOfRange(
              graph.neighbours(), i * NEAREST, i * NEAREST + graph.degree(i));
    }
    return near;
  }
}
