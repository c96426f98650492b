package io.knack.contracts.table;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import org.jspecify.annotations.Nullable;

/**
 * Copies a Parquet file without some rows, whatever its schema: columns that this version does not
 * know are kept as they are.
 */
final class ParquetRewrite {
  private ParquetRewrite() {}

  /**
   * Writes {@code to} only where the edit takes something away.
   *
   * @return what it took
   */
  static RowEdit.Count rewrite(Path from, Path to, RowEdit edit) throws IOException {
    MessageType schema = touched(from, edit);
    if (schema == null) {
      return RowEdit.Count.NONE;
    }
    long rows = 0;
    long elements = 0;
    try (ParquetReader<Group> reader = ParquetCodec.groups(new ParquetFile(from));
        ParquetWriter<Group> writer =
            ExampleParquetWriter.builder(new LocalOutputFile(to))
                .withType(schema)
                .withConf(new PlainParquetConfiguration())
                .withCompressionCodec(CompressionCodecName.ZSTD)
                .build()) {
      for (Group group = reader.read(); group != null; group = reader.read()) {
        GroupRow row = new GroupRow(group);
        if (!edit.keeps(row)) {
          rows++;
          continue;
        }
        long lost = lost(row, edit);
        elements += lost;
        writer.write(lost == 0 ? group : without(row, edit));
      }
    }
    return new RowEdit.Count(rows, elements);
  }

  /** The file's schema where the edit takes something away; null where it does not. */
  private static @Nullable MessageType touched(Path from, RowEdit edit) throws IOException {
    try (ParquetReader<Group> reader = ParquetCodec.groups(new ParquetFile(from))) {
      for (Group group = reader.read(); group != null; group = reader.read()) {
        GroupRow row = new GroupRow(group);
        if (!edit.keeps(row) || lost(row, edit) > 0) {
          return new MessageType(group.getType().getName(), group.getType().getFields());
        }
      }
      return null;
    }
  }

  private static long lost(GroupRow row, RowEdit edit) {
    long lost = 0;
    for (String column : edit.lists()) {
      for (String element : row.texts(column)) {
        lost += edit.keepsElement(row, column, element) ? 0 : 1;
      }
    }
    return lost;
  }

  private static Group without(GroupRow row, RowEdit edit) {
    GroupType type = row.group.getType();
    Group copy = new SimpleGroup(type);
    for (int field = 0; field < type.getFieldCount(); field++) {
      String column = type.getFieldName(field);
      boolean filtered = edit.lists().contains(column) && isList(type.getType(field));
      for (int i = 0; i < row.group.getFieldRepetitionCount(field); i++) {
        if (filtered) {
          Group list = row.group.getGroup(field, i);
          Group shorter = new SimpleGroup(list.getType());
          for (int e = 0; e < list.getFieldRepetitionCount(0); e++) {
            Group element = list.getGroup(0, e);
            boolean empty = element.getFieldRepetitionCount(0) == 0;
            if (empty || edit.keepsElement(row, column, element.getString(0, 0))) {
              shorter.add(0, element);
            }
          }
          copy.add(field, shorter);
        } else {
          copyValue(row.group, copy, field, i);
        }
      }
    }
    return copy;
  }

  private static void copyValue(Group from, Group to, int field, int index) {
    Type type = from.getType().getType(field);
    if (!type.isPrimitive()) {
      to.add(field, from.getGroup(field, index));
      return;
    }
    switch (type.asPrimitiveType().getPrimitiveTypeName()) {
      case INT32 -> to.add(field, from.getInteger(field, index));
      case INT64 -> to.add(field, from.getLong(field, index));
      case FLOAT -> to.add(field, from.getFloat(field, index));
      case DOUBLE -> to.add(field, from.getDouble(field, index));
      case BOOLEAN -> to.add(field, from.getBoolean(field, index));
      case BINARY, FIXED_LEN_BYTE_ARRAY -> to.add(field, from.getBinary(field, index));
      case INT96 -> to.add(field, from.getInt96(field, index));
    }
  }

  private static boolean isList(Type type) {
    return !type.isPrimitive()
        && type.getLogicalTypeAnnotation()
            instanceof LogicalTypeAnnotation.ListLogicalTypeAnnotation;
  }

  private record GroupRow(Group group) implements RowEdit.Row {
    @Override
    public @Nullable String text(String column) {
      GroupType type = group.getType();
      if (!type.containsField(column)
          || !type.getType(column).isPrimitive()
          || group.getFieldRepetitionCount(column) == 0) {
        return null;
      }
      return group.getValueToString(type.getFieldIndex(column), 0);
    }

    @Override
    public List<String> texts(String column) {
      GroupType type = group.getType();
      if (!type.containsField(column)
          || !isList(type.getType(column))
          || group.getFieldRepetitionCount(column) == 0) {
        return List.of();
      }
      Group list = group.getGroup(column, 0);
      List<String> texts = new ArrayList<>();
      for (int i = 0; i < list.getFieldRepetitionCount(0); i++) {
        Group element = list.getGroup(0, i);
        if (element.getFieldRepetitionCount(0) > 0) {
          texts.add(element.getString(0, 0));
        }
      }
      return texts;
    }
  }
}
