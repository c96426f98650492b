package io.knack.llm.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AvailableMemoryTest {
  private static final long GIB = 1L << 30;

  @TempDir Path root;

  @Test
  void aContainersLimitCountsWhateverItsHostHas() throws IOException {
    assertThat(AvailableMemory.below(root)).isEqualTo(Long.MAX_VALUE);
    file("proc/meminfo", "MemTotal: 134217728 kB\nMemAvailable:   104857600 kB\n");
    assertThat(AvailableMemory.below(root)).isEqualTo(100 * GIB);
    file("sys/fs/cgroup/memory.max", "max\n");
    file("sys/fs/cgroup/memory.current", GIB + "\n");
    assertThat(AvailableMemory.below(root)).isEqualTo(100 * GIB);
    file("sys/fs/cgroup/memory.max", 8 * GIB + "\n");
    assertThat(AvailableMemory.below(root)).isEqualTo(7 * GIB);
    file("sys/fs/cgroup/memory.current", 6 * GIB + "\n");
    file("sys/fs/cgroup/memory.stat", "anon 1\ninactive_anon 2\ninactive_file " + 4 * GIB + "\n");
    assertThat(AvailableMemory.below(root)).as("files read before").isEqualTo(6 * GIB);
  }

  @Test
  void theFirstVersionOfControlGroupsTooAndNoLimitThere() throws IOException {
    file("proc/meminfo", "MemAvailable: 104857600 kB\n");
    file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    file("sys/fs/cgroup/memory/memory.usage_in_bytes", 3 * GIB + "\n");
    assertThat(AvailableMemory.below(root)).isEqualTo(100 * GIB);
    file("sys/fs/cgroup/memory/memory.limit_in_bytes", 4 * GIB + "\n");
    assertThat(AvailableMemory.below(root)).isEqualTo(GIB);
  }

  private void file(String name, String text) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }
}
