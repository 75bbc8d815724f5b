/* A provider that answers at once: what the benchmark's gateways talk to.
 *
 * One thread, one epoll. POST with a body is answered by a fixed chat completion of about 1 KB, or, when the
 * body says "stream":true, by a chunked SSE stream in which every content chunk is a write of its own.
 * Knows: how an OpenAI-compatible answer looks. Must never: be the slowest part of a measurement, so all
 * bytes are made once at the start and a request is searched, not parsed.
 *
 *   mock [--port P] [--chunks N] [--interval MICROSECONDS] [--tls CERTIFICATE KEY]
 *
 * Prints "listening PORT" when it is ready. Ends with the process that started it.
 */
#define _GNU_SOURCE
#include "answers.h"
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>
#ifdef WITH_TLS
#include <openssl/ssl.h>
#endif

enum { READ_SIZE = 65536, BATCH = 256 };

struct connection {
    int fd; /* -1 once closed while a timer still points here */
    struct bytes in, out;
    size_t sent;
    int chunk; /* next content chunk of the stream under way, or -1 */
    bool usage, queued, wants_out;
    uint64_t due;
    struct connection *next;
#ifdef WITH_TLS
    SSL *tls;
#endif
};

static struct connection *closed;               /* freed after the batch: its events may still name them */
static struct connection *timers, *timers_tail; /* one interval for all: the queue is ordered by itself */
static struct connection listener, timer;       /* their addresses mark the two special descriptors */
static int chunks = 50, poll_fd;
static uint64_t interval_ns;
#ifdef WITH_TLS
static SSL_CTX *tls_context;
#endif

static void bury(struct connection *connection)
{
    connection->next = closed;
    closed = connection;
}

static void free_closed(void)
{
    while (closed) {
        struct connection *connection = closed;
        closed = connection->next;
        free(connection);
    }
}

static void close_connection(struct connection *connection)
{
#ifdef WITH_TLS
    if (connection->tls)
        SSL_free(connection->tls);
    connection->tls = NULL;
#endif
    close(connection->fd);
    connection->fd = -1;
    free(connection->in.data);
    free(connection->out.data);
    connection->in = connection->out = (struct bytes){0};
    if (!connection->queued) /* else the timer queue hands it over */
        bury(connection);
}

/* Bytes moved, 0 when the peer has gone, -1 when it would block, -2 on failure. */
static ssize_t move_bytes(struct connection *connection, char *data, size_t length, bool out)
{
    ssize_t moved;
#ifdef WITH_TLS
    if (connection->tls) {
        moved = out ? SSL_write(connection->tls, data, (int)length) : SSL_read(connection->tls, data, (int)length);
        if (moved > 0)
            return moved;
        int reason = SSL_get_error(connection->tls, (int)moved);
        return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? -1 : -2;
    }
#endif
    moved = out ? send(connection->fd, data, length, MSG_NOSIGNAL) : recv(connection->fd, data, length, 0);
    return moved >= 0 ? moved : errno == EAGAIN ? -1 : -2;
}

static void watch(struct connection *connection, bool out)
{
    struct epoll_event event = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = connection};
    if (connection->wants_out != out)
        epoll_ctl(poll_fd, EPOLL_CTL_MOD, connection->fd, &event);
    connection->wants_out = out;
}

static bool flush(struct connection *connection)
{
    while (connection->sent < connection->out.length) {
        ssize_t moved = move_bytes(connection, connection->out.data + connection->sent,
                                   connection->out.length - connection->sent, true);
        if (moved == -1) {
            watch(connection, true);
            return true;
        }
        if (moved <= 0)
            return false;
        connection->sent += (size_t)moved;
    }
    connection->out.length = connection->sent = 0;
    watch(connection, false);
    return true;
}

static bool write_bytes(struct connection *connection, const struct bytes *bytes)
{
    append(&connection->out, bytes->data, bytes->length);
    return flush(connection);
}

static void arm_timer(void)
{
    struct itimerspec when = {0};
    if (timers) {
        when.it_value.tv_sec = (time_t)(timers->due / 1000000000u);
        when.it_value.tv_nsec = (long)(timers->due % 1000000000u);
    }
    timerfd_settime(timer.fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void queue_timer(struct connection *connection)
{
    connection->next = NULL;
    connection->queued = true;
    if (timers)
        timers_tail->next = connection;
    else
        timers = connection;
    timers_tail = connection;
}

/* Write the chunks that are due: all of them when there is no interval, else one. */
static bool speak(struct connection *connection)
{
    do {
        if (connection->chunk == chunks) {
            connection->chunk = -1;
            return write_bytes(connection, connection->usage ? &stream_end_usage : &stream_end);
        }
        if (!write_bytes(connection, &content_chunk))
            return false;
        connection->chunk++;
    } while (!interval_ns || connection->chunk == chunks);
    connection->due += interval_ns;
    queue_timer(connection);
    return true;
}

static bool contains(const char *body, size_t length, const char *tight, const char *spaced)
{
    return memmem(body, length, tight, strlen(tight)) || memmem(body, length, spaced, strlen(spaced));
}

static bool answer(struct connection *connection, const char *body, size_t length)
{
    if (!contains(body, length, "\"stream\":true", "\"stream\": true"))
        return write_bytes(connection, &plain_answer);
    connection->usage = contains(body, length, "\"include_usage\":true", "\"include_usage\": true");
    connection->chunk = 0;
    connection->due = now_ns();
    return write_bytes(connection, &stream_head) && speak(connection);
}

/* Answer every complete request in the buffer; a stream under way holds the next one back. */
static bool answer_all(struct connection *connection)
{
    struct bytes *in = &connection->in;
    size_t head;
    while (connection->chunk < 0 && (head = head_length(in->data, in->length)) > 0) {
        const char *value = header_value(in->data, head, "content-length:");
        size_t body = value ? strtoul(value, NULL, 10) : 0;
        if (in->length < head + body)
            return true;
        if (!answer(connection, in->data + head, body))
            return false;
        in->length -= head + body;
        memmove(in->data, in->data + head + body, in->length);
    }
    return true;
}

static bool receive(struct connection *connection)
{
    static char buffer[READ_SIZE];
    for (;;) {
        ssize_t moved = move_bytes(connection, buffer, sizeof buffer, false);
        if (moved == -1)
            return true;
        if (moved <= 0)
            return false;
        append(&connection->in, buffer, (size_t)moved);
        if (!answer_all(connection))
            return false;
#ifdef WITH_TLS
        if (connection->tls)
            continue; /* what OpenSSL has already taken in raises no event */
#endif
        if (moved < (ssize_t)sizeof buffer)
            return true;
    }
}

static void accept_all(void)
{
    int fd, on = 1;
    while ((fd = accept4(listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = calloc(1, sizeof *connection);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        if (!connection)
            abort();
        connection->fd = fd;
        connection->chunk = -1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
#ifdef WITH_TLS
        if (tls_context) {
            connection->tls = SSL_new(tls_context);
            SSL_set_fd(connection->tls, fd);
            SSL_set_accept_state(connection->tls);
        }
#endif
        epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

static void run_timers(void)
{
    uint64_t expirations, now = now_ns();
    if (read(timer.fd, &expirations, sizeof expirations) < 0 && errno != EAGAIN)
        abort();
    while (timers && timers->due <= now) {
        struct connection *connection = timers;
        timers = connection->next;
        connection->queued = false;
        if (connection->fd < 0)
            bury(connection);
        else if (!speak(connection) || !answer_all(connection))
            close_connection(connection);
    }
}

static void serve(struct connection *connection, uint32_t events)
{
    if (connection->fd < 0)
        return;
    bool open = !(events & EPOLLOUT) || flush(connection);
    if (!open || ((events & ~(uint32_t)EPOLLOUT) && !receive(connection)))
        close_connection(connection);
}

static void use_tls(const char *certificate, const char *key)
{
#ifdef WITH_TLS
    tls_context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(tls_context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (SSL_CTX_use_certificate_chain_file(tls_context, certificate) == 1 &&
        SSL_CTX_use_PrivateKey_file(tls_context, key, SSL_FILETYPE_PEM) == 1)
        return;
#endif
    fprintf(stderr, "mock: no TLS with %s and %s\n", certificate, key);
    exit(2);
}

static int options(int count, char **words)
{
    int port = 0;
    for (int i = 1; i + 1 < count; i += 2) {
        if (strcmp(words[i], "--port") == 0)
            port = atoi(words[i + 1]);
        else if (strcmp(words[i], "--chunks") == 0)
            chunks = atoi(words[i + 1]);
        else if (strcmp(words[i], "--interval") == 0)
            interval_ns = strtoull(words[i + 1], NULL, 10) * 1000;
        else if (strcmp(words[i], "--tls") == 0 && i + 2 < count) {
            use_tls(words[i + 1], words[i + 2]);
            i++;
        }
    }
    return port;
}

static void listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t length = sizeof address;
    int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener.fd, (struct sockaddr *)&address, length) < 0 || listen(listener.fd, 4096) < 0) {
        perror("mock: listen");
        exit(2);
    }
    getsockname(listener.fd, (struct sockaddr *)&address, &length);
    printf("listening %d\n", ntohs(address.sin_port));
    fflush(stdout);
}

int main(int count, char **words)
{
    struct epoll_event events[BATCH], event = {.events = EPOLLIN, .data.ptr = &listener};
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    int port = options(count, words);
    make_plain();
    make_stream();
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    listen_on(port);
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener.fd, &event);
    event.data.ptr = &timer;
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, timer.fd, &event);
    for (;;) {
        int ready = epoll_wait(poll_fd, events, BATCH, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr == &listener)
                accept_all();
            else if (events[i].data.ptr == &timer)
                run_timers();
            else
                serve(events[i].data.ptr, events[i].events);
        }
        free_closed();
        if (interval_ns && ready > 0)
            arm_timer();
    }
}
