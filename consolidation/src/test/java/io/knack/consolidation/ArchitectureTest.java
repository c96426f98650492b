package io.knack.consolidation;

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
          .importPackages("io.knack.consolidation");

  @Test
  void knowsNoOtherStageAndNoEngine() {
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "java..",
            "io.knack.consolidation..",
            "io.knack.contracts..",
            "io.knack.practice..",
            "io.knack.llm..",
            "io.knack.tracking..",
            "com.fasterxml.jackson..",
            "picocli..",
            "org.jspecify..",
            "com.google.errorprone..",
            "org.slf4j..")
        .check(ours);
  }

  @Test
  void theLedgerKnowsNothingOfModels() {
    noClasses()
        .that()
        .resideInAnyPackage("..ledger..", "..draft..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.knack.llm..", "..reflect..", "..episodes..")
        .check(ours);
  }
}
