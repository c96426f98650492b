/**
 * Prompts, as versioned resources, in a form for instruct models and a short one for small models.
 */
@NullMarked
package io.knack.practice.prompt;

import org.jspecify.annotations.NullMarked;
