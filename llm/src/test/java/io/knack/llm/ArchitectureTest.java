package io.knack.llm;

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
          .importPackages("io.knack.llm");

  @Test
  void knowsContractsAndTheEngineAlone() {
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "java..",
            "jdk.incubator.vector..",
            "com.sun.management..",
            "io.knack.llm..",
            "io.knack.contracts..",
            "ai.djl..",
            "com.fasterxml.jackson..",
            "picocli..",
            "org.jspecify..",
            "com.google.errorprone..",
            "org.slf4j..")
        .check(ours);
  }

  @Test
  void thePortKnowsNoImplementation() {
    noClasses()
        .that()
        .resideInAPackage("io.knack.llm")
        .and()
        .doNotHaveFullyQualifiedName("io.knack.llm.Main")
        .and()
        .doNotHaveFullyQualifiedName("io.knack.llm.Main$Bench")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.knack.llm.local..", "io.knack.llm.http..", "ai.djl..")
        .check(ours);
  }

  @Test
  void templatesAndEndpointsKnowNoEngine() {
    noClasses()
        .that()
        .resideInAnyPackage("io.knack.llm.text.jinja..", "io.knack.llm.http..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("ai.djl..")
        .check(ours);
  }
}
