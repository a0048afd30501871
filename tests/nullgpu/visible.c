/* Which devices CUDA_VISIBLE_DEVICES shows, by the rules of the CUDA programming guide; see device.c.
 *
 * Device N has the UUID "GPU-0000000N" and one slice, "MIG-0000000N"; a beginning of a name that is one device's alone
 * will do. The names after one that is no device's do not count, one that comes twice hides all, and of slices a
 * process sees one.
 */
#include "null.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int number_of[MOST_DEVICES];

static int is_slice(const char *name) { return !strncmp(name, "MIG-", 4); }

static int named(const char *name, size_t length, int there) {
  char whole[16], *end;
  int number = -1;
  if (!is_slice(name) && strncmp(name, "GPU-", 4)) {
    long given = strtol(name, &end, 10);
    return end == name || given < 0 || given >= there ? -1 : (int)given;
  }
  for (int each = 0; each < there; each++) {
    snprintf(whole, sizeof whole, "%.4s%08d", name, each);
    if (length <= strlen(whole) && !strncmp(whole, name, length)) number = number == -1 ? each : -2;
  }
  return number;
}

static int read_names(const char *names, int there) {
  int shown = 0;
  for (const char *rest = names; *rest && shown < MOST_DEVICES; rest += *rest == ',') {
    size_t length = strcspn(rest, ",");
    int number = named(rest, length, there);
    if (number < 0) break;
    for (int before = 0; before < shown; before++)
      if (number_of[before] == number) return 0;
    number_of[shown++] = number;
    if (is_slice(rest)) break;
    rest += length;
  }
  return shown;
}

int count(void) {
  static int visible = -1;
  if (visible >= 0) return visible;
  const char *devices = getenv("NULLGPU_DEVICES"), *names = getenv("CUDA_VISIBLE_DEVICES");
  int there = devices ? atoi(devices) : 1;
  if (names) return visible = read_names(names, there);
  for (int each = 0; each < there; each++) number_of[each] = each;
  return visible = there;
}
