/* A CUDA runtime of devices that remember and compute nothing, put before the real one by LD_PRELOAD.
 *
 * Torch's own host code runs above it: allocator, streams, graphs, autocast. Memory is memory of the host; a kernel does
 * nothing, so that whatever comes back from a device is zero. Work is done as soon as it is given. What a capture
 * forbids is refused as CUDA does: to wait, to allocate or to free in a thread that has not said so.
 *
 * NULLGPU_DEVICES   how many there are, 1
 * NULLGPU_MIB       memory of each, a list whose last holds for all further ones: 4096
 * NULLGPU_BROKEN    device N fails for good with its kernel after K: "N:K"
 * NULLGPU_FULL      others hold what was free on device N from its kernel after K on: "N:K"
 * NULLGPU_LOG       a file that gets a line "PID WHAT DEVICE NUMBER" as things happen:
 *                   begun (first memory), launched (first kernel), captured (kernels in the graph), replayed (first),
 *                   refused (in a capture), full (bytes that were asked for), broken, cublas (a handle is made; 1 where
 *                   the environment has its workspace)
 */
#include "null.h"
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *arena;
enum { PAGE = 4096 };
#define ARENA (1ul << 40) /* addresses of a place; none is given twice */

static size_t top[MOST_DEVICES + 1], used[MOST_DEVICES + 1];
int is_broken[MOST_DEVICES];
__thread int current;
static __thread cudaError_t last;

cudaError_t error(cudaError_t code) {
  if (code) last = code;
  return code;
}

int is_due(const char *setting, int device) {
  const char *value = getenv(setting), *kernel = value ? strchr(value, ':') : NULL;
  return kernel && atoi(value) == number_of[device] && launches[device] > strtoul(kernel + 1, NULL, 10);
}

void nullgpu_tell_of_workspace(void) { tell("cublas", getenv("CUBLAS_WORKSPACE_CONFIG") != NULL); }

static size_t memory_of(int device) {
  const char *sizes = getenv("NULLGPU_MIB");
  for (int skipped = 0; sizes && skipped < number_of[device] && strchr(sizes, ','); skipped++) sizes = strchr(sizes, ',') + 1;
  return (sizes ? strtoul(sizes, NULL, 10) : 4096) << 20;
}

static size_t free_on(int device) { return is_due("NULLGPU_FULL", device) ? 0 : memory_of(device) - used[device]; }

void tell(const char *what, size_t number) {
  const char *path = getenv("NULLGPU_LOG");
  char line[128];
  if (!path) return;
  int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
  int length = snprintf(line, sizeof line, "%d %s %d %zu\n", getpid(), what, number_of[current], number);
  if (write(file, line, length) < length) abort();
  close(file);
}

void tell_once(int *is_told, const char *what) {
  if (!__sync_lock_test_and_set(is_told, 1)) tell(what, 0);
}

/* Devices */
cudaError_t cudaGetDeviceCount(int *n) { return (*n = count()) ? 0 : error(cudaErrorNoDevice); }
cudaError_t cudaGetDevice(int *device) { *device = current; return count() ? 0 : error(cudaErrorNoDevice); }
cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= count()) return error(cudaErrorInvalidDevice);
  current = device;
  return 0;
}
cudaError_t cudaDriverGetVersion(int *version) { *version = CUDART_VERSION; return 0; }
cudaError_t cudaRuntimeGetVersion(int *version) { *version = CUDART_VERSION; return 0; }
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *about, int device) {
  count();
  *about = (struct cudaDeviceProp){
    .totalGlobalMem = memory_of(device), .major = 9, .multiProcessorCount = 16, .warpSize = 32,
    .maxThreadsPerBlock = 1024, .maxThreadsDim = {1024, 1024, 64}, .maxGridSize = {2147483647, 65535, 65535},
    .maxThreadsPerMultiProcessor = 2048, .sharedMemPerBlock = 49152, .sharedMemPerBlockOptin = 232448,
    .sharedMemPerMultiprocessor = 233472, .regsPerBlock = 65536, .regsPerMultiprocessor = 65536, .l2CacheSize = 50 << 20,
    .unifiedAddressing = 1, .concurrentKernels = 1, .streamPrioritiesSupported = 1, .textureAlignment = 512};
  snprintf(about->name, sizeof about->name, "Null GPU %d", number_of[device]);
  return 0;
}
cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr what, int device) {
  struct cudaDeviceProp about;
  cudaGetDeviceProperties(&about, device);
  *value = what == cudaDevAttrComputeCapabilityMajor   ? about.major
           : what == cudaDevAttrComputeCapabilityMinor ? about.minor
           : what == cudaDevAttrMultiProcessorCount    ? about.multiProcessorCount
           : what == cudaDevAttrMaxThreadsPerBlock     ? about.maxThreadsPerBlock
           : what == cudaDevAttrMaxSharedMemoryPerBlock || what == cudaDevAttrMaxSharedMemoryPerBlockOptin ? 49152
           : what == cudaDevAttrMaxGridDimX            ? about.maxGridSize[0]
           : what == cudaDevAttrMaxGridDimY            ? about.maxGridSize[1]
                                                       : 1;
  return 0;
}
cudaError_t cudaDeviceCanAccessPeer(int *can, int device, int peer) { return *can = 0; }
cudaError_t cudaDeviceGetStreamPriorityRange(int *least, int *greatest) { return *least = *greatest = 0; }
cudaError_t cudaDeviceSynchronize(void) {
  cudaError_t code = unsafe();
  return code ? code : is_broken[current] ? error(cudaErrorIllegalAddress) : 0;
}
const char *cudaGetErrorName(cudaError_t code) { return code == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation" : "cudaError"; }
const char *cudaGetErrorString(cudaError_t code) {
  return code == cudaErrorMemoryAllocation           ? "out of memory"
         : code == cudaErrorIllegalAddress           ? "an illegal memory access was encountered"
         : code == cudaErrorStreamCaptureUnsupported ? "operation not permitted when stream is capturing"
         : code == cudaErrorNoDevice                 ? "no CUDA-capable device is detected"
                                                     : "an error of the null GPU";
}
cudaError_t cudaGetLastError(void) { cudaError_t code = last; last = 0; return code; }
cudaError_t cudaPeekAtLastError(void) { return last; }

/* Memory: every place has addresses of its own, and a block's size lies in the page before it. */
static void *take(int place, size_t bytes) {
  size_t whole = (bytes + 2 * PAGE - 1) & ~(size_t)(PAGE - 1);
  pthread_mutex_lock(&lock);
  if (!arena) {
    arena = mmap(NULL, (MOST_DEVICES + 1) * ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (arena == MAP_FAILED) abort();
  }
  char *block = arena + place * ARENA + top[place];
  top[place] += whole, used[place] += bytes;
  pthread_mutex_unlock(&lock);
  *(size_t *)block = bytes;
  return block + PAGE;
}
static void give(int place, void *address) {
  size_t *size = (size_t *)((char *)address - PAGE), bytes = *size;
  pthread_mutex_lock(&lock);
  used[place] -= bytes;
  pthread_mutex_unlock(&lock);
  madvise(size, bytes + PAGE, MADV_DONTNEED);
}
int place_of(const void *address) {
  size_t offset = (char *)address - arena;
  return arena && (char *)address >= arena && offset < (MOST_DEVICES + 1) * ARENA ? (int)(offset / ARENA) : -1;
}
cudaError_t cudaMalloc(void **address, size_t bytes) {
  static int is_told;
  cudaError_t code = unsafe();
  if (code) return code;
  if (count()) tell_once(&is_told, "begun");
  if (is_broken[current]) return error(cudaErrorIllegalAddress);
  if (bytes > free_on(current)) {
    tell("full", bytes);
    return error(cudaErrorMemoryAllocation);
  }
  *address = take(current, bytes);
  return 0;
}
cudaError_t cudaFree(void *address) {
  cudaError_t code = unsafe();
  if (!code && address) give(place_of(address), address);
  return code;
}
cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total) {
  *total = memory_of(current);
  *free_bytes = free_on(current);
  return 0;
}
cudaError_t cudaHostAlloc(void **address, size_t bytes, unsigned flags) {
  cudaError_t code = unsafe();
  if (!code) *address = take(PINNED, bytes);
  return code;
}
cudaError_t cudaFreeHost(void *address) { give(PINNED, address); return 0; }
cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *about, const void *address) {
  int place = place_of(address);
  *about = (struct cudaPointerAttributes){
    .type = place < 0 ? cudaMemoryTypeUnregistered : place == PINNED ? cudaMemoryTypeHost : cudaMemoryTypeDevice,
    .device = place < 0 || place == PINNED ? 0 : place, .devicePointer = (void *)address, .hostPointer = (void *)address};
  return 0;
}
/* The driver: this library also stands where libcuda.so.1 would be. */
int cuInit(unsigned flags) { return 0; }
int cuCtxGetCurrent(void **context) { *context = used; return 0; }
int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *is_active) { *flags = 0; *is_active = used[device] > 0; return 0; }
