/* A CUDA runtime of devices that remember and compute nothing, put before the real one by LD_PRELOAD.
 *
 * Torch's own host code runs above it: allocator, streams, graphs, autocast. Memory is memory of the host and copies
 * copy; a kernel does nothing, so results are what lay in memory. Work is done as soon as it is given. What a capture
 * forbids is refused as CUDA does: to wait, to allocate or to free in a thread that has not said so.
 *
 * NULLGPU_DEVICES   how many there are, 1
 * NULLGPU_MIB       memory of each, a list whose last holds for all further ones: 4096
 * NULLGPU_BROKEN    device N fails for good with its kernel K: "N:K"
 * NULLGPU_LOG       a file that gets a line "PID WHAT DEVICE NUMBER" as things happen:
 *                   begun (first memory), launched (first kernel), captured (kernels in the graph), replayed (first),
 *                   refused (in a capture), full (bytes that were asked for), broken
 */
#include <cuda_runtime_api.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_DEVICES = 8, PAGE = 4096, PINNED = MOST_DEVICES };
#define ARENA (1ul << 40) /* addresses of a device; none is given twice */

typedef struct Capture { unsigned long long id; size_t kernels; int is_spoilt, is_strict; pthread_t thread; } Capture;
typedef struct Stream { int device; Capture *capture; struct Stream *next; } Stream;
typedef struct { Capture *capture; unsigned long long id; } Event;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *arena;
static size_t top[MOST_DEVICES + 1], used[MOST_DEVICES + 1], launches[MOST_DEVICES];
static int number_of[MOST_DEVICES], visible = -1, is_broken[MOST_DEVICES];
static Stream *streams, standard[MOST_DEVICES];
static Capture *capturing; /* at most one at a time, as dlexp does */
static unsigned long long captures;
static __thread int current;
static __thread enum cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
static __thread cudaError_t last;

static cudaError_t error(cudaError_t code) {
  if (code) last = code;
  return code;
}

static size_t setting(const char *name, size_t otherwise) {
  const char *value = getenv(name);
  return value ? strtoul(value, NULL, 10) : otherwise;
}

static size_t memory_of(int device) {
  const char *sizes = getenv("NULLGPU_MIB");
  for (int skipped = 0; sizes && skipped < number_of[device] && strchr(sizes, ','); skipped++) sizes = strchr(sizes, ',') + 1;
  return (sizes ? strtoul(sizes, NULL, 10) : 4096) << 20;
}

static void tell(const char *what, size_t number) {
  const char *path = getenv("NULLGPU_LOG");
  char line[128];
  if (!path) return;
  int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
  int length = snprintf(line, sizeof line, "%d %s %d %zu\n", getpid(), what, number_of[current], number);
  if (write(file, line, length) < length) abort();
  close(file);
}

static void tell_once(int *is_told, const char *what) {
  if (!__sync_lock_test_and_set(is_told, 1)) tell(what, 0);
}

static int count(void) {
  if (visible >= 0) return visible;
  int there = setting("NULLGPU_DEVICES", 1), shown = 0;
  const char *names = getenv("CUDA_VISIBLE_DEVICES");
  if (!names)
    for (; shown < there; shown++) number_of[shown] = shown;
  else
    for (char *rest = (char *)names; *rest && shown < MOST_DEVICES; rest += *rest == ',') {
      char *end;
      long number = strtol(rest, &end, 10);
      if (end == rest || number < 0 || number >= there) break; /* the names after one that is not there do not count */
      number_of[shown++] = number;
      rest = end;
    }
  for (int device = 0; device < shown; device++) standard[device].device = device;
  return visible = shown;
}

static Stream *stream_of(cudaStream_t stream) { return (uintptr_t)stream > 2 ? (Stream *)stream : &standard[current]; }

static cudaError_t refuse(Capture *capture) {
  capture->is_spoilt = 1;
  tell("refused", capture->kernels);
  return error(cudaErrorStreamCaptureUnsupported);
}

/* What no capture survives, unless the thread has said that it knows what it does. */
static cudaError_t unsafe(void) {
  Capture *capture = capturing;
  if (!capture || mode == cudaStreamCaptureModeRelaxed) return 0;
  return pthread_equal(capture->thread, pthread_self()) || capture->is_strict ? refuse(capture) : 0;
}

/* Kernels, products and copies: each is a node of the stream's graph, or done now. */
static cudaError_t work(Stream *stream, int is_kernel) {
  static int is_told;
  int device = stream->device;
  const char *fault = getenv("NULLGPU_BROKEN");
  if (stream->capture) {
    stream->capture->kernels++;
    return stream->capture->is_spoilt ? error(cudaErrorStreamCaptureInvalidated) : 0;
  }
  if (is_kernel) {
    size_t done = __sync_fetch_and_add(&launches[device], 1);
    tell_once(&is_told, "launched");
    if (fault && atoi(fault) == number_of[device] && done >= strtoul(strchr(fault, ':') + 1, NULL, 10)) {
      static int is_said;
      is_broken[device] = 1;
      tell_once(&is_said, "broken");
    }
  }
  return is_broken[device] ? error(cudaErrorIllegalAddress) : 0;
}

int nullgpu_product(cudaStream_t stream) { return work(stream_of(stream), 1) ? 14 : 0; }

/* Kernels: none of torch's is registered, and each is known by the address of its host function. */
static __thread struct { dim3 grid, block; size_t shared; cudaStream_t stream; } call;
void **__cudaRegisterFatBinary(void *binary) { static void *handle; return &handle; }
void __cudaRegisterFatBinaryEnd(void **handle) {}
void __cudaUnregisterFatBinary(void **handle) {}
void __cudaRegisterFunction(void **h, const char *f, char *d, const char *n, int l, uint3 *t, uint3 *b, dim3 *B, dim3 *g, int *w) {}
void __cudaRegisterVar(void **h, char *v, char *d, const char *n, int e, size_t s, int c, int g) {}
char __cudaInitModule(void **handle) { return 1; }
cudaError_t __cudaGetKernel(cudaKernel_t *kernel, const void *function) { *kernel = (cudaKernel_t)function; return 0; }
unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, void *stream) {
  call.grid = grid, call.block = block, call.shared = shared, call.stream = stream;
  return 0;
}
cudaError_t __cudaPopCallConfiguration(dim3 *grid, dim3 *block, size_t *shared, void *stream) {
  *grid = call.grid, *block = call.block, *shared = call.shared, *(cudaStream_t *)stream = call.stream;
  return 0;
}
cudaError_t cudaLaunchKernel(const void *f, dim3 grid, dim3 block, void **a, size_t m, cudaStream_t stream) {
  if (!(grid.x && grid.y && grid.z) || block.x * block.y * block.z > 1024) return error(cudaErrorInvalidConfiguration);
  return work(stream_of(stream), 1);
}
cudaError_t __cudaLaunchKernel(cudaKernel_t f, dim3 grid, dim3 block, void **a, size_t m, cudaStream_t stream) {
  return cudaLaunchKernel(f, grid, block, a, m, stream);
}
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t *config, const void *f, void **a) {
  return cudaLaunchKernel(f, config->gridDim, config->blockDim, a, 0, config->stream);
}
cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *about, const void *f) {
  *about = (struct cudaFuncAttributes){.maxThreadsPerBlock = 1024, .numRegs = 32, .ptxVersion = 90, .binaryVersion = 90};
  return 0;
}
cudaError_t cudaFuncSetAttribute(const void *f, enum cudaFuncAttribute about, int value) { return 0; }
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *n, const void *f, int block, size_t m, unsigned flags) {
  *n = 2048 / block;
  return 0;
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
static int place_of(const void *address) { /* -1: neither a device's nor pinned */
  size_t offset = (char *)address - arena;
  return arena && (char *)address >= arena && offset < (MOST_DEVICES + 1) * ARENA ? (int)(offset / ARENA) : -1;
}
cudaError_t cudaMalloc(void **address, size_t bytes) {
  static int is_told;
  cudaError_t code = unsafe();
  if (code) return code;
  if (count()) tell_once(&is_told, "begun");
  if (is_broken[current]) return error(cudaErrorIllegalAddress);
  if (used[current] + bytes > memory_of(current)) {
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
  *free_bytes = *total - used[current];
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
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t stream) {
  Stream *its = stream_of(stream);
  cudaError_t code = work(its, 0);
  if (!code && !its->capture) memmove(to, from, bytes);
  return code;
}
cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind) {
  cudaError_t code = unsafe();
  return code ? code : cudaMemcpyAsync(to, from, bytes, kind, NULL);
}
cudaError_t cudaMemsetAsync(void *address, int value, size_t bytes, cudaStream_t stream) {
  Stream *its = stream_of(stream);
  cudaError_t code = work(its, 0);
  if (!code && !its->capture) memset(address, value, bytes);
  return code;
}

/* Streams and events: a stream that waits for an event of a capture joins it. */
cudaError_t cudaStreamCreateWithPriority(cudaStream_t *stream, unsigned flags, int priority) {
  Stream *fresh = calloc(1, sizeof *fresh);
  fresh->device = current;
  pthread_mutex_lock(&lock);
  fresh->next = streams, streams = fresh;
  pthread_mutex_unlock(&lock);
  *stream = (cudaStream_t)fresh;
  return 0;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags) { return cudaStreamCreateWithPriority(stream, flags, 0); }
cudaError_t cudaStreamGetPriority(cudaStream_t stream, int *priority) { return *priority = 0; }
static cudaError_t wait_for(cudaStream_t stream) {
  Stream *its = stream_of(stream);
  if (its->capture) return refuse(its->capture);
  return is_broken[its->device] ? error(cudaErrorIllegalAddress) : 0;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) { return wait_for(stream); }
cudaError_t cudaStreamQuery(cudaStream_t stream) { return wait_for(stream); }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags) { *event = calloc(1, sizeof(Event)); return 0; }
cudaError_t cudaEventCreate(cudaEvent_t *event) { return cudaEventCreateWithFlags(event, 0); }
cudaError_t cudaEventDestroy(cudaEvent_t event) { free(event); return 0; }
cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned flags) {
  Capture *capture = stream_of(stream)->capture;
  *(Event *)event = (Event){capture, capture ? capture->id : 0};
  return 0;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) { return cudaEventRecordWithFlags(event, stream, 0); }
cudaError_t cudaEventQuery(cudaEvent_t event) {
  cudaError_t code = unsafe();
  return code ? code : ((Event *)event)->id ? error(cudaErrorCapturedEvent) : 0;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) { return ((Event *)event)->id ? error(cudaErrorCapturedEvent) : 0; }
cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t start, cudaEvent_t end) { *ms = 0.001f; return 0; }
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
  Stream *its = stream_of(stream);
  Event *before = (Event *)event;
  if (its->capture && before->id != its->capture->id) {
    its->capture->is_spoilt = 1;
    return error(cudaErrorStreamCaptureIsolation);
  }
  if (before->id && capturing && capturing->id == before->id) its->capture = before->capture;
  return 0;
}

/* Captures and graphs: a graph is the number of its kernels. */
cudaError_t cudaThreadExchangeStreamCaptureMode(enum cudaStreamCaptureMode *other) {
  enum cudaStreamCaptureMode before = mode;
  mode = *other, *other = before;
  return 0;
}
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode wanted) {
  Stream *its = stream_of(stream);
  if ((uintptr_t)stream <= 2 || its->capture || capturing) return error(cudaErrorStreamCaptureUnsupported);
  capturing = its->capture = calloc(1, sizeof(Capture));
  *capturing = (Capture){.id = ++captures, .is_strict = wanted == cudaStreamCaptureModeGlobal, .thread = pthread_self()};
  return 0;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph) {
  Capture *capture = stream_of(stream)->capture;
  if (!capture) return error(cudaErrorIllegalState);
  for (Stream *each = streams; each; each = each->next)
    if (each->capture == capture) each->capture = NULL;
  capturing = NULL;
  *graph = capture->is_spoilt ? NULL : (cudaGraph_t)capture;
  if (capture->is_spoilt) return error(cudaErrorStreamCaptureInvalidated);
  tell("captured", capture->kernels);
  return 0;
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, enum cudaStreamCaptureStatus *status) {
  Capture *capture = stream_of(stream)->capture;
  *status = !capture              ? cudaStreamCaptureStatusNone
            : capture->is_spoilt ? cudaStreamCaptureStatusInvalidated
                                 : cudaStreamCaptureStatusActive;
  return 0;
}
cudaError_t cudaStreamGetCaptureInfo(cudaStream_t stream, enum cudaStreamCaptureStatus *status, unsigned long long *id,
                                     cudaGraph_t *graph, const cudaGraphNode_t **nodes, const cudaGraphEdgeData **edges, size_t *n) {
  static cudaGraphNode_t none[1];
  Capture *capture = stream_of(stream)->capture;
  if (id) *id = capture ? capture->id : 0;
  if (graph) *graph = (cudaGraph_t)capture;
  if (nodes) *nodes = none;
  if (edges) *edges = NULL;
  if (n) *n = 0;
  return status ? cudaStreamIsCapturing(stream, status) : 0;
}
cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *ready, cudaGraph_t graph, unsigned long long flags) {
  cudaError_t code = unsafe();
  *ready = (cudaGraphExec_t)graph;
  return code;
}
cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t *nodes, size_t *n) { *n = ((Capture *)graph)->kernels; return 0; }
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  static int is_told;
  tell_once(&is_told, "replayed");
  return work(stream_of(stream), 1);
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return unsafe(); }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) { return unsafe(); }

/* The driver: this library also stands where libcuda.so.1 would be. */
int cuInit(unsigned flags) { return 0; }
int cuCtxGetCurrent(void **context) { *context = standard; return 0; }
int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *is_active) { *flags = 0; *is_active = used[device] > 0; return 0; }
