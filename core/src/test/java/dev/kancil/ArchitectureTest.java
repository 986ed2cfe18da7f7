package dev.kancil;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Who may know whom, from the public API down to tensors. */
class ArchitectureTest {
  private static final String ROOT = "dev.kancil";
  // Of core alone: other modules are not on the class path of its tests.
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages(ROOT);

  @Test
  void eachLayerKnowsOnlyThoseBelow() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .withOptionalLayers(true)
        .layer("api")
        .definedBy(ROOT)
        .layer("engine")
        .definedBy(ROOT + ".engine..")
        .layer("family")
        .definedBy(ROOT + ".family..")
        .layer("text")
        .definedBy(ROOT + ".text..")
        .layer("format")
        .definedBy(ROOT + ".format..")
        .layer("backend")
        .definedBy(ROOT + ".backend..")
        .layer("graph")
        .definedBy(ROOT + ".graph..")
        .layer("image")
        .definedBy(ROOT + ".image..")
        .layer("tensor")
        .definedBy(ROOT + ".tensor..")
        .whereLayer("engine")
        .mayOnlyBeAccessedByLayers("api")
        .whereLayer("family")
        .mayOnlyBeAccessedByLayers("api", "engine", "image")
        .whereLayer("text")
        .mayOnlyBeAccessedByLayers("api", "engine", "family")
        .whereLayer("format")
        .mayOnlyBeAccessedByLayers("api", "engine", "family", "text", "image")
        .whereLayer("backend")
        .mayOnlyBeAccessedByLayers("api", "engine", "family")
        .whereLayer("image")
        .mayOnlyBeAccessedByLayers("api")
        .whereLayer("graph")
        .mayOnlyBeAccessedByLayers("api", "engine", "family", "backend")
        // Exceptions are the one thing of the top that all may know.
        .ignoreDependency(
            com.tngtech.archunit.base.DescribedPredicate.alwaysTrue(),
            com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo(
                KancilException.class))
        .whereLayer("api")
        .mayNotBeAccessedByAnyLayer()
        .check(CLASSES);
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void commonCodeNamesNoBackend() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + ".backend.reference..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(ROOT + ".backend.reference..")
        .check(CLASSES);
  }

  @Test
  void fusionsKnowNoBackendAndKernelsNoFusion() {
    noClasses()
        .that(resideInAPackage(ROOT + ".graph.."))
        .should()
        .dependOnClassesThat(resideInAPackage(ROOT + ".backend.."))
        .check(CLASSES);
    noClasses()
        .that(resideInAPackage(ROOT + ".backend.."))
        .should()
        .dependOnClassesThat(resideInAPackage(ROOT + ".graph.fusion.."))
        .check(CLASSES);
  }

  @Test
  void coreNeedsOnlyTheJdkAndSlf4jAndAnnotations() {
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(ROOT + "..", "java..", "org.slf4j..", "org.jspecify..")
        .check(CLASSES);
  }

  @Test
  void everyPackageHasALayer() {
    Set<String> known =
        Set.of("", "engine", "family", "text", "format", "backend", "graph", "image", "tensor");
    Set<String> found = new TreeSet<>();
    CLASSES.forEach(
        type -> {
          String below = type.getPackageName().substring(ROOT.length());
          found.add(below.isEmpty() ? "" : below.substring(1).replaceAll("\\..*", ""));
        });
    assertThat(known).containsAll(found);
  }
}
