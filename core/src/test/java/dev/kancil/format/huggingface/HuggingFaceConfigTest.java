package dev.kancil.format.huggingface;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.FormatException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HuggingFaceConfigTest {
  private static HuggingFaceConfig parse(String text) {
    return HuggingFaceConfig.parse("config.json", text);
  }

  @Test
  void bothSpellingsOfRotationsAreOne() {
    HuggingFaceConfig four =
        parse(
            """
            {"rope_theta": 5, "rope_local_base_freq": 7,
             "rope_scaling": {"rope_type": "linear", "factor": 8.0}}""");
    HuggingFaceConfig five =
        parse(
            """
            {"rope_parameters": {
              "full_attention": {"rope_theta": 5, "rope_type": "linear", "factor": 8.0},
              "sliding_attention": {"rope_theta": 7, "rope_type": "default"}}}""");
    for (HuggingFaceConfig config : List.of(four, five)) {
      assertThat(config.number("rope_theta")).hasValue(5.0);
      assertThat(config.number("rope_local_base_freq")).hasValue(7.0);
      assertThat(config.string(SettingNames.of(config, "rope.scaling.type"))).hasValue("linear");
      assertThat(config.number(SettingNames.of(config, "rope.scaling.factor"))).hasValue(8.0);
    }
  }

  @Test
  void theFirstNameThatIsThereCounts() {
    assertThat(SettingNames.of(parse("{\"n_layer\": 2}"), "block_count")).isEqualTo("n_layer");
    assertThat(SettingNames.of(parse("{}"), "block_count")).isEqualTo("num_hidden_layers");
    assertThat(SettingNames.of(parse("{}"), "layer_types")).isEqualTo("layer_types");
  }

  @Test
  void nothingIsAsGoodAsAbsent() {
    HuggingFaceConfig config = parse("{\"sliding_window\": null}");
    assertThat(config.integer("sliding_window")).isEmpty();
    assertThat(config.integers("sliding_window")).isEmpty();
    assertThat(config.has("sliding_window")).isFalse();
  }

  @Test
  void usualValuesHoldWhereNothingIsSaidUnderAnyName() {
    Map<String, Object> usual = Map.of("n_layer", 12L, "sliding_window", 8L, "rope_theta", 3.0);
    HuggingFaceConfig config =
        parse("{\"num_hidden_layers\": 2, \"sliding_window\": null}").over(usual);
    assertThat(config.has("n_layer")).isFalse();
    assertThat(config.has("sliding_window")).isFalse();
    assertThat(config.number("rope_theta")).hasValue(3.0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "[]", "3", "{", "{\"a\": }", "null"})
  void whatIsNoObjectIsRefusedInOneLine(String text) {
    assertThatThrownBy(() -> parse(text))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith("config.json: ")
        .message()
        .doesNotContain("\n");
  }

  @Test
  void wrongTypesAreNamed() {
    HuggingFaceConfig config = parse("{\"a\": \"x\", \"b\": 1.5, \"c\": [1, \"x\"], \"d\": 1e300}");
    for (Runnable read :
        List.<Runnable>of(
            () -> config.integer("a"),
            () -> config.number("a"),
            () -> config.flag("a"),
            () -> config.strings("a"))) {
      assertThatThrownBy(read::run)
          .isInstanceOf(FormatException.class)
          .hasMessageStartingWith("config.json: a is not ");
    }
    assertThatThrownBy(() -> config.integer("b")).hasMessage("config.json: b is not an integer");
    assertThatThrownBy(() -> config.integer("d")).hasMessage("config.json: d is not an integer");
    assertThatThrownBy(() -> config.string("b")).hasMessage("config.json: b is not a text");
    assertThatThrownBy(() -> config.integers("c")).isInstanceOf(FormatException.class);
    assertThatThrownBy(() -> config.numbers("c")).isInstanceOf(FormatException.class);
    assertThatThrownBy(() -> config.strings("c")).isInstanceOf(FormatException.class);
  }
}
