package dev.kancil.conformance;

import dev.kancil.conformance.Result.Status;
import dev.kancil.tensor.DataType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * {@code docs/ops.md}: which operation runs on which device with which types, a section for each
 * device. Each backend's tests write and check their own section.
 */
public final class OpsDocument {
  private static final String INTRODUCTION =
      """
      # What runs where

      Written by the conformance suite, which runs every operation with every type and odd sizes on a
      device, between guard zones, and compares with the scalar reference. Don't edit: the tests of
      a backend check their section, and rewrite it when run with `-Dkancil.updateDocs=true`.

      ✓ all cases pass · parts: the fused operation runs as the operations that define it · some: some
      sizes or settings are refused · – refused, with an error that names the operation and the type ·
      empty: there is no such case. Columns are the types of weights, or of cached keys and values.
      CacheWrite is tested by the Attention that reads what it wrote.
      """;

  private static final Pattern SECTION = Pattern.compile("(?m)^(?=## )");

  private OpsDocument() {}

  /**
   * The document with the report's section in place of the device's old one, or added at its place
   * in alphabetical order.
   *
   * @param document the present text; empty where there is none
   */
  public static String update(String document, Report report) {
    Map<String, String> sections = new LinkedHashMap<>();
    for (String part : SECTION.split(document, -1)) {
      if (part.startsWith("## ")) {
        sections.put(part.substring(3, part.indexOf('\n')), part.strip() + "\n");
      }
    }
    sections.put(report.device().id(), section(report));
    StringBuilder text = new StringBuilder(INTRODUCTION);
    for (String device : new TreeSet<>(sections.keySet())) {
      text.append('\n').append(sections.get(device));
    }
    return text.toString();
  }

  /**
   * Checks that the file has the report's section as {@link #update} writes it; writes it instead
   * where the property {@code kancil.updateDocs} is true.
   *
   * @throws IllegalStateException if it has not
   */
  public static void requireCurrent(Path file, Report report) throws IOException {
    String document = Files.exists(file) ? Files.readString(file) : "";
    String current = update(document, report);
    if (Boolean.getBoolean("kancil.updateDocs")) {
      Files.writeString(file, current);
    } else if (!document.equals(current)) {
      throw new IllegalStateException(
          file.normalize()
              + " is not what "
              + report.device().id()
              + " does; run the test with -Dkancil.updateDocs=true");
    }
  }

  private static String section(Report report) {
    Map<String, Map<DataType, Set<Status>>> table = new LinkedHashMap<>();
    Set<DataType> types = EnumSet.noneOf(DataType.class);
    for (Result result : report.results()) {
      for (DataType type : result.tested().types()) {
        types.add(type);
        table
            .computeIfAbsent(result.tested().op(), _ -> new LinkedHashMap<>())
            .computeIfAbsent(type, _ -> EnumSet.noneOf(Status.class))
            .add(result.status());
      }
    }
    StringBuilder text = new StringBuilder("## " + report.device().id() + "\n\n");
    List<String> head = new ArrayList<>(List.of("Operation"));
    types.forEach(type -> head.add(type.name()));
    line(text, head);
    line(text, head.stream().map(_ -> "---").toList());
    for (String op : new TreeSet<>(table.keySet())) {
      List<String> cells = new ArrayList<>(List.of(op));
      for (DataType type : types) {
        cells.add(cell(table.getOrDefault(op, Map.of()).getOrDefault(type, Set.of())));
      }
      line(text, cells);
    }
    return text.toString();
  }

  private static void line(StringBuilder text, List<String> cells) {
    text.append("| ").append(String.join(" | ", cells)).append(" |\n");
  }

  private static String cell(Set<Status> statuses) {
    if (statuses.isEmpty()) {
      return "";
    }
    if (statuses.contains(Status.FAILED)) {
      return "fails";
    }
    if (statuses.contains(Status.REFUSED)) {
      return statuses.size() == 1 ? "–" : "some";
    }
    return statuses.contains(Status.PASSED_IN_PARTS) ? "parts" : "✓";
  }
}
