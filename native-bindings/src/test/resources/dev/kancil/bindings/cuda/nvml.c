// A library with the names of NVIDIA's management library, and two devices: 0000:1b:00.0 and
// 0000:3d:00.0. OLD: what an older driver lacks. NEW: what a newer one may lack. BARE: without what
// nobody can do without. MISMATCH: it does not go with the driver. SILENT: the first device tells
// nothing of its clocks, power, temperature and memory.
#include <stdio.h>
#include <string.h>

#define NOT_SUPPORTED 3
#define NOT_FOUND 6
#define INSUFFICIENT_SIZE 7
#define MISMATCHED_VERSION 18
#define ARGUMENT_VERSION 25

typedef struct {
  int number;
  unsigned reads;
} *Device;

static __typeof__(*(Device)0) devices[2] = {{0, 0}, {1, 0}};
static int opened;

#ifdef SILENT
#define ASK(device) \
  if ((device)->number == 0) return NOT_SUPPORTED
#else
#define ASK(device) \
  if (opened == 0) return 1
#endif

#ifndef BARE
int nvmlInit_v2(void) {
#ifdef MISMATCH
  return MISMATCHED_VERSION;
#endif
  opened++;
  return 0;
}
#endif

int nvmlShutdown(void) {
  opened--;
  return 0;
}

// How often it is open.
int opens(void) { return opened; }

const char *nvmlErrorString(int status) {
  return status == MISMATCHED_VERSION ? "Driver/library version mismatch"
         : status == NOT_FOUND        ? "Not Found"
                                      : "Not Supported";
}

int nvmlSystemGetDriverVersion(char *text, unsigned bytes) {
  if (bytes < 10) return INSUFFICIENT_SIZE;
  strcpy(text, "580.65.06");
  return 0;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char *id, Device *device) {
  unsigned domain, bus, slot, function;
  if (sscanf(id, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4) return 2;
  if (domain != 0 || slot != 0 || (bus != 0x1b && bus != 0x3d)) return NOT_FOUND;
  *device = &devices[bus == 0x3d];
  return 0;
}

#ifndef OLD
typedef struct {
  unsigned version;
  unsigned long long total, reserved, free, used;
} Memory2;

int nvmlDeviceGetMemoryInfo_v2(Device device, Memory2 *memory) {
  ASK(device);
  if (memory->version != (sizeof(Memory2) | 2 << 24)) return ARGUMENT_VERSION;
  memory->total = 80000000000ull;
  memory->reserved = 500000000ull;
  memory->used = 7000000000ull + device->number;
  memory->free = memory->total - memory->reserved - memory->used;
  return 0;
}

int nvmlDeviceGetCurrentClocksEventReasons(Device device, unsigned long long *reasons) {
  ASK(device);
  // The power cap now and then, idle always.
  *reasons = device->number == 1 ? 0 : device->reads++ % 2 == 0 ? 0x1 : 0x1005;
  return 0;
}
#endif

typedef struct {
  unsigned long long total, free, used;
} Memory;

int nvmlDeviceGetMemoryInfo(Device device, Memory *memory) {
  ASK(device);
  memory->total = 80000000000ull;
  memory->used = 7500000000ull;
  memory->free = memory->total - memory->used;
  return 0;
}

int nvmlDeviceGetCurrentClocksThrottleReasons(Device device, unsigned long long *reasons) {
  ASK(device);
  *reasons = 0x60;
  return 0;
}

int nvmlDeviceGetClockInfo(Device device, int type, unsigned *megahertz) {
  ASK(device);
  if (type != 1 && type != 2) return 2;
  *megahertz = type == 2 ? 2619 : 1980 - 15 * (device->reads % 2);
  return 0;
}

int nvmlDeviceGetPowerUsage(Device device, unsigned *milliwatts) {
  ASK(device);
  *milliwatts = 512250;
  return 0;
}

int nvmlDeviceGetEnforcedPowerLimit(Device device, unsigned *milliwatts) {
  // One query that the second device does not support.
  if (device->number == 1) return NOT_SUPPORTED;
  ASK(device);
  *milliwatts = 700000;
  return 0;
}

#ifndef NEW
int nvmlDeviceGetTemperature(Device device, int sensor, unsigned *celsius) {
  ASK(device);
  if (sensor != 0) return 2;
  *celsius = 61;
  return 0;
}
#endif

#ifndef OLD
typedef struct {
  unsigned version;
  int sensor, temperature;
} Temperature;

int nvmlDeviceGetTemperatureV(Device device, Temperature *temperature) {
  ASK(device);
  if (temperature->version != (sizeof(Temperature) | 1 << 24)) return ARGUMENT_VERSION;
  temperature->temperature = 62 + temperature->sensor;
  return 0;
}
#endif
