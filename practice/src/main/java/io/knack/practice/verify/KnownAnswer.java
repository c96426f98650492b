package io.knack.practice.verify;

/** An answer whose outcome is known. */
public record KnownAnswer(Check check, boolean right) {}
