/**
 * When: the night as a graph of stage processes, run by hand ({@code ./knack night}) or by cron
 * ({@code ./knack schedule}). Knows the stages by name and exit code only.
 */
@NullMarked
package io.knack.scheduler;

import org.jspecify.annotations.NullMarked;
