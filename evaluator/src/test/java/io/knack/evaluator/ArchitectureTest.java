package io.knack.evaluator;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** The judge knows the models, the solvers and the trackers, and no other stage. */
final class ArchitectureTest {
  private final JavaClasses module =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.knack.evaluator");

  @Test
  void evaluatorDependsOnTheGroundAlone() {
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "io.knack.evaluator..",
            "io.knack.contracts..",
            "io.knack.llm..",
            "io.knack.practice..",
            "io.knack.tracking..",
            "java..",
            "com.fasterxml.jackson..",
            "org.hipparchus..",
            "picocli..",
            "org.jspecify..",
            "org.slf4j..")
        .check(module);
  }

  @Test
  void statisticsKnowNoModelAndTheGateKnowsOnlyStatistics() {
    noClasses()
        .that()
        .resideInAnyPackage("io.knack.evaluator.statistics..", "io.knack.evaluator.gate..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.knack.llm..", "io.knack.practice..", "io.knack.tracking..")
        .check(module);
  }
}
