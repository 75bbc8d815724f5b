/* Reading one HTTP/1.1 answer as it comes in, in pieces of any size.
 *
 * Knows: content-length and chunked bodies; the first non-empty "content" in a chat answer; "[DONE]".
 * Must never: keep a body, or trust that a piece ends where a line ends.
 */
#ifndef SUREFOOT_BENCHMARKS_RESPONSE_H
#define SUREFOOT_BENCHMARKS_RESPONSE_H

#include "http.h"

#include <stdbool.h>

enum phase { HEAD, LENGTH, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILER, WHOLE, BROKEN };

struct response {
    enum phase phase;
    int status;
    bool stream, closes, done_seen, extension;
    uint64_t first_content; /* monotonic ns, 0 until content has come */
    uint64_t content_chunks;
    size_t left; /* bytes of the body or of the chunk still to come */
    size_t line; /* bytes of the line under way */
    size_t content_matched, done_matched;
    size_t head_length;
    char head[8192];
};

static inline void response_reset(struct response *response, bool stream)
{
    memset(response, 0, offsetof(struct response, head));
    response->stream = stream;
}

/* One step through `pattern`, of which only the first byte may begin it anew. */
static inline size_t match_step(const char *pattern, size_t matched, char byte)
{
    if (byte == pattern[matched])
        return matched + 1;
    return byte == pattern[0];
}

/* Look through a piece of a stream's body for content and for the end mark. */
static inline void response_scan(struct response *response, const char *data, size_t length)
{
    static const char content[] = "\"content\":\"", done[] = "data: [DONE]";
    for (size_t i = 0; i < length; i++) {
        if (response->content_matched == sizeof content - 1) {
            response->content_matched = 0;
            if (data[i] != '"') {
                response->content_chunks++;
                if (!response->first_content)
                    response->first_content = now_ns();
            }
        }
        response->content_matched = match_step(content, response->content_matched, data[i]);
        response->done_matched = match_step(done, response->done_matched, data[i]);
        if (response->done_matched == sizeof done - 1) {
            response->done_seen = true;
            response->done_matched = 0;
        }
    }
}

static inline void response_read_head(struct response *response)
{
    const char *head = response->head, *value;
    size_t length = response->head_length;
    response->status = length > 12 ? atoi(head + 9) : 0;
    value = header_value(head, length, "connection:");
    response->closes = value && strncasecmp(value, "close", 5) == 0;
    if ((value = header_value(head, length, "content-length:"))) {
        response->left = strtoul(value, NULL, 10);
        response->phase = response->left ? LENGTH : WHOLE;
    } else if ((value = header_value(head, length, "transfer-encoding:")) && strncasecmp(value, "chunked", 7) == 0) {
        response->phase = CHUNK_SIZE;
    } else {
        response->phase = BROKEN; /* a body that ends with the connection is of no use here */
    }
}

/* Take the head from `data`; the number of bytes used. */
static inline size_t response_take_head(struct response *response, const char *data, size_t length)
{
    size_t before = response->head_length, room = sizeof response->head - before, whole;
    size_t taken = length < room ? length : room;
    memcpy(response->head + before, data, taken);
    whole = head_length(response->head, before + taken);
    if (!whole) {
        response->head_length = before + taken;
        if (response->head_length == sizeof response->head)
            response->phase = BROKEN;
        return taken;
    }
    response->head_length = whole;
    response_read_head(response);
    return whole - before;
}

static inline size_t response_take_data(struct response *response, const char *data, size_t length)
{
    size_t taken = length < response->left ? length : response->left;
    if (response->stream)
        response_scan(response, data, taken);
    response->left -= taken;
    if (!response->left)
        response->phase = response->phase == LENGTH ? WHOLE : CHUNK_END;
    return taken;
}

static inline int hexadecimal(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 32;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* One byte of the lines between chunks. */
static inline void response_take_line(struct response *response, char byte)
{
    if (byte == '\n') {
        if (response->phase == CHUNK_END)
            response->phase = CHUNK_SIZE;
        else if (response->phase == CHUNK_SIZE)
            response->phase = response->left ? CHUNK_DATA : TRAILER;
        else if (response->line == 0)
            response->phase = WHOLE;
        response->line = 0;
        response->extension = false;
    } else if (byte != '\r') {
        int digit = hexadecimal(byte);
        if (byte == ';')
            response->extension = true; /* its letters are no digits */
        if (response->phase == CHUNK_SIZE && digit >= 0 && !response->extension)
            response->left = response->left * 16 + (size_t)digit;
        response->line++;
    }
}

static inline void response_feed(struct response *response, const char *data, size_t length)
{
    while (length && response->phase < WHOLE) {
        size_t taken = 1;
        if (response->phase == HEAD)
            taken = response_take_head(response, data, length);
        else if (response->phase == LENGTH || response->phase == CHUNK_DATA)
            taken = response_take_data(response, data, length);
        else
            response_take_line(response, *data);
        data += taken;
        length -= taken;
    }
}

#endif
