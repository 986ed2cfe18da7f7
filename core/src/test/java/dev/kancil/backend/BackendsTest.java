package dev.kancil.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.InvalidRequestException;
import dev.kancil.backend.reference.ReferenceBackend;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class BackendsTest {
  @Test
  void moduleAndServiceFileDeclareTheSameBackends() throws IOException, URISyntaxException {
    Path classes =
        Path.of(ReferenceBackend.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    ModuleDescriptor module;
    try (InputStream in = Files.newInputStream(classes.resolve("module-info.class"))) {
      module = ModuleDescriptor.read(in);
    }
    List<String> declared =
        module.provides().stream()
            .filter(provides -> provides.service().equals(Backend.class.getName()))
            .flatMap(provides -> provides.providers().stream())
            .toList();
    Path services = classes.resolve("META-INF/services").resolve(Backend.class.getName());
    assertThat(Files.readAllLines(services)).containsExactlyElementsOf(declared);
  }

  @Test
  void theReferenceIsThereWhenAskedForByName() {
    assertThat(Backends.all()).extracting(Backend::name).contains("reference");
    assertThat(Backends.devices()).extracting(DeviceDescription::id).contains("reference");
    try (Device device = Backends.open("reference", DeviceOptions.DEFAULT)) {
      assertThat(device.description().isAvailable()).isTrue();
      assertThat(device.isGuarded()).isFalse();
    }
  }

  @Test
  void anUnknownDeviceIsNamedWithThoseThatAreThere() {
    assertThatThrownBy(() -> Backends.open("abacus:0", DeviceOptions.DEFAULT))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("there is no device abacus:0; there are auto")
        .hasMessageContaining("reference");
  }
}
