/* Streams, events, copies, captures and graphs of the null GPU; see device.c. */
#include "null.h"
#include <stdlib.h>
#include <string.h>

typedef struct { Capture *capture; unsigned long long id; } Event;

static Stream *streams, standard[MOST_DEVICES];
static Capture *capturing; /* at most one at a time, as dlexp does */
static unsigned long long captures;
size_t launches[MOST_DEVICES];
static __thread enum cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;

Stream *stream_of(cudaStream_t stream) {
  standard[current].device = current;
  return (uintptr_t)stream > 2 ? (Stream *)stream : &standard[current];
}

static cudaError_t refuse(Capture *capture) {
  capture->is_spoilt = 1;
  tell("refused", capture->kernels);
  return error(cudaErrorStreamCaptureUnsupported);
}

/* What no capture survives, unless the thread has said that it knows what it does. */
cudaError_t unsafe(void) {
  Capture *capture = capturing;
  if (!capture || mode == cudaStreamCaptureModeRelaxed) return 0;
  return pthread_equal(capture->thread, pthread_self()) || capture->is_strict ? refuse(capture) : 0;
}

/* Kernels, products and copies: each is a node of the stream's graph, or done now. */
cudaError_t work(Stream *stream, int is_kernel) {
  static int is_told;
  int device = stream->device;
  if (stream->capture) {
    stream->capture->kernels++;
    return stream->capture->is_spoilt ? error(cudaErrorStreamCaptureInvalidated) : 0;
  }
  if (is_kernel) {
    __sync_fetch_and_add(&launches[device], 1);
    tell_once(&is_told, "launched");
    if (is_due("NULLGPU_BROKEN", device)) {
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

/* Copies */
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t stream) {
  Stream *its = stream_of(stream);
  cudaError_t code = work(its, 0);
  int source = place_of(from), target = place_of(to);
  if (code || its->capture) return code;
  if (source >= 0 && source < PINNED && (target < 0 || target == PINNED)) memset(to, 0, bytes);
  else memmove(to, from, bytes);
  return 0;
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

