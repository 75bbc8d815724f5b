/* The bytes the mock provider answers with: made once, written often.
 *
 * Knows: how an OpenAI-compatible completion and its stream look, usage and all.
 * Must never: depend on a request.
 */
#ifndef SUREFOOT_BENCHMARKS_ANSWERS_H
#define SUREFOOT_BENCHMARKS_ANSWERS_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    char *data;
    size_t length, capacity;
};

static struct bytes plain_answer, stream_head, content_chunk, stream_end, stream_end_usage;

static inline void append(struct bytes *bytes, const char *data, size_t length)
{
    if (bytes->length + length > bytes->capacity) {
        bytes->capacity = (bytes->length + length) * 2;
        bytes->data = realloc(bytes->data, bytes->capacity);
        if (!bytes->data)
            abort();
    }
    memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
}

static inline void append_text(struct bytes *bytes, const char *text)
{
    append(bytes, text, strlen(text));
}

static inline void append_chunk(struct bytes *bytes, const char *text)
{
    char size[32];
    snprintf(size, sizeof size, "%zx\r\n", strlen(text));
    append_text(bytes, size);
    append_text(bytes, text);
    append_text(bytes, "\r\n");
}

static inline void append_delta(struct bytes *bytes, const char *delta, const char *finish_reason)
{
    char event[1024];
    snprintf(event, sizeof event,
             "data: {\"id\":\"chatcmpl-BmkR7Zy1q4fT0c9dLx2sVhWn8uEaP\",\"object\":\"chat.completion.chunk\","
             "\"created\":1760000000,\"model\":\"mock-model\",\"system_fingerprint\":\"fp_5f1c2a9e07\","
             "\"choices\":[{\"index\":0,\"delta\":%s,\"logprobs\":null,\"finish_reason\":%s}]}\n\n",
             delta, finish_reason);
    append_chunk(bytes, event);
}

static inline void make_stream(void)
{
    static const char usage[] =
        "data: {\"id\":\"chatcmpl-BmkR7Zy1q4fT0c9dLx2sVhWn8uEaP\",\"object\":\"chat.completion.chunk\","
        "\"created\":1760000000,\"model\":\"mock-model\",\"choices\":[],"
        "\"usage\":{\"prompt_tokens\":181,\"completion_tokens\":50,\"total_tokens\":231}}\n\n";
    append_text(&stream_head, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
                              "cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n");
    append_delta(&stream_head, "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}", "null");
    append_delta(&content_chunk, "{\"content\":\" token\"}", "null");
    append_delta(&stream_end, "{}", "\"stop\"");
    append(&stream_end_usage, stream_end.data, stream_end.length);
    append_chunk(&stream_end_usage, usage);
    append_chunk(&stream_end, "data: [DONE]\n\n");
    append_chunk(&stream_end_usage, "data: [DONE]\n\n");
    append_chunk(&stream_end, "");
    append_chunk(&stream_end_usage, "");
}

static inline void make_plain(void)
{
    static const char body[] =
        "{\"id\":\"chatcmpl-BmkR7Zy1q4fT0c9dLx2sVhWn8uEaP\",\"object\":\"chat.completion\",\"created\":1760000000,"
        "\"model\":\"mock-model\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
        "\"The parcel left the depot on Tuesday evening and is due on Thursday before noon. Because the "
        "address was changed after it had been sorted, the second scan shows the old postcode; that is the "
        "label and not the route. If nobody is at home, the driver leaves it with the neighbour you named, "
        "and you receive a message with the time and a photograph. You can still move the delivery to a "
        "later day until ten o'clock tonight. Is there anything else that I should look up for you?\","
        "\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{"
        "\"prompt_tokens\":181,\"completion_tokens\":104,\"total_tokens\":285,\"prompt_tokens_details\":{"
        "\"cached_tokens\":0,\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":0,"
        "\"audio_tokens\":0,\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}},"
        "\"service_tier\":\"default\",\"system_fingerprint\":\"fp_5f1c2a9e07\"}";
    char head[256];
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n",
             sizeof body - 1);
    append_text(&plain_answer, head);
    append_text(&plain_answer, body);
}

#endif
