package io.knack.practice.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.knack.contracts.SparseVector;
import io.knack.contracts.stage.ContractException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On a tiny random encoder: what is kept and found again, not what it means. */
final class EncodedSpaceTest {
  private static final Path ENCODER =
      Path.of(System.getProperty("knack.root", ".."), "llm/src/test/resources/encoder/mean");
  private static final List<String> LOG =
      List.of(
          "where is my card", "my card has not come", "how much is the fee", "close the account");

  @TempDir Path dir;

  @Test
  void aSpaceReadFromItsFileGivesTheSameVectors() {
    SentenceEncoder encoder = SentenceEncoder.open(ENCODER);
    EncodedSpace space = EncodedSpace.fit(encoder, LOG, encoder.embed(LOG), 1);
    space.save(dir.resolve("space"));
    FeatureSpace read = FeatureSpace.load(dir.resolve("space"), Encoders.none().at(ENCODER));

    assertThat(read.digest()).isEqualTo(space.digest());
    SparseVector asked = read.vector("where is my card");
    assertThat(asked).isEqualTo(space.vector("where is my card"));
    assertThat(read.similarity(asked, asked)).isCloseTo(1, within(1e-5));
    assertThat(TextVector.of(asked, space.denseWidth()).dense())
        .containsExactly(space.features("where is my card").dense());
    assertThat(space.digest()).isNotEqualTo(HashedSpace.fit(LOG, 1).digest());
  }

  @Test
  void theCacheFindsWhatWasAddedAndNothingElse() {
    VectorCache cache = VectorCache.open(dir.resolve("cache"));
    cache.add(
        LOG.subList(0, 3), List.of(new float[] {1, 0}, new float[] {0, 1}, new float[] {2, 3}));
    cache.add(LOG.subList(3, 4), List.of(new float[] {4, 5}));
    assertThat(cache.find(LOG.get(0))).isNull();

    VectorCache later = VectorCache.open(dir.resolve("cache"));
    assertThat(later.find(LOG.get(0))).containsExactly(1, 0);
    assertThat(later.find(LOG.get(2))).containsExactly(2, 3);
    assertThat(later.find(LOG.get(3))).containsExactly(4, 5);
    assertThat(later.find("another")).isNull();
  }

  @Test
  void vectorsComeFromTheCacheWhereItHasThem() {
    SentenceEncoder encoder = SentenceEncoder.open(ENCODER);
    List<float[]> vectors = encoder.embed(LOG);
    VectorCache.open(dir).add(List.of("never encoded"), List.of(vectors.get(1)));
    EncodedSpace space = EncodedSpace.fit(encoder, LOG, vectors, 1).with(VectorCache.open(dir));

    assertThat(space.features("never encoded").dense())
        .containsExactly(space.features(LOG.get(1)).dense());
  }

  @Test
  void aSpaceFindsItsEncoderWhereTheWorkspaceNotedItAndVectorsInItsCache() {
    SentenceEncoder encoder = SentenceEncoder.open(ENCODER);
    List<float[]> vectors = encoder.embed(LOG);
    EncodedSpace space = EncodedSpace.fit(encoder, LOG, vectors, 1);
    space.save(dir.resolve("space"));
    assertThatThrownBy(() -> FeatureSpace.load(dir.resolve("space"), Encoders.of(dir)))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("made with the sentence encoder mean (digest ")
        .hasMessageContaining("--encoder DIR");

    Encoders.of(dir).note(encoder);
    VectorCache.open(Encoders.vectors(dir, encoder.digest()))
        .add(List.of("never encoded"), List.of(vectors.get(1)));
    FeatureSpace read = FeatureSpace.load(dir.resolve("space"), Encoders.of(dir));
    assertThat(read.vectors(List.of("never encoded", LOG.get(2))))
        .containsExactly(space.vector(LOG.get(1)), space.vector(LOG.get(2)));
  }

  @Test
  void manySmallFilesOfTheCacheBecomeOne() throws IOException {
    for (int i = 0; i < 40; i++) {
      VectorCache.open(dir).add(List.of("text " + i), List.of(new float[] {i, -i}));
    }
    Files.write(
        dir.resolve("cut.vectors"), new byte[] {'K', 'N', 'V', '1', 0, 0, 0, 2, 0, 0, 0, 9});
    VectorCache cache = VectorCache.open(dir).compacted();
    try (Stream<Path> files = Files.list(dir)) {
      assertThat(files.map(Path::getFileName).map(Path::toString))
          .hasSize(2)
          .contains("cut.vectors");
    }
    assertThat(cache.size()).isEqualTo(40);
    for (int i = 0; i < 40; i++) {
      assertThat(cache.find("text " + i)).containsExactly(i, -i);
    }
  }

  @Test
  void aMissingEncoderIsNamed() {
    assertThatThrownBy(() -> SentenceEncoder.open(dir.resolve("nowhere")))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("nowhere")
        .hasMessageContaining("config.json");
  }
}
