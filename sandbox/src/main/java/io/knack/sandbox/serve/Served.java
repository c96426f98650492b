package io.knack.sandbox.serve;

import io.knack.practice.route.Route;
import io.knack.practice.solve.Solution;
import io.knack.sandbox.world.Request;

/** A request, where it went, and what became of it. */
public record Served(Request request, Route route, Solution solution) {}
