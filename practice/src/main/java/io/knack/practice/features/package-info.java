/** Text features: what mining, retrieval and triggers measure similarity with. */
@NullMarked
package io.knack.practice.features;

import org.jspecify.annotations.NullMarked;
