package dev.kancil.cli.pull;

import dev.kancil.FormatException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Which files of a repository make up a model. */
final class HubChoice {
  private static final String CONFIG = "config.json";
  private static final String WEIGHTS = "model.safetensors";
  private static final Pattern SHARD = Pattern.compile("model-\\d{5}-of-\\d{5}\\.safetensors");

  /** What a folder of transformers has beside its weights. */
  private static final Set<String> TEXTS =
      Set.of(
          CONFIG,
          "generation_config.json",
          "preprocessor_config.json",
          "processor_config.json",
          "tokenizer.json",
          "tokenizer_config.json",
          "special_tokens_map.json",
          "added_tokens.json",
          "tokenizer.model",
          "spiece.model",
          "vocab.json",
          "merges.txt",
          "vocab.txt",
          "chat_template.jinja",
          "chat_template.json",
          "modules.json",
          "sentence_bert_config.json");

  /**
   * How sentence-transformers makes one vector of a text's, in a folder that modules.json names.
   */
  private static final Pattern POOLING = Pattern.compile("\\d{1,2}_Pooling/config\\.json");

  /** GGUF files beside a model: a part for images, and statistics of a quantiser. */
  private static final Pattern NO_MODEL =
      Pattern.compile("(.*/)?(mmproj|imatrix)[^/]*|.*[.-](mmproj|imatrix)\\.gguf");

  private static final int MOST_SHOWN = 50;

  private final Hub.Listing listing;

  /** Whole models in GGUF by the name that a person would give, with all their files. */
  private final Map<String, List<Hub.Listed>> models = new LinkedHashMap<>();

  /** Whether a file keeps its folder. */
  static boolean keepsFolder(String path) {
    return POOLING.matcher(path).matches();
  }

  HubChoice(Hub.Listing listing) {
    this.listing = listing;
    Map<String, Hub.Listed> byPath =
        listing.files().stream()
            .collect(Collectors.toMap(Hub.Listed::path, file -> file, (first, _) -> first));
    for (Hub.Listed file : listing.files()) {
      String path = file.path();
      if (path.endsWith(".gguf") && !NO_MODEL.matcher(path).matches()) {
        List<Hub.Listed> files = new ArrayList<>();
        List<String> names = SplitName.parse(path).map(SplitName::names).orElse(List.of(path));
        for (String name : names) {
          Hub.Listed part = byPath.get(name);
          if (part == null) {
            throw new FormatException(
                listing.repository() + ": the repository has " + path + ", but not " + name);
          }
          files.add(part);
        }
        models.putIfAbsent(names.getFirst(), files);
      }
    }
  }

  /** The files to fetch: those of a folder, or of one GGUF file. */
  List<Hub.Listed> files() {
    if (listing.repository().file().isPresent()) {
      return named(listing.repository().file().get());
    }
    List<Hub.Listed> folder = folder();
    if (!folder.isEmpty()) {
      return folder;
    }
    if (models.size() == 1) {
      return models.values().iterator().next();
    }
    if (models.isEmpty()) {
      throw new FormatException(
          listing.repository()
              + ": it has no GGUF file, and no "
              + CONFIG
              + " with safetensors; other kinds of files can't be read");
    }
    throw choose("it has " + models.size() + " models", models);
  }

  private List<Hub.Listed> folder() {
    List<Hub.Listed> texts = new ArrayList<>();
    List<Hub.Listed> whole = new ArrayList<>();
    List<Hub.Listed> shards = new ArrayList<>();
    for (Hub.Listed file : listing.files()) {
      if (TEXTS.contains(file.path()) || keepsFolder(file.path())) {
        texts.add(file);
      } else if (file.path().equals(WEIGHTS)) {
        whole.add(file);
      } else if (SHARD.matcher(file.path()).matches()
          || file.path().equals(WEIGHTS + ".index.json")) {
        shards.add(file);
      }
    }
    List<Hub.Listed> weights = whole.isEmpty() ? shards : whole;
    if (weights.isEmpty() || texts.stream().noneMatch(file -> file.path().equals(CONFIG))) {
      return List.of();
    }
    texts.addAll(weights);
    return texts;
  }

  /** The model of that name, or the only one that has the text in its name, such as its type. */
  private List<Hub.Listed> named(String text) {
    for (List<Hub.Listed> files : models.values()) {
      if (files.stream().anyMatch(file -> file.path().equals(text))) {
        return files;
      }
    }
    Map<String, List<Hub.Listed>> similar = new LinkedHashMap<>();
    models.forEach(
        (name, files) -> {
          if (name.toLowerCase(Locale.ROOT).contains(text.toLowerCase(Locale.ROOT))) {
            similar.put(name, files);
          }
        });
    if (similar.size() == 1) {
      return similar.values().iterator().next();
    }
    if (!similar.isEmpty()) {
      throw choose("it has " + similar.size() + " such models", similar);
    }
    throw models.isEmpty()
        ? new FormatException(
            listing.repository() + ": it has no GGUF file; without :FILE its folder is fetched")
        : choose("it has no such GGUF file", models);
  }

  private FormatException choose(String what, Map<String, List<Hub.Listed>> among) {
    String names =
        among.entrySet().stream()
            .limit(MOST_SHOWN)
            .map(
                model ->
                    String.format(
                        Locale.ROOT,
                        "%s (%,d MB)",
                        model.getKey(),
                        model.getValue().stream().mapToLong(Hub.Listed::bytes).sum() / 1_000_000))
            .collect(Collectors.joining(", "));
    return new FormatException(
        "%s: %s; name one, as in hf:%s:FILE: %s%s"
            .formatted(
                listing.repository(),
                what,
                listing.repository().path(),
                names,
                among.size() > MOST_SHOWN ? ", and more" : ""));
  }
}
