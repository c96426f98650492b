package io.knack.contracts.catalogue;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.id.Id;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.table.Shape;
import java.lang.reflect.AnnotatedParameterizedType;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * JSON Schema (draft 2020-12) of a record that Knack writes as JSON. Every component is required,
 * also where it may be null, but for those that are left out when they are empty; further fields
 * are allowed, since a newer writer may say more.
 */
final class JsonSchemas {
  private JsonSchemas() {}

  static ObjectNode of(Class<? extends Record> type) {
    ObjectNode schema = object();
    schema.put("$schema", "https://json-schema.org/draft/2020-12/schema");
    schema.put("title", type.getSimpleName());
    schema.setAll(record(type));
    return schema;
  }

  private static ObjectNode record(Class<?> type) {
    ObjectNode schema = object().put("type", "object");
    ObjectNode properties = schema.putObject("properties");
    ArrayNode required = schema.putArray("required");
    for (RecordComponent component : type.getRecordComponents()) {
      String name = Shape.snakeCase(component.getName());
      AnnotatedType annotated = component.getAnnotatedType();
      ObjectNode property = of(component.getGenericType(), annotated);
      properties.set(
          name, annotated.isAnnotationPresent(Nullable.class) ? orNull(property) : property);
      if (!component.getAccessor().isAnnotationPresent(JsonInclude.class)) {
        required.add(name);
      }
    }
    return schema;
  }

  private static ObjectNode of(Type type, AnnotatedType annotated) {
    if (type instanceof ParameterizedType generic
        && annotated instanceof AnnotatedParameterizedType arguments) {
      Type[] types = generic.getActualTypeArguments();
      AnnotatedType[] annotations = arguments.getAnnotatedActualTypeArguments();
      if (generic.getRawType() == List.class) {
        ObjectNode schema = object().put("type", "array");
        schema.set("items", of(types[0], annotations[0]));
        return schema;
      }
      if (generic.getRawType() instanceof Class<?> raw && Map.class.isAssignableFrom(raw)) {
        ObjectNode schema = object().put("type", "object");
        schema.set("additionalProperties", of(types[1], annotations[1]));
        return schema;
      }
    }
    if (type instanceof Class<?> plain) {
      return ofClass(plain);
    }
    throw new IllegalArgumentException("no JSON Schema for a " + type.getTypeName());
  }

  private static ObjectNode ofClass(Class<?> type) {
    if (type == String.class) {
      return object().put("type", "string");
    }
    if (Id.class.isAssignableFrom(type)) {
      return object().put("type", "string").put("minLength", 1).put("maxLength", Id.MAX_LENGTH);
    }
    if (type == boolean.class || type == Boolean.class) {
      return object().put("type", "boolean");
    }
    if (type == int.class || type == Integer.class || type == long.class || type == Long.class) {
      return object().put("type", "integer");
    }
    if (type == double.class
        || type == Double.class
        || type == float.class
        || type == Float.class) {
      return object().put("type", "number");
    }
    if (type == Instant.class) {
      return object().put("type", "string").put("format", "date-time");
    }
    if (type == LocalDate.class) {
      return object().put("type", "string").put("format", "date");
    }
    if (type.isEnum()) {
      ObjectNode schema = object();
      ArrayNode values = schema.putArray("enum");
      boolean lowerCase =
          Arrays.stream(type.getMethods())
              .anyMatch(method -> method.isAnnotationPresent(JsonValue.class));
      for (Object constant : type.getEnumConstants()) {
        String name = ((Enum<?>) constant).name();
        values.add(lowerCase ? name.toLowerCase(Locale.ROOT) : name);
      }
      return schema;
    }
    if (type.isRecord()) {
      return record(type);
    }
    JsonSubTypes subTypes = type.getAnnotation(JsonSubTypes.class);
    JsonTypeInfo typeInfo = type.getAnnotation(JsonTypeInfo.class);
    if (subTypes != null && typeInfo != null) {
      ObjectNode schema = object();
      ArrayNode oneOf = schema.putArray("oneOf");
      for (JsonSubTypes.Type subType : subTypes.value()) {
        ObjectNode alternative = record(subType.value());
        ((ObjectNode) alternative.get("properties"))
            .putObject(typeInfo.property())
            .put("const", subType.name());
        ((ArrayNode) alternative.get("required")).add(typeInfo.property());
        oneOf.add(alternative);
      }
      return schema;
    }
    if (type == Object.class) {
      return object();
    }
    throw new IllegalArgumentException("no JSON Schema for a " + type.getName());
  }

  private static ObjectNode orNull(ObjectNode schema) {
    ObjectNode either = object();
    ArrayNode anyOf = either.putArray("anyOf");
    anyOf.add(schema);
    anyOf.addObject().put("type", "null");
    return either;
  }

  private static ObjectNode object() {
    return Jsons.mapper().createObjectNode();
  }
}
