/**
 * What is seen: runs, parameters, metrics, artifacts and model versions, in MLflow or in local
 * files.
 *
 * <p>Everything that is recorded goes to a {@link io.knack.tracking.Spool} first: one append-only
 * file of JSON lines per process under {@code <home>/tracking}. Without a server that file is the
 * record. With one, a thread of {@link io.knack.tracking.MlflowSender} reads the file and sends
 * what it holds; what could not be sent stays and is sent by a later process. A caller never waits
 * for the server and never hears of its troubles except by {@link
 * io.knack.tracking.RunTracker#pending()}.
 */
@NullMarked
package io.knack.tracking;

import org.jspecify.annotations.NullMarked;
