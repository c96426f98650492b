/**
 * The part of Jinja that chat templates are written in, as a closed interpreter.
 *
 * <p>A template comes with a checkpoint, so it is hostile input: it sees values and the functions
 * of this package, never Java, files or the environment, and its output, steps, time and depth are
 * bounded by {@link io.knack.llm.text.jinja.Limits}. What is not known is refused with its name and
 * line; nothing is skipped silently.
 *
 * <p>Values are Python's: {@code None.NONE}, {@link java.lang.Boolean}, {@link java.lang.Long},
 * {@link java.lang.Double}, {@link java.lang.String}, {@link java.util.List}, {@link
 * java.util.Map}, and the package's own {@code Undefined}, {@code Generated}, {@code Namespace} and
 * callables.
 *
 * <p>The flow is {@code Lexer -> Parser -> Node -> Interpreter} for statements and {@code
 * ExpressionParser -> Expr -> Evaluation} for what is in them; {@code Meter} counts what it costs;
 * {@code Values}, {@code Filters}, {@code Tests} and {@code Methods} hold Python's semantics.
 * Reference: Jinja 3.1's template designer documentation and the environment that transformers sets
 * up ({@code trim_blocks}, {@code lstrip_blocks}, loop controls, {@code generation}).
 */
@NullMarked
package io.knack.llm.text.jinja;

import org.jspecify.annotations.NullMarked;
