/** Which memory a problem gets. */
@NullMarked
package io.knack.practice.route;

import org.jspecify.annotations.NullMarked;
