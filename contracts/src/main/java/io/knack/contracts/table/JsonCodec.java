package io.knack.contracts.table;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Records as JSON with the table's column names: what {@code show --json} prints. */
final class JsonCodec {
  private static final ObjectMapper JSON = new ObjectMapper();

  private JsonCodec() {}

  /** One line; columns in the order of the record's components, map keys sorted, null written. */
  static String line(Shape.Struct shape, Object row) {
    try {
      return JSON.writeValueAsString(tree(shape, row));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  static @Nullable Object tree(Shape shape, @Nullable Object value) {
    if (value == null) {
      return null;
    }
    if (shape instanceof Shape.Scalar scalar) {
      if (value instanceof Instant || value instanceof LocalDate) {
        return value.toString();
      }
      Object carrier = scalar.store().apply(value);
      if (carrier instanceof Double number && Double.isFinite(number)) {
        return new BigDecimal(number.toString()).stripTrailingZeros();
      }
      return carrier;
    }
    if (shape instanceof Shape.Struct struct) {
      Map<String, @Nullable Object> columns = new LinkedHashMap<>();
      for (int i = 0; i < struct.fields().size(); i++) {
        Shape.Field field = struct.fields().get(i);
        columns.put(field.column(), tree(field.shape(), struct.read(value, i)));
      }
      return columns;
    }
    if (shape instanceof Shape.ListOf list) {
      List<@Nullable Object> elements = new ArrayList<>();
      for (Object element : (List<?>) value) {
        elements.add(tree(list.element(), element));
      }
      return elements;
    }
    Map<String, @Nullable Object> entries = new TreeMap<>();
    for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
      entries.put((String) entry.getKey(), tree(((Shape.MapOf) shape).value(), entry.getValue()));
    }
    return entries;
  }
}
