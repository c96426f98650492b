package io.knack.spark;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

final class ArchitectureTest {
  private final JavaClasses classes =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.knack.spark");

  @Test
  void knowsOnlyWhatLiesBeforeIt() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "io.knack.trainer..",
            "io.knack.consolidation..",
            "io.knack.evaluator..",
            "io.knack.scheduler..",
            "io.knack.sandbox..",
            "ai.djl..",
            "org.quartz..")
        .check(classes);
  }

  @Test
  void framesKnowsNoJob() {
    noClasses()
        .that()
        .resideInAPackage("io.knack.spark.frame..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "io.knack.spark.imports..", "io.knack.spark.mine..", "io.knack.spark.curate..")
        .check(classes);
  }
}
