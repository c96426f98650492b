package io.knack.contracts;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** The ground floor knows no engine, no server and no other module. */
final class ArchitectureTest {
  @Test
  void contractsDependOnNothingAboveThem() {
    JavaClasses module =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.knack.contracts");
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "io.knack.contracts..",
            "java..",
            "javax.crypto..",
            "com.sun.management..",
            "com.fasterxml.jackson..",
            "picocli..",
            "org.apache.parquet..",
            "org.apache.hadoop.conf..",
            "org.jspecify..",
            "org.slf4j..")
        .check(module);
  }
}
