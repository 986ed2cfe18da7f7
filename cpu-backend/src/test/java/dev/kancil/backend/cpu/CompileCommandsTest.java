package dev.kancil.backend.cpu;

import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.Label;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.BranchInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LabelTarget;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class CompileCommandsTest {
  static final Path COMMANDS = Path.of("src/main/hotspot/kernels.commands");
  private static final String VECTORS = "jdk/incubator/vector/";
  private static final Path CLASSES = Path.of("target/classes/dev/kancil/backend/cpu");

  @Test
  void everyLoopOverVectorsIsCompiledByItself() throws IOException {
    assertThat(methods(method -> usesVectors(method) && hasLoop(method)))
        .isNotEmpty()
        .isEqualTo(commanded("dontinline "));
  }

  @Test
  void whatPassesVectorsIsAlwaysInlined() throws IOException {
    assertThat(methods(CompileCommandsTest::passesVectors))
        .isNotEmpty()
        .isEqualTo(commanded("inline "))
        .doesNotContainAnyElementsOf(commanded("dontinline "));
  }

  private static SortedSet<String> methods(Predicate<MethodModel> which) throws IOException {
    SortedSet<String> found = new TreeSet<>();
    try (Stream<Path> files = Files.list(CLASSES)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".class")).toList()) {
        ClassModel model = ClassFile.of().parse(file);
        String name = model.thisClass().asInternalName().replace('/', '.');
        for (MethodModel method : model.methods()) {
          if (which.test(method)) {
            found.add(name + "::" + method.methodName().stringValue());
          }
        }
      }
    }
    return found;
  }

  static SortedSet<String> commanded(String command) throws IOException {
    try (Stream<String> lines = Files.lines(COMMANDS)) {
      return lines
          .filter(line -> line.startsWith(command))
          .map(line -> line.substring(command.length()))
          .collect(toCollection(TreeSet::new));
    }
  }

  private static boolean passesVectors(MethodModel method) {
    return method.methodType().stringValue().contains(VECTORS);
  }

  private static boolean usesVectors(MethodModel method) {
    return elements(method).stream()
        .anyMatch(
            element ->
                element instanceof InvokeInstruction call
                    && call.owner().asInternalName().startsWith(VECTORS));
  }

  private static boolean hasLoop(MethodModel method) {
    Set<Label> passed = new HashSet<>();
    for (CodeElement element : elements(method)) {
      switch (element) {
        case LabelTarget target -> passed.add(target.label());
        case BranchInstruction branch when passed.contains(branch.target()) -> {
          return true;
        }
        default -> {}
      }
    }
    return false;
  }

  private static List<CodeElement> elements(MethodModel method) {
    return method.code().map(code -> code.elementList()).orElse(List.of());
  }
}
