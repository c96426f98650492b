/** The command line of every module: parsing, the errors a user sees, exit codes, progress. */
@NullMarked
package io.knack.contracts.cli;

import org.jspecify.annotations.NullMarked;
