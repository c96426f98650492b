package io.knack.spark.imports;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.knack.contracts.store.Digests;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Reads the records of a slice, one after the other; never fails for what a file holds. */
final class SliceReader {
  static final ObjectMapper JSON =
      JsonMapper.builder(InputFiles.jsonFactory())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  static final String NO_TEXT = "not in the character set of the plan's encoding";

  /** A trace or a document of one value is no line. */
  private static final long MAX_ELEMENT_BYTES = 64L << 20;

  private final ImportPlan plan;
  private final Charset charset;

  SliceReader(ImportPlan plan) {
    this.plan = plan;
    Charset named = Charset.forName(plan.encoding());
    // Wide encodings were turned into UTF-8 on the way in.
    this.charset =
        named.name().startsWith("UTF-16") || named.name().startsWith("UTF-32")
            ? StandardCharsets.UTF_8
            : named;
  }

  /** Reads on a record at a time, so that no file has to fit into memory. */
  interface Steps extends Closeable {
    /** Reads on a bit; false at the end. */
    boolean step(Consumer<RawRecord> sink) throws IOException;
  }

  Steps open(Slice slice) {
    InputFile file = slice.file();
    try {
      InputStream in =
          slice.start() > 0
              ? at(slice)
              : InputFiles.open(file.file(), file.compression(), plan.encoding());
      Steps inner =
          switch (file.layout()) {
            case LINES -> lines(in, slice);
            case CSV -> csv(in);
            case DOCUMENT -> elements(in);
            case PARQUET -> throw new IllegalStateException("Parquet is read by Spark");
          };
      return new Guarded(inner, file);
    } catch (IOException e) {
      return new Guarded(
          new Steps() {
            @Override
            public boolean step(Consumer<RawRecord> sink) throws IOException {
              throw new IOException("unreadable", e);
            }

            @Override
            public void close() {}
          },
          file);
    }
  }

  /** A file that fails ends with a record that says so. */
  private static final class Guarded implements Steps {
    private final Steps inner;
    private final InputFile file;
    private boolean ended;

    Guarded(Steps inner, InputFile file) {
      this.inner = inner;
      this.file = file;
    }

    @Override
    public boolean step(Consumer<RawRecord> sink) throws IOException {
      if (ended) {
        return false;
      }
      try {
        ended = !inner.step(sink);
      } catch (IOException e) {
        ended = true;
        sink.accept(
            RawRecord.broken(
                0,
                0,
                "file cannot be read: damaged, cut off or gone",
                Digests.sha256(file.source())));
      }
      if (ended) {
        inner.close();
      }
      return !ended;
    }

    @Override
    public void close() throws IOException {
      inner.close();
    }
  }

  private static InputStream at(Slice slice) throws IOException {
    FileChannel channel = FileChannel.open(slice.file().file());
    channel.position(slice.start() - 1);
    return new BufferedInputStream(Channels.newInputStream(channel), 1 << 16);
  }

  private Steps lines(InputStream in, Slice slice) throws IOException {
    long offset = slice.start();
    long number = 1 + slice.newlinesBefore();
    if (offset > 0 && in.read() != '\n') {
      int c = 0;
      while (c >= 0 && c != '\n') {
        c = in.read();
        offset++;
      }
      if (c < 0) {
        offset = slice.end();
      }
      number++;
    }
    Lines lines = new Lines(in, offset, number, slice.end(), plan.maxLineBytes());
    return new Steps() {
      @Override
      public boolean step(Consumer<RawRecord> sink) {
        Lines.Line line = lines.next();
        if (line != null) {
          line(line, sink);
        }
        return line != null;
      }

      @Override
      public void close() throws IOException {
        in.close();
      }
    };
  }

  private void line(Lines.Line line, Consumer<RawRecord> sink) {
    byte[] bytes = line.bytes();
    if (bytes == null) {
      sink.accept(broken(line, String.valueOf(line.problem())));
      return;
    }
    String text = decode(bytes);
    if (text == null) {
      sink.accept(broken(line, NO_TEXT));
      return;
    }
    if (line.number() == 1 && text.startsWith("\uFEFF")) {
      text = text.substring(1);
    }
    if (text.isBlank()) {
      return;
    }
    try {
      JsonNode value = JSON.readTree(text);
      if (value.isObject()) {
        sink.accept(RawRecord.of(line.number(), line.offset(), value, line.digest()));
      } else if (value.isArray() && !value.isEmpty()) {
        for (JsonNode element : value) {
          sink.accept(
              RawRecord.of(
                  line.number(), line.offset(), element, Digests.sha256(element.toString())));
        }
      } else {
        sink.accept(broken(line, "line is JSON, but no object"));
      }
    } catch (JsonProcessingException e) {
      sink.accept(broken(line, "line is no JSON"));
    } catch (StackOverflowError e) {
      sink.accept(broken(line, "JSON is nested too deeply"));
    }
  }

  private static RawRecord broken(Lines.Line line, String reason) {
    return RawRecord.broken(line.number(), line.offset(), reason, line.digest());
  }

  private Steps csv(InputStream in) {
    CsvReader reader =
        new CsvReader(new Lines(in, 0, 1, Long.MAX_VALUE, plan.maxLineBytes()), this::decode);
    return each(in, reader::next);
  }

  private Steps elements(InputStream in) {
    Elements elements =
        new Elements(in, Math.max(MAX_ELEMENT_BYTES, plan.maxLineBytes()), this::decode);
    return each(in, elements::next);
  }

  private static Steps each(InputStream in, Supplier<@Nullable RawRecord> records) {
    return new Steps() {
      @Override
      public boolean step(Consumer<RawRecord> sink) {
        RawRecord record = records.get();
        if (record != null) {
          sink.accept(record);
        }
        return record != null;
      }

      @Override
      public void close() throws IOException {
        in.close();
      }
    };
  }

  /** Column names of a CSV file. */
  List<String> header(InputFile file) throws IOException {
    try (InputStream in = InputFiles.open(file.file(), file.compression(), plan.encoding())) {
      return new CsvReader(new Lines(in, 0, 1, Long.MAX_VALUE, plan.maxLineBytes()), this::decode)
          .header();
    }
  }

  private @Nullable String decode(byte[] bytes) {
    try {
      return charset
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(bytes))
          .toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }
}
