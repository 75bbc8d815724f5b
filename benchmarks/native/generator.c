/* The load generator: closed loop (N connections, each one request at a time) or open loop (a constant rate).
 *
 * In the open loop every request has an intended time, start + i / rate, and its latency counts from there,
 * so that a system that stalls cannot hide the requests that waited (coordinated omission).
 * Knows: HTTP/1.1, content-length and chunked; when content begins in a chat answer; when a stream is whole.
 * Must never: spin (the mock provider shares its core), follow a redirect, or talk to another host than 127.0.0.1.
 *
 *   generator --port P --path /v1/chat/completions --body FILE --key KEY [--stream 1] [--connections 64]
 *             [--seconds 0.5] [--requests 0] [--rate 0] [--most 512] [--raw FILE]
 *
 * Prints one JSON object; --raw takes pairs of uint64: nanoseconds to the end, nanoseconds to first content.
 */
#define _GNU_SOURCE
#include "http.h"
#include "response.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { READ_SIZE = 65536, BATCH = 256, MOST_ERRORS = 1000, GRACE_SECONDS = 10 };

struct connection {
    int fd;
    bool busy, wants_out;
    size_t sent;
    uint64_t intended;
    struct response response;
    struct connection *next_idle;
};

static struct {
    int port, connections, most;
    const char *path, *body, *key, *raw;
    double seconds, rate;
    uint64_t requests;
    bool stream;
} option = {.connections = 64, .most = 512, .path = "/v1/chat/completions", .key = "", .seconds = 0.5};

static struct connection *idle, **all;
static int opened, busy, poll_fd, timer_fd;
static char *request;
static size_t request_length;
static uint64_t started, planned, begin, end, last;
static uint64_t errors, non_200, bytes_in, content_chunks;
static uint64_t *samples; /* pairs: latency, time to first content */
static size_t sample_count, sample_capacity;

static void fail(const char *what)
{
    fprintf(stderr, "generator: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void open_socket(struct connection *connection)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)option.port)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 || connect(connection->fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(connection->fd, F_SETFL, O_NONBLOCK);
    connection->wants_out = false;
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, connection->fd, &event);
}

static void rest(struct connection *connection)
{
    connection->next_idle = idle;
    idle = connection;
}

static void open_connection(void)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection)
        abort();
    open_socket(connection);
    all[opened++] = connection;
    rest(connection);
}

static void reopen(struct connection *connection)
{
    close(connection->fd);
    open_socket(connection);
}

static void record(const struct connection *connection, uint64_t now)
{
    const struct response *response = &connection->response;
    if (sample_count + 2 > sample_capacity) {
        sample_capacity = sample_capacity ? sample_capacity * 2 : 1 << 16;
        samples = realloc(samples, sample_capacity * sizeof *samples);
        if (!samples)
            abort();
    }
    samples[sample_count++] = now - connection->intended;
    samples[sample_count++] = (response->first_content ? response->first_content : now) - connection->intended;
    content_chunks += response->content_chunks;
}

static void send_request(struct connection *connection)
{
    ssize_t moved = 0;
    while (connection->sent < request_length && moved >= 0) {
        moved = send(connection->fd, request + connection->sent, request_length - connection->sent, MSG_NOSIGNAL);
        if (moved > 0)
            connection->sent += (size_t)moved;
    }
    bool blocked = connection->sent < request_length; /* a broken socket shows itself when it is read */
    if (blocked != connection->wants_out) {
        struct epoll_event event = {.events = EPOLLIN | (blocked ? EPOLLOUT : 0), .data.ptr = connection};
        epoll_ctl(poll_fd, EPOLL_CTL_MOD, connection->fd, &event);
        connection->wants_out = blocked;
    }
}

static void start(uint64_t intended)
{
    struct connection *connection = idle;
    idle = connection->next_idle;
    connection->busy = true;
    connection->intended = intended;
    connection->sent = 0;
    response_reset(&connection->response, option.stream);
    busy++;
    started++;
    send_request(connection);
}

static bool closed_loop_goes_on(uint64_t now)
{
    return now < end && (!option.requests || started < option.requests);
}

/* Send what is due: in the closed loop on every idle connection, in the open loop by the plan. */
static void start_due(uint64_t now)
{
    if (option.rate <= 0) {
        while (idle && closed_loop_goes_on(now))
            start(now_ns());
        return;
    }
    while (started < planned) {
        uint64_t intended = begin + (uint64_t)((double)started * 1e9 / option.rate);
        if (intended > now)
            return;
        if (!idle && opened < option.most)
            open_connection();
        if (!idle)
            return;
        start(intended);
    }
}

static void arm_timer(void)
{
    struct itimerspec when = {0};
    uint64_t next = begin + (uint64_t)((double)started * 1e9 / option.rate);
    if (started < planned) {
        when.it_value.tv_sec = (time_t)(next / 1000000000u);
        when.it_value.tv_nsec = (long)(next % 1000000000u);
        timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
    }
}

static void finish(struct connection *connection)
{
    struct response *response = &connection->response;
    last = now_ns();
    if (response->status != 200)
        non_200++;
    else if (option.stream && !response->done_seen)
        errors++;
    else
        record(connection, last);
    if (response->closes)
        reopen(connection);
    connection->busy = false;
    busy--;
    rest(connection);
}

static void lose(struct connection *connection)
{
    reopen(connection);
    if (!connection->busy)
        return; /* an idle connection may be closed by the other side */
    if (++errors > MOST_ERRORS)
        fail("too many errors");
    connection->busy = false;
    busy--;
    rest(connection);
}

static void receive(struct connection *connection)
{
    static char buffer[READ_SIZE];
    ssize_t moved = recv(connection->fd, buffer, sizeof buffer, 0);
    if (moved < 0 && errno == EAGAIN)
        return;
    if (moved <= 0 || !connection->busy) {
        lose(connection);
        return;
    }
    bytes_in += (uint64_t)moved;
    response_feed(&connection->response, buffer, (size_t)moved);
    if (connection->response.phase == WHOLE)
        finish(connection);
    else if (connection->response.phase == BROKEN)
        lose(connection);
}

static void run(void)
{
    struct epoll_event events[BATCH];
    begin = last = now_ns();
    end = begin + (uint64_t)(option.seconds * 1e9);
    planned = option.rate > 0 ? (uint64_t)(option.seconds * option.rate) : UINT64_MAX;
    for (;;) {
        uint64_t now = now_ns(), expirations;
        start_due(now);
        bool more = option.rate > 0 ? started < planned : closed_loop_goes_on(now);
        if (!more && busy == 0)
            return;
        if (now > end + (uint64_t)GRACE_SECONDS * 1000000000u)
            break;
        if (option.rate > 0)
            arm_timer();
        int ready = epoll_wait(poll_fd, events, BATCH, 100);
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!connection) {
                if (read(timer_fd, &expirations, sizeof expirations) < 0 && errno != EAGAIN)
                    fail("timer");
                continue;
            }
            if (events[i].events & EPOLLOUT)
                send_request(connection);
            if (events[i].events & ~(uint32_t)EPOLLOUT)
                receive(connection);
        }
    }
    errors += (uint64_t)busy; /* unanswered when the patience ended */
}

static int by_size(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void print_quantiles(const char *name, size_t offset)
{
    static const double share[] = {0.5, 0.9, 0.99, 1.0};
    static const char *label[] = {"p50", "p90", "p99", "max"};
    size_t count = sample_count / 2;
    uint64_t *sorted = malloc((count + 1) * sizeof *sorted);
    if (!sorted)
        abort();
    for (size_t i = 0; i < count; i++)
        sorted[i] = samples[2 * i + offset];
    qsort(sorted, count, sizeof *sorted, by_size);
    printf(",\"%s\":{", name);
    for (int i = 0; i < 4; i++) {
        size_t rank = (size_t)(share[i] * (double)count + 0.999999);
        printf("%s\"%s\":%.1f", i ? "," : "", label[i], count ? (double)sorted[rank ? rank - 1 : 0] / 1e3 : 0.0);
    }
    printf("}");
    free(sorted);
}

static void write_results(void)
{
    if (option.raw) {
        FILE *file = fopen(option.raw, "wb");
        if (!file || fwrite(samples, sizeof *samples, sample_count, file) != sample_count || fclose(file) != 0)
            fail(option.raw);
    }
    printf("{\"count\":%zu,\"errors\":%lu,\"non_200\":%lu,\"bytes\":%lu,\"content_chunks\":%lu,", sample_count / 2,
           errors, non_200, bytes_in, content_chunks);
    printf("\"seconds\":%.6f,\"connections\":%d", (double)(last - begin) / 1e9, opened);
    print_quantiles("latency_us", 0);
    print_quantiles("first_content_us", 1);
    printf("}\n");
}

static void make_request(void)
{
    FILE *file = fopen(option.body, "rb");
    static char body[1 << 20];
    size_t length = file ? fread(body, 1, sizeof body, file) : 0;
    if (!length)
        fail("body");
    fclose(file);
    int size = asprintf(&request,
                        "POST %s HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nauthorization: Bearer %s\r\n"
                        "content-type: application/json\r\naccept: %s\r\nuser-agent: surefoot-bench\r\n"
                        "content-length: %zu\r\n\r\n",
                        option.path, option.port, option.key,
                        option.stream ? "text/event-stream" : "application/json", length);
    if (size < 0 || !(request = realloc(request, (size_t)size + length)))
        abort();
    memcpy(request + size, body, length);
    request_length = (size_t)size + length;
}

static void read_option(const char *name, const char *value)
{
    if (strcmp(name, "--port") == 0)
        option.port = atoi(value);
    else if (strcmp(name, "--path") == 0)
        option.path = value;
    else if (strcmp(name, "--body") == 0)
        option.body = value;
    else if (strcmp(name, "--key") == 0)
        option.key = value;
    else if (strcmp(name, "--raw") == 0)
        option.raw = value;
    else if (strcmp(name, "--stream") == 0)
        option.stream = atoi(value) != 0;
    else if (strcmp(name, "--connections") == 0)
        option.connections = atoi(value);
    else if (strcmp(name, "--most") == 0)
        option.most = atoi(value);
    else if (strcmp(name, "--seconds") == 0)
        option.seconds = atof(value);
    else if (strcmp(name, "--requests") == 0)
        option.requests = strtoull(value, NULL, 10);
    else if (strcmp(name, "--rate") == 0)
        option.rate = atof(value);
    else {
        fprintf(stderr, "generator: unknown option %s\n", name);
        exit(2);
    }
}

int main(int count, char **words)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    for (int i = 1; i + 1 < count; i += 2)
        read_option(words[i], words[i + 1]);
    if (!option.port || !option.body) {
        fprintf(stderr, "generator: --port and --body are needed\n");
        return 2;
    }
    make_request();
    if (option.most < option.connections)
        option.most = option.connections;
    all = calloc((size_t)option.most, sizeof(struct connection *));
    if (!all)
        abort();
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, timer_fd, &event);
    for (int i = 0; i < option.connections; i++)
        open_connection();
    run();
    write_results();
    return 0;
}
