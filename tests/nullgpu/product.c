/* The calls of cuBLAS and cuDNN that take a handle; a product is a kernel of the handle's stream. See device.c. */
#include <cuda_runtime_api.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int nullgpu_product(cudaStream_t stream);
void nullgpu_tell_of_workspace(void);

typedef struct { cudaStream_t stream; } Handle;
typedef struct { int algorithm, status; float time; size_t memory; int is_determined, math, reserved[3]; } Measured;

static int create(Handle **handle) { return (*handle = calloc(1, sizeof **handle)) ? 0 : 1; }

#define NOTHING(name) int name(void) { return 0; }
#define PRODUCT(name) int name(Handle *handle) { return nullgpu_product(handle->stream); }
#define ZERO(name, ...) int name(__VA_ARGS__, size_t *bytes) { *bytes = 0; return 0; }
#define CHOICE(name) \
  int name(Handle *h, void *a, void *b, void *c, void *d, int wanted, int *given, Measured *first) { \
    *given = 1; \
    *first = (Measured){.algorithm = 1, .is_determined = 1}; \
    return 0; \
  }

int cublasCreate_v2(Handle **handle) { nullgpu_tell_of_workspace(); return create(handle); }
int cublasSetStream_v2(Handle *handle, cudaStream_t stream) { handle->stream = stream; return 0; }
int cublasGetMathMode(Handle *handle, int *mode) { return *mode = 0; }
int cublasGetPointerMode_v2(Handle *handle, int *mode) { return *mode = 0; }
NOTHING(cublasDestroy_v2) NOTHING(cublasSetWorkspace_v2) NOTHING(cublasSetMathMode) NOTHING(cublasSetPointerMode_v2)
PRODUCT(cublasSgemm_v2) PRODUCT(cublasDgemm_v2) PRODUCT(cublasSgemv_v2) PRODUCT(cublasDgemv_v2) PRODUCT(cublasSdot_v2)
PRODUCT(cublasGemmEx) PRODUCT(cublasSgemmStridedBatched) PRODUCT(cublasDgemmStridedBatched) PRODUCT(cublasGemmStridedBatchedEx)

int cublasLtMatmulAlgoGetHeuristic(void *h, void *d, void *A, void *B, void *C, void *D, void *p, int n, void *first, int *given) {
  memset(first, 0, 128);
  *given = 1;
  return 0;
}
int cublasLtMatmul(void *h, void *d, const void *alpha, const void *A, void *a, const void *B, void *b, const void *beta,
                   const void *C, void *c, void *D, void *e, const void *algorithm, void *space, size_t bytes, cudaStream_t stream) {
  return nullgpu_product(stream);
}

int cudnnCreate(Handle **handle) { return create(handle); }
int cudnnSetStream(Handle *handle, cudaStream_t stream) { handle->stream = stream; return 0; }
NOTHING(cudnnDestroy)
CHOICE(cudnnGetConvolutionForwardAlgorithm_v7)
CHOICE(cudnnGetConvolutionBackwardDataAlgorithm_v7)
CHOICE(cudnnGetConvolutionBackwardFilterAlgorithm_v7)
ZERO(cudnnGetConvolutionForwardWorkspaceSize, Handle *h, void *a, void *b, void *c, void *d, int e)
ZERO(cudnnGetConvolutionBackwardDataWorkspaceSize, Handle *h, void *a, void *b, void *c, void *d, int e)
ZERO(cudnnGetConvolutionBackwardFilterWorkspaceSize, Handle *h, void *a, void *b, void *c, void *d, int e)
ZERO(cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize, Handle *h, int a, int b, void *c, void *d, void *e, void *f, void *g)
ZERO(cudnnGetBatchNormalizationBackwardExWorkspaceSize, Handle *h, int a, int b, void *c, void *d, void *e, void *f, void *g, void *i, void *j)
ZERO(cudnnGetBatchNormalizationTrainingExReserveSpaceSize, Handle *h, int a, int b, void *c, void *d)
PRODUCT(cudnnBatchNormalizationForwardInference) PRODUCT(cudnnPoolingForward) PRODUCT(cudnnConvolutionBiasActivationForward)
PRODUCT(cudnnBatchNormalizationForwardTrainingEx) PRODUCT(cudnnBatchNormalizationBackwardEx)
PRODUCT(cudnnConvolutionForward) PRODUCT(cudnnConvolutionBackwardData) PRODUCT(cudnnConvolutionBackwardFilter)
