package io.knack.trainer;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** The trainer knows what computes, through llm alone, and no other stage. */
final class ArchitectureTest {
  private final JavaClasses module =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.knack.trainer");

  @Test
  void trainerDependsOnTheGroundAndOnLlm() {
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "io.knack.trainer..",
            "io.knack.contracts..",
            "io.knack.llm..",
            "io.knack.tracking..",
            "java..",
            "com.fasterxml.jackson..",
            "picocli..",
            "org.jspecify..",
            "org.slf4j..")
        .check(module);
  }
}
