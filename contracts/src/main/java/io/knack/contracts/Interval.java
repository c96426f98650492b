package io.knack.contracts;

/** An estimate with its confidence bounds. */
public record Interval(double estimate, double low, double high) {}
