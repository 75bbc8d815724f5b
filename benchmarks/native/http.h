/* What the mock provider and the load generator share: the clock and the reading of an HTTP/1.1 head.
 *
 * Knows: nothing of chat, of targets or of systems under test.
 * Must never: allocate, or touch a socket.
 */
#ifndef SUREFOOT_BENCHMARKS_HTTP_H
#define SUREFOOT_BENCHMARKS_HTTP_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* Nanoseconds of the monotonic clock. */
static inline uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Length of the head including its empty line, or 0 while it is incomplete. */
static inline size_t head_length(const char *data, size_t length)
{
    const char *end = memmem(data, length, "\r\n\r\n", 4);
    return end ? (size_t)(end - data) + 4 : 0;
}

/* Start of the value of header `name` (given with its colon), or NULL. The head ends in an empty line. */
static inline const char *header_value(const char *head, size_t length, const char *name)
{
    size_t name_length = strlen(name);
    const char *end = head + length;
    const char *line = memchr(head, '\n', length);
    while (line && (size_t)(end - ++line) > name_length) {
        if (strncasecmp(line, name, name_length) == 0) {
            for (line += name_length; *line == ' ' || *line == '\t'; line++)
                ;
            return line;
        }
        line = memchr(line, '\n', (size_t)(end - line));
    }
    return NULL;
}

#endif
