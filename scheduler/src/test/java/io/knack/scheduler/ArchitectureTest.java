package io.knack.scheduler;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** The scheduler knows contracts and Quartz; stages are names to it. */
final class ArchitectureTest {
  @Test
  void theSchedulerKnowsNoStage() {
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "io.knack.scheduler..",
            "io.knack.contracts..",
            "java..",
            "com.sun.net.httpserver..",
            "com.fasterxml.jackson..",
            "picocli..",
            "org.quartz..",
            "org.jspecify..")
        .check(
            new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("io.knack.scheduler"));
  }
}
