package io.knack.sandbox;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

class ArchitectureTest {
  private final JavaClasses ours =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.knack.sandbox");

  @Test
  void theWorldKnowsNothingOfModelsOrStages() {
    classes()
        .that()
        .resideInAPackage("..world..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "java..", "io.knack.sandbox.world..", "io.knack.practice.prompt..", "org.jspecify..")
        .check(ours);
  }

  @Test
  void nothingButKnackAndItsCommandLine() {
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "java..",
            "io.knack..",
            "com.fasterxml.jackson..",
            "picocli..",
            "org.jspecify..",
            "com.google.errorprone..")
        .check(ours);
  }
}
