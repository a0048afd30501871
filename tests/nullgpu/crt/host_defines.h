/* What CUDA's headers want of the compiler package, which torch does not install: nothing, in plain C. */
#define __host__
#define __device__
#define __cudart_builtin__
#define __device_builtin__
#define __device_builtin_texture_type__
#define __device_builtin_surface_type__
#define __builtin_align__(n) __attribute__((aligned(n)))
#define CUDARTAPI
#define __align__(n) __attribute__((aligned(n)))
