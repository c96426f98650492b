package io.knack.tracking;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Tracking knows contracts and MLflow; no engine, and no stage. */
final class ArchitectureTest {
  @Test
  void trackingKnowsNoEngineAndNoStage() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "ai.djl..",
            "org.apache.spark..",
            "org.quartz..",
            "io.knack.llm..",
            "io.knack.practice..",
            "io.knack.spark..",
            "io.knack.trainer..",
            "io.knack.consolidation..",
            "io.knack.evaluator..",
            "io.knack.scheduler..",
            "io.knack.sandbox..")
        .check(
            new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("io.knack.tracking"));
  }
}
