/**
 * The contracts as documents: a page for people and JSON Schemas for tools, made from the records.
 */
@NullMarked
package io.knack.contracts.catalogue;

import org.jspecify.annotations.NullMarked;
