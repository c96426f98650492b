/**
 * The stage protocol of {@code docs/architecture.md}: what a stage is, and all that it need not
 * care about.
 */
@NullMarked
package io.knack.contracts.stage;

import org.jspecify.annotations.NullMarked;
