package io.knack.spark.mine;

import java.io.Serializable;

/**
 * Interactions with one signature, folded: what is embedded and clustered.
 *
 * @param index position among the nodes sorted by tenant and key
 * @param copies interactions that it stands for
 */
record Node(int index, String tenant, String key, String text, int copies)
    implements Serializable {}
