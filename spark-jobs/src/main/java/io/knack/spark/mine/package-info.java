/**
 * Stage {@code mine}: from logged interactions to problems that keep coming back.
 *
 * <p>Interactions fold into nodes (one signature of one tenant); nodes get vectors in a learnt
 * {@link io.knack.practice.features.HashedSpace}, their nearest neighbours by cells, and a graph of
 * shared neighbours; communities of that graph are families, finer communities inside a family are
 * clusters, and a node that its own cluster does not surround belongs to none.
 */
@NullMarked
package io.knack.spark.mine;

import org.jspecify.annotations.NullMarked;
