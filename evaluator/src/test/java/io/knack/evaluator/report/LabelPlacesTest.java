package io.knack.evaluator.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LabelPlacesTest {
  @Test
  void noLabelLiesOnAnotherOrOnAPoint() {
    double[][] points = {
      {100, 40}, {102, 41}, {110, 45}, {130, 60}, {128, 61}, {560, 60}, {600, 62}
    };
    LabelPlaces places = new LabelPlaces(60, 620, 0, 275);
    List<LabelPlaces.Box> dots = new ArrayList<>();
    for (double[] p : points) {
      places.keepClear(p[0], p[1], 7);
      dots.add(new LabelPlaces.Box(p[0] - 7, p[1] - 7, p[0] + 7, p[1] + 7));
    }
    List<LabelPlaces.Box> labels = new ArrayList<>();
    for (double[] p : points) {
      LabelPlaces.Place place = places.of(p[0], p[1], "adapter_rules");
      assertThat(place.box().left()).isGreaterThanOrEqualTo(60);
      assertThat(place.box().right()).isLessThanOrEqualTo(620);
      assertThat(dots).noneMatch(place.box()::meets);
      assertThat(labels).noneMatch(place.box()::meets);
      labels.add(place.box());
    }
    assertThat(labels).hasSize(points.length);
  }

  @Test
  void aPointAloneHasItsLabelBeside() {
    LabelPlaces.Place place = new LabelPlaces(60, 620, 0, 275).of(200, 100, "episodes");
    assertThat(place)
        .extracting(LabelPlaces.Place::anchor, LabelPlaces.Place::far)
        .containsExactly("start", false);
    assertThat(place.y()).isEqualTo(104);
  }
}
