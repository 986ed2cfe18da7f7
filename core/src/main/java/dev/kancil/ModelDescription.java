package dev.kancil;

import dev.kancil.backend.DeviceDescription;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What a model is and where it runs.
 *
 * @param path its file
 * @param architecture as the file names it, such as {@code llama}
 * @param name as the file names the model; empty if it doesn't
 * @param contextLength tokens that one session can hold
 * @param trainedContextLength tokens that it was made for
 * @param fileBytes size of its file or files
 * @param weightBytesPerToken what of it one token's row reads; tokens of one step share it
 * @param multiplicationsPerToken of weights, that a token of a prompt takes, with an addition each
 * @param memoryBytes device memory for activations and, where filled, the cache
 * @param device the device that was chosen
 * @param layers how many the model has
 * @param deviceLayers how many of them, the last ones, run on the device
 * @param otherDevice where the others run; null if there are none
 * @param passedOver why the device is the CPU, where the best one can't run the model and none was
 *     asked for by name; else null
 */
public record ModelDescription(
    Path path,
    String architecture,
    String name,
    long parameters,
    int vocabularySize,
    int contextLength,
    int trainedContextLength,
    long fileBytes,
    long weightBytesPerToken,
    long multiplicationsPerToken,
    long memoryBytes,
    DeviceDescription device,
    int layers,
    int deviceLayers,
    @Nullable DeviceDescription otherDevice,
    @Nullable String passedOver) {}
