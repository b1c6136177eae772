/* A closed-loop load generator: one thread, epoll, many connections, no work of its own beyond counting.
 *
 * load -p PORT -f CORPUS [-h HOST] [-c CONNECTIONS] [-d DEPTH] [-t SECONDS] [-w WARMUP] [-m lines|resp|http|pg] [-1]
 *
 * Each connection sends DEPTH requests in one go, waits for DEPTH replies and starts again. CORPUS is a run of records
 * {uint32 length, uint32 class, bytes}; latencies are kept per class (0 and 1). With -1 every request is sent once and
 * the run ends when the corpus does. One JSON object on stdout; the first refused reply goes to stderr. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_BYTES = 4096, CLASSES = 2, BUCKETS = 2000000, EVENTS = 1024 };
enum mode { LINES, RESP, HTTP, PG };

typedef struct {
    int fd, wanted, got, class, waits_for_space;
    double sent_at;
    const char *out;
    char *copy;
    size_t out_length, out_offset;
    uint64_t body_left; /* bytes of the reply's body still to come */
    int in_body;
    int head_length;
    char head[HEAD_BYTES + 1];
} connection;

typedef struct {
    const char *bytes;
    uint32_t length, class;
} request;

static request *requests;
static uint64_t request_count, cursor, refused;
static int depth = 1, once, poller;
static uint32_t *histogram[CLASSES];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint32_t load_corpus(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) fail(path);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *bytes = malloc((size_t)size + 1);
    if (!bytes || fread(bytes, 1, (size_t)size, file) != (size_t)size) fail("corpus");
    fclose(file);
    uint32_t longest = 0;
    uint64_t room = 0;
    for (long at = 0; at + 8 <= size;) {
        uint32_t header[2];
        memcpy(header, bytes + at, 8);
        if (request_count == room) {
            room = room ? room * 2 : 1024;
            requests = realloc(requests, room * sizeof *requests);
            if (!requests) fail("corpus");
        }
        requests[request_count++] = (request){bytes + at + 8, header[0], header[1] % CLASSES};
        if (header[0] > longest) longest = header[0];
        at += 8 + (long)header[0];
    }
    if (!request_count) {
        fprintf(stderr, "empty corpus\n");
        exit(1);
    }
    return longest;
}

/* 0 when nothing is left to send. */
static int next_batch(connection *c) {
    c->wanted = c->got = 0;
    c->out_length = c->out_offset = 0;
    for (int i = 0; i < depth; i++) {
        if (once && cursor >= request_count) break;
        const request *r = &requests[cursor++ % request_count];
        if (!c->wanted) c->class = (int)r->class;
        if (depth == 1)
            c->out = r->bytes;
        else
            memcpy(c->copy + c->out_length, r->bytes, r->length);
        c->out_length += r->length;
        c->wanted++;
    }
    return c->wanted;
}

static void send_some(connection *c) {
    while (c->out_offset < c->out_length) {
        ssize_t n = send(c->fd, c->out + c->out_offset, c->out_length - c->out_offset, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno != EAGAIN) fail("send");
            break;
        }
        c->out_offset += (size_t)n;
    }
    int waits = c->out_offset < c->out_length;
    if (waits != c->waits_for_space) {
        struct epoll_event e = {.events = EPOLLIN | (waits ? EPOLLOUT : 0), .data.ptr = c};
        epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &e);
        c->waits_for_space = waits;
    }
}

static void refuse(connection *c) {
    c->head[c->head_length] = 0;
    if (!refused++) fprintf(stderr, "refused: %.600s\n", c->head);
}

static void keep_head(connection *c, const char *bytes, size_t length) {
    size_t room = (size_t)(HEAD_BYTES - c->head_length);
    if (length > room) length = room;
    memcpy(c->head + c->head_length, bytes, length);
    c->head_length += (int)length;
}

static void check_line(connection *c) {
    c->head[c->head_length] = 0;
    const char *status = strstr(c->head, "\"status\":");
    if (!status || atoi(status + 9) != 200) refuse(c);
    c->head_length = 0;
}

static void feed_lines(connection *c, const char *bytes, size_t length) {
    const char *at = bytes, *end = bytes + length;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t part = (size_t)((stop ? stop : end) - at);
        if (c->head_length < 256) keep_head(c, at, part < 256 ? part : 256);
        if (!stop) return;
        check_line(c);
        c->got++;
        at = stop + 1;
    }
}

/* Bytes consumed of a body that is being skipped. */
static size_t skip_body(connection *c, size_t available) {
    size_t take = available < c->body_left ? available : (size_t)c->body_left;
    c->body_left -= take;
    if (!c->body_left) {
        c->in_body = 0;
        c->got++;
    }
    return take;
}

static void feed_resp(connection *c, const char *bytes, size_t length) {
    for (size_t at = 0; at < length;) {
        if (c->in_body) {
            at += skip_body(c, length - at);
            continue;
        }
        keep_head(c, bytes + at, 1);
        if (bytes[at++] != '\n') continue;
        c->head[c->head_length] = 0;
        long size = c->head[0] == '$' ? atol(c->head + 1) : -1;
        if (size < 0) {
            if (c->head[0] != '+') refuse(c);
            c->got++;
        } else {
            c->in_body = 1;
            c->body_left = (uint64_t)size + 2;
        }
        c->head_length = 0;
    }
}

static void http_head(connection *c) {
    c->head[c->head_length] = 0;
    const char *field = strcasestr(c->head, "\r\ncontent-length:");
    if (!field || c->head_length < 12) {
        fprintf(stderr, "a reply without Content-Length: %.600s\n", c->head);
        exit(1);
    }
    if (c->head[9] != '2') refuse(c);
    c->body_left = strtoull(field + 17, NULL, 10);
    c->head_length = 0;
    c->in_body = c->body_left > 0;
    if (!c->in_body) c->got++;
}

static void feed_http(connection *c, const char *bytes, size_t length) {
    for (size_t at = 0; at < length;) {
        if (c->in_body) {
            at += skip_body(c, length - at);
            continue;
        }
        keep_head(c, bytes + at, 1);
        if (bytes[at++] == '\n' && c->head_length >= 4 && !memcmp(c->head + c->head_length - 4, "\r\n\r\n", 4))
            http_head(c);
        else if (c->head_length == HEAD_BYTES) {
            fprintf(stderr, "a reply's head is too long\n");
            exit(1);
        }
    }
}

/* One reply of PostgreSQL ends with a ReadyForQuery message; an ErrorResponse inside it is a refusal. */
static void feed_pg(connection *c, const char *bytes, size_t length) {
    for (size_t at = 0; at < length;) {
        keep_head(c, bytes + at++, 1);
        if (c->head_length < 5) continue;
        uint32_t size;
        memcpy(&size, c->head + 1, 4);
        size = ntohl(size);
        if ((uint32_t)c->head_length < size + 1) continue;
        if (c->head[0] == 'Z') c->got++;
        if (c->head[0] == 'E') {
            for (int i = 0; i < c->head_length; i++)
                if (c->head[i] < ' ') c->head[i] = ' ';
            refuse(c);
        }
        c->head_length = 0;
    }
}

static void feed(connection *c, enum mode mode, const char *bytes, size_t length) {
    if (mode == LINES) feed_lines(c, bytes, length);
    if (mode == RESP) feed_resp(c, bytes, length);
    if (mode == HTTP) feed_http(c, bytes, length);
    if (mode == PG) feed_pg(c, bytes, length);
}

/* Blocking: the startup message of PostgreSQL's protocol, for user and base "bench" without a password. */
static void greet_pg(connection *c) {
    static const char body[] = "\0\3\0\0user\0bench\0database\0postgres\0";
    char hello[4 + sizeof body];
    uint32_t size = htonl(sizeof hello);
    memcpy(hello, &size, 4);
    memcpy(hello + 4, body, sizeof body);
    if (send(c->fd, hello, sizeof hello, MSG_NOSIGNAL) != (ssize_t)sizeof hello) fail("send");
    while (!c->got) {
        char bytes[4096];
        ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);
        if (n <= 0) fail("greeting");
        feed_pg(c, bytes, (size_t)n);
        if (refused) exit(1);
    }
}

static void open_connection(connection *c, const char *host, int port, enum mode mode, size_t copy_bytes) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, host, &address.sin_addr);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (void *)&address, sizeof address)) fail("connect");
    int on = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct timeval patience = {.tv_sec = 10};
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (mode == PG) greet_pg(c);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    if (depth > 1 && !(c->copy = malloc(copy_bytes))) fail("malloc");
    c->out = c->copy;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &e);
}

static double cpu_seconds(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e-6;
}

static void print_class(const uint32_t *h) {
    static const double quantiles[3] = {.5, .99, .999};
    uint64_t total = 0, seen = 0;
    long found[3] = {0};
    for (int i = 0; i < BUCKETS; i++) total += h[i];
    for (int i = 0, q = 0; i < BUCKETS && q < 3; i++) {
        seen += h[i];
        while (q < 3 && total && (double)seen >= quantiles[q] * (double)total) found[q++] = i;
    }
    printf("{\"batches\":%lu,\"p50_us\":%ld,\"p99_us\":%ld,\"p999_us\":%ld}", total, found[0], found[1], found[2]);
}

int main(int argc, char **argv) {
    int port = 0, count = 50, option;
    double seconds = 2, warmup = 0.5;
    const char *host = "127.0.0.1", *corpus = NULL, *name = "lines";
    while ((option = getopt(argc, argv, "h:p:c:d:t:w:m:f:1")) != -1) switch (option) {
            case 'h': host = optarg; break;
            case 'p': port = atoi(optarg); break;
            case 'c': count = atoi(optarg); break;
            case 'd': depth = atoi(optarg); break;
            case 't': seconds = atof(optarg); break;
            case 'w': warmup = atof(optarg); break;
            case 'm': name = optarg; break;
            case 'f': corpus = optarg; break;
            case '1': once = 1; break;
            default: return 2;
        }
    if (!corpus || !port || count < 1 || depth < 1) return 2;
    enum mode mode = !strcmp(name, "resp") ? RESP : !strcmp(name, "http") ? HTTP : !strcmp(name, "pg") ? PG : LINES;
    uint32_t longest = load_corpus(corpus);
    for (int i = 0; i < CLASSES; i++)
        if (!(histogram[i] = calloc(BUCKETS, sizeof(uint32_t)))) fail("malloc");
    poller = epoll_create1(0);
    connection *all = calloc((size_t)count, sizeof *all);
    if (!all) fail("malloc");
    for (int i = 0; i < count; i++) open_connection(&all[i], host, port, mode, (size_t)longest * (size_t)depth);

    double start = now(), begin = start + warmup, end = begin + seconds, t = start, cpu = 0;
    uint64_t total = 0, measured = 0, bytes_in = 0;
    int busy = 0, measuring = 0;
    for (int i = 0; i < count; i++)
        if (next_batch(&all[i])) {
            all[i].sent_at = now();
            send_some(&all[i]);
            busy++;
        }
    static char buffer[1 << 18];
    struct epoll_event ready[EVENTS];
    while (t < end && busy) {
        int n = epoll_wait(poller, ready, EVENTS, 50);
        t = now();
        if (!measuring && t >= begin) {
            measuring = 1;
            begin = t;
            end = t + seconds;
            cpu = cpu_seconds();
        }
        for (int i = 0; i < n; i++) {
            connection *c = ready[i].data.ptr;
            if (ready[i].events & EPOLLOUT) send_some(c);
            if (!(ready[i].events & ~(uint32_t)EPOLLOUT)) continue;
            ssize_t r = recv(c->fd, buffer, sizeof buffer, 0);
            if (r < 0 && errno == EAGAIN) continue;
            if (r <= 0) {
                fprintf(stderr, "the server closed a connection\n");
                return 1;
            }
            bytes_in += measuring ? (uint64_t)r : 0;
            feed(c, mode, buffer, (size_t)r);
            if (c->got < c->wanted) continue;
            double done = now();
            total += (uint64_t)c->got;
            if (measuring) {
                measured += (uint64_t)c->got;
                long us = (long)((done - c->sent_at) * 1e6);
                histogram[c->class][us < BUCKETS ? us : BUCKETS - 1]++;
            }
            if (next_batch(c)) {
                c->sent_at = done;
                send_some(c);
            } else
                busy--;
        }
    }
    t = now();
    double elapsed = t - begin;
    if (!measuring || elapsed <= 0) {
        fprintf(stderr, "the corpus ended before the warm-up\n");
        return 1;
    }
    printf("{\"total\":%lu,\"measured\":%lu,\"seconds\":%.6f,\"rate\":%.1f,\"mb_in\":%.1f,\"refused\":%lu,", total, measured,
           elapsed, (double)measured / elapsed, (double)bytes_in / elapsed / 1e6, refused);
    printf("\"client_cpu\":%.3f,\"exhausted\":%s,\"classes\":[", (cpu_seconds() - cpu) / elapsed, busy ? "false" : "true");
    print_class(histogram[0]);
    printf(",");
    print_class(histogram[1]);
    printf("]}\n");
    return 0;
}
