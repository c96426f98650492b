package io.knack.contracts;

/**
 * A call that the assistant asks for.
 *
 * @param arguments a JSON object, as text
 */
public record ToolCall(String id, String name, String arguments) {}
