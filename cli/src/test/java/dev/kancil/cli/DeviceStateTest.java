package dev.kancil.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** What commands tell of a device's clocks, power and temperature. */
class DeviceStateTest {
  private static final String REASON =
      "NVML can't initialise: Driver/library version mismatch (18)";

  private static CommandRun bench(String device, String... more) {
    String[] command = {
      "bench", "synthetic:tiny:Q8_0", "-p", "8", "-n", "3", "-r", "2", "--device", device
    };
    String[] all = java.util.Arrays.copyOf(command, command.length + more.length);
    System.arraycopy(more, 0, all, command.length, more.length);
    return CommandRun.of(all);
  }

  @Test
  void devicesTellTheirState() {
    String out = CommandRun.of("devices").succeeds().out();
    assertThat(out.lines())
        .anySatisfy(
            line ->
                assertThat(line)
                    .matches(
                        "sensing:0 +580.65.06 +7.00 GB of 80.00 GB +512 W of 700 W +1980 MHz"
                            + " +2619 MHz +\\?"))
        .contains("sensing:1: its state is not known: " + REASON);
    JsonNode devices = CommandRun.of("devices", "--json").json().get("devices");
    for (JsonNode device : devices) {
      JsonNode state = device.get("state");
      switch (device.get("id").asString()) {
        case "sensing:0" -> {
          assertThat(state.get("driver").asString()).isEqualTo("580.65.06");
          assertThat(state.get("memory_used_bytes").asLong()).isEqualTo(7_000_000_000L);
          assertThat(state.get("clock_megahertz").asInt()).isEqualTo(1980);
          assertThat(state.get("power_limit_watts").asDouble()).isEqualTo(700);
          assertThat(state.get("temperature_celsius").isNull()).isTrue();
          assertThat(state.get("slowed_by").size()).isZero();
        }
        case "sensing:1" -> {
          assertThat(state.isNull()).isTrue();
          assertThat(device.get("state_unknown_because").asString()).isEqualTo(REASON);
        }
        default -> {
          assertThat(state.isNull()).isTrue();
          assertThat(device.get("state_unknown_because").isNull()).isTrue();
        }
      }
    }
    assertThat(SensingBackend.OPEN).hasValue(0);
  }

  @Test
  void benchTellsTheStateDuringTheRepetitions() {
    JsonNode state = bench("sensing:0", "--json").json().get("device_state");
    int readings = state.get("readings").asInt();
    assertThat(readings).isPositive();
    JsonNode clock = state.get("clock_megahertz");
    assertThat(clock.get("most").asInt()).isEqualTo(1980);
    assertThat(clock.get("least").asInt()).isEqualTo(1980 - 15 * (readings - 1));
    assertThat(clock.get("median").asInt()).isEqualTo(1980 - 15 * ((readings - 1) / 2));
    assertThat(state.get("power_watts").get("median").asDouble()).isEqualTo(512.25);
    assertThat(state.get("power_limit_watts").asDouble()).isEqualTo(700);
    assertThat(state.get("temperature_celsius").isNull()).isTrue();
    JsonNode slowed = state.get("slowed_by").get("power limit");
    assertThat(slowed == null ? 0 : slowed.asInt()).isEqualTo(readings / 2);
    assertThat(bench("sensing:0").succeeds().out())
        .containsPattern("\nclock +\\d+ MHz +\\d+ MHz +1980 MHz\n")
        .containsPattern("\nmemory clock +2619 MHz +2619 MHz +2619 MHz\n")
        .containsPattern("\npower +512 W of 700 W +512 W +512 W\n")
        .containsPattern("\nslowed by +(nothing|power limit \\(\\d+ of \\d+\\))\n")
        .doesNotContain("temperature");
    assertThat(SensingBackend.OPEN).hasValue(0);
  }

  @Test
  void aDeviceThatCannotBeAskedIsMeasuredAllTheSame() {
    assertThat(bench("sensing:1").succeeds().out())
        .contains("tokens/s")
        .containsPattern("\nclocks +not known: NVML can't initialise");
    JsonNode json = bench("sensing:1", "--json").json();
    assertThat(json.get("device_state").isNull()).isTrue();
    assertThat(json.get("device_state_unknown_because").asString()).isEqualTo(REASON);
  }

  @Test
  void theProcessorTellsNothing() {
    JsonNode json = bench("cpu", "--json").json();
    assertThat(json.get("device_state").isNull()).isTrue();
    assertThat(json.get("device_state_unknown_because").isNull()).isTrue();
    assertThat(bench("cpu").succeeds().out()).doesNotContain("clock");
  }
}
