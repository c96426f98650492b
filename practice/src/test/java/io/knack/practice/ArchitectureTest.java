package io.knack.practice;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

class ArchitectureTest {
  private final JavaClasses ours =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.knack.practice");

  @Test
  void knowsContractsAndTheModelPortAlone() {
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "java..",
            "io.knack.practice..",
            "io.knack.contracts..",
            "io.knack.llm..",
            "com.fasterxml.jackson..",
            "com.networknt.schema..",
            "picocli..",
            "org.jspecify..",
            "com.google.errorprone..",
            "org.slf4j..")
        .check(ours);
  }

  @Test
  void featuresKnowNothingOfSolving() {
    noClasses()
        .that()
        .resideInAPackage("..features..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("..solve..", "..verify..", "..route..", "..prompt..")
        .check(ours);
  }

  @Test
  void verifiersKnowNothingOfSolvers() {
    noClasses()
        .that()
        .resideInAPackage("..verify..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("..solve..", "..route..")
        .check(ours);
  }
}
