/** What may be promoted: a policy, the tests that gather evidence, and the rule that decides. */
@NullMarked
package io.knack.evaluator.gate;

import org.jspecify.annotations.NullMarked;
