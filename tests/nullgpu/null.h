/* What the files of the null GPU share; see device.c. */
#include <cuda_runtime_api.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum { MOST_DEVICES = 8, PINNED = MOST_DEVICES }; /* places of memory: the devices, and pinned memory of the host */

typedef struct Capture { unsigned long long id; size_t kernels; int is_spoilt, is_strict; pthread_t thread; } Capture;
typedef struct Stream { int device; Capture *capture; struct Stream *next; } Stream;

#pragma GCC visibility push(hidden)
extern pthread_mutex_t lock;
extern int is_broken[MOST_DEVICES], number_of[MOST_DEVICES]; /* number_of: before CUDA_VISIBLE_DEVICES chose */
extern size_t launches[MOST_DEVICES];                        /* kernels that ran */
extern __thread int current; /* device of this thread */

int count(void);                                  /* visible devices */
int is_due(const char *setting, int device);      /* a setting "N:K" is about this device, which is beyond kernel K */
cudaError_t error(cudaError_t code);              /* remembers it for cudaGetLastError */
void tell(const char *what, size_t number);       /* a line in the log */
void tell_once(int *is_told, const char *what);
int place_of(const void *address);                /* -1: neither a device's nor pinned */
Stream *stream_of(cudaStream_t stream);
cudaError_t work(Stream *stream, int is_kernel);  /* a node of the stream's graph, or done now */
cudaError_t unsafe(void);                         /* refuses what no capture of the process survives */
#pragma GCC visibility pop
