package dev.kancil;

import dev.kancil.family.GgufLayout;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufValue;
import dev.kancil.format.gguf.GgufWriter;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.RoundToNearest;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import dev.kancil.text.tokenizer.GgufVocabulary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Writes a model as one GGUF file that other software reads, too: a folder of transformers, or
 * another GGUF file with tensors of other types.
 *
 * @param type of matrices; empty: as they are. Vectors, norms, routers and tables of positions are
 *     float32 in any case, and matrices whose rows are no whole blocks are F16
 * @param preTokenizer what GGUF calls the tokenizer's cutting of text; empty: it is found
 */
public record GgufConversion(Optional<DataType> type, Optional<String> preTokenizer) {
  private static final int CHUNK = 1 << 20;

  /** GGUF's {@code general.file_type} of files whose matrices are mostly of a type. */
  private static final Map<DataType, Integer> FILE_TYPES =
      Map.of(
          DataType.F32, 0,
          DataType.F16, 1,
          DataType.Q4_0, 2,
          DataType.Q4_1, 3,
          DataType.Q8_0, 7,
          DataType.Q5_0, 8,
          DataType.Q5_1, 9,
          DataType.BF16, 32);

  private static final List<String> TOKENIZERS =
      List.of(
          "tokenizer.json",
          "tokenizer.model",
          "spiece.model",
          "sentencepiece.bpe.model",
          "vocab.json",
          "vocab.txt");

  public GgufConversion {
    type.filter(t -> !RoundToNearest.TYPES.contains(t))
        .ifPresent(
            other -> {
              throw new InvalidRequestException(
                  "weights can't be converted to "
                      + other
                      + "; there are F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0 and Q5_1");
            });
  }

  /** Hears of the conversion. */
  public interface Listener {
    /**
     * The work begins.
     *
     * @param bytes that will be written of tensors
     * @return hears of bytes written so far
     */
    LongConsumer begin(long bytes);
  }

  private record Output(String name, DataType type, Shape shape, Supplier<Tensor> tensor) {
    long bytes() {
      return Math.multiplyExact(type.byteSize(shape.columns()), shape.rows());
    }
  }

  /**
   * Converts a model. The file appears under its name when it is whole.
   *
   * @param source a GGUF file, or a folder of transformers
   * @throws FormatException if the model can't be read
   * @throws UnsupportedException if GGUF has no such models, or can't say all of this one
   * @throws InvalidRequestException if the file can't be written
   */
  public void convert(Path source, Path target, Listener listener) {
    GgufWriter.requireFolder(target);
    try (ModelFiles files = ModelFiles.open(source)) {
      GgufWriter writer = new GgufWriter();
      List<Output> outputs =
          switch (files.checkpoint()) {
            case GgufCheckpoint gguf -> rewritten(gguf, writer);
            default -> laidOut(files, writer);
          };
      LongConsumer progress =
          listener.begin(outputs.stream().mapToLong(Output::bytes).reduce(0, Math::addExact));
      long[] done = {0};
      for (Output output : outputs) {
        writer.tensor(
            output.name(),
            output.type(),
            output.shape(),
            () -> {
              MemorySegment bytes = encoded(output);
              done[0] += bytes.byteSize();
              progress.accept(done[0]);
              return bytes;
            });
      }
      writer.write(target);
    }
  }

  private List<Output> rewritten(GgufCheckpoint gguf, GgufWriter writer) {
    for (String key : gguf.file().metadata().keys()) {
      boolean isOwn =
          key.startsWith("split.")
              || key.equals("general.alignment")
              || (type.isPresent()
                  && (key.equals("general.file_type")
                      || key.equals("general.quantization_version")));
      if (!isOwn) {
        writer.put(key, gguf.file().metadata().value(key).orElseThrow());
      }
    }
    putTypes(writer);
    return gguf.file().tensors().entrySet().stream()
        .map(entry -> output(entry.getKey(), entry.getValue().type(), entry.getValue()))
        .toList();
  }

  private Output output(String name, DataType from, Tensor tensor) {
    // What a file has as it is stays so, where no type is asked for.
    DataType to = type.isEmpty() ? from : target(name, from, tensor.shape());
    return new Output(name, to, tensor.shape(), () -> tensor);
  }

  private List<Output> laidOut(ModelFiles files, GgufWriter writer) {
    GgufLayout layout =
        GgufLayout.of(files.checkpoint(), usual -> Embedding.read(files.path(), usual).pooling());
    writer.put("general.architecture", layout.architecture());
    writer.put("general.name", String.valueOf(files.path().toAbsolutePath().getFileName()));
    putTypes(writer);
    layout.settings().forEach(writer::put);
    if (TOKENIZERS.stream().anyMatch(name -> Files.exists(files.path().resolve(name)))) {
      long rows =
          layout.settings().get(layout.architecture() + ".vocab_size")
                  instanceof GgufValue.Int(_, long size)
              ? size
              : 0;
      GgufVocabulary.of(files.path(), rows, preTokenizer).forEach(writer::put);
    } else {
      writer.put("tokenizer.ggml.model", "none");
    }
    return layout.tensors().stream()
        .map(
            placed ->
                new Output(
                    placed.name(),
                    target(placed.name(), placed.type(), placed.shape()),
                    placed.shape(),
                    placed.tensor()))
        .toList();
  }

  private void putTypes(GgufWriter writer) {
    type.map(FILE_TYPES::get).ifPresent(code -> writer.put("general.file_type", code));
    if (type.isPresent() && type.get().isQuantized()) {
      writer.put("general.quantization_version", 2);
    }
  }

  /** As what a tensor is written. */
  private DataType target(String name, DataType from, Shape shape) {
    boolean isIndexed =
        switch (from) {
          case I8, I16, I32, I64 -> true;
          default -> false;
        };
    if (isIndexed) {
      return from;
    }
    boolean isSmall =
        shape.rank() < 2
            || name.endsWith(".bias")
            || Stream.of("norm", "ffn_gate_inp", "position_embd").anyMatch(name::contains);
    if (isSmall) {
      return DataType.F32;
    }
    boolean isUnknown = from == DataType.F64 || from == DataType.SCALED_F8;
    DataType to = type.orElse(isUnknown ? DataType.F32 : from);
    return shape.columns() % to.blockElements() == 0 ? to : DataType.F16;
  }

  private static MemorySegment encoded(Output output) {
    Tensor tensor = output.tensor().get();
    if (tensor.type() == output.type()) {
      return tensor.data();
    }
    MemorySegment target = Arena.ofAuto().allocate(output.bytes(), 64);
    long columns = tensor.shape().columns();
    long rows = Math.max(1, CHUNK / columns);
    long chunks = Math.ceilDiv(tensor.shape().rows(), rows);
    LongStream.range(0, chunks)
        .parallel()
        .forEach(
            chunk -> {
              long first = chunk * rows;
              int elements =
                  Math.toIntExact(Math.min(rows, tensor.shape().rows() - first) * columns);
              float[] numbers = new float[elements];
              Blocks.decode(
                  tensor.type(),
                  tensor.data(),
                  first * tensor.type().byteSize(columns),
                  numbers,
                  0,
                  elements);
              RoundToNearest.encode(
                  output.type(),
                  numbers,
                  0,
                  target,
                  first * output.type().byteSize(columns),
                  elements);
            });
    return target;
  }
}
