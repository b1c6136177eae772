/* Load that does not wait for answers: requests leave by the clock, each answer is matched with its request.
 *
 * flood -p PORT -k TOKEN -n CUSTOMERS -c CONNECTIONS -w WRITES_PERCENT PHASE...
 *
 * A phase is RATE:SECONDS (requests a second, whatever comes back) or @WAITING:SECONDS (so many always under way).
 * One JSON object a second on stdout. Latencies count from the moment a request was handed to its connection, also
 * where the server does not read it yet. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const double LATE_SECONDS = 0.05; /* a refusal after this counts as late */
enum { OUT_BYTES = 1 << 18, HEAD_BYTES = 40, RING = 1 << 23, BUCKETS = 100001, EVENTS = 512, LINE_BYTES = 8192 };

typedef struct {
    int fd, head_length, waits;
    size_t out_start, out_end;
    char *out, head[HEAD_BYTES];
} connection;

typedef struct {
    uint32_t buckets[BUCKETS]; /* of 0.1 ms */
    uint64_t count;
    double most;
} latencies;

static connection *all;
static int count = 100, customers = 1000, writes = 100, poller, next_connection;
static char token[4096];
static double *sent_at;
static uint64_t sequence, answered, unsent, other, late;
static latencies taken, refused;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void note(latencies *l, double seconds) {
    long at = (long)(seconds * 1e4);
    l->buckets[at < BUCKETS ? at : BUCKETS - 1]++;
    l->count++;
    if (seconds > l->most) l->most = seconds;
}

static double quantile(const latencies *l, double q) {
    uint64_t seen = 0;
    for (int i = 0; i < BUCKETS; i++)
        if ((double)(seen += l->buckets[i]) >= q * (double)l->count) return i * 0.1;
    return 0;
}

static void open_connection(connection *c, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (void *)&address, sizeof address)) fail("connect");
    int on = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    if (!(c->out = malloc(OUT_BYTES))) fail("malloc");
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &e);
}

static void push_out(connection *c) {
    while (c->out_start < c->out_end) {
        ssize_t n = send(c->fd, c->out + c->out_start, c->out_end - c->out_start, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno != EAGAIN) fail("send");
            break;
        }
        c->out_start += (size_t)n;
    }
    if (c->out_start == c->out_end) c->out_start = c->out_end = 0;
    int waits = c->out_end > 0;
    if (waits == c->waits) return;
    struct epoll_event e = {.events = EPOLLIN | (waits ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &e);
    c->waits = waits;
}

/* Puts one request into the buffer of the next connection; it leaves with push_out. */
static void ask(double t) {
    connection *c = &all[next_connection++ % count];
    if (c->out_end + LINE_BYTES > OUT_BYTES) {
        unsent++;
        return;
    }
    uint64_t s = sequence++;
    unsigned customer = (unsigned)(s % (uint64_t)customers) + 1, round = (unsigned)(s / (uint64_t)customers);
    sent_at[s % RING] = t;
    const char *format =
        s * 37 % 100 < (uint64_t)writes
            ? "{\"command\":\"MngSetKycRisk\",\"data\":{\"customer_id\":%u,\"brand\":\"acme\",\"risk_level\":%u},"
              "\"extID\":\"%010lu\",\"__token\":\"%s\"}\r\n"
            : "{\"command\":\"MngGetKycProfile\",\"data\":{\"customer_id\":%u,\"brand\":\"acme\",\"x\":%u},"
              "\"extID\":\"%010lu\",\"__token\":\"%s\"}\r\n";
    c->out_end += (size_t)snprintf(c->out + c->out_end, LINE_BYTES, format, customer, round % 4, s, token);
}

static void take_line(connection *c, double t) {
    if (c->head_length < HEAD_BYTES - 6 || memcmp(c->head, "{\"extID\":\"", 10)) {
        other++;
        return;
    }
    c->head[HEAD_BYTES - 1] = 0;
    uint64_t s = strtoull(c->head + 10, NULL, 10);
    int status = atoi(c->head + 31);
    answered++;
    if (status == 200) {
        note(&taken, t - sent_at[s % RING]);
    } else if (status == 503) {
        note(&refused, t - sent_at[s % RING]);
        late += t - sent_at[s % RING] > LATE_SECONDS;
    } else if (!other++)
        fprintf(stderr, "refused: %s\n", c->head);
}

static void feed(connection *c, const char *at, size_t length, double t) {
    const char *end = at + length;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t part = (size_t)((stop ? stop : end) - at), room = (size_t)(HEAD_BYTES - c->head_length);
        if (part > room) part = room;
        memcpy(c->head + c->head_length, at, part);
        c->head_length += (int)part;
        if (!stop) return;
        take_line(c, t);
        c->head_length = 0;
        at = stop + 1;
    }
}

static void tell(int phase, double seconds) {
    printf("{\"phase\":%d,\"seconds\":%.3f,\"taken\":%lu,\"refused\":%lu,\"other\":%lu,\"unsent\":%lu,\"waiting\":%lu,", phase,
           seconds, taken.count, refused.count, other, unsent, sequence - answered);
    printf("\"taken_p50_ms\":%.1f,\"taken_p99_ms\":%.1f,", quantile(&taken, .5), quantile(&taken, .99));
    printf("\"late\":%lu,\"refused_p50_ms\":%.1f,\"refused_p99_ms\":%.1f,\"refused_max_ms\":%.1f}\n", late,
           quantile(&refused, .5), quantile(&refused, .99), refused.most * 1e3);
    fflush(stdout);
    memset(&taken, 0, sizeof taken);
    memset(&refused, 0, sizeof refused);
    other = unsent = late = 0;
}

static void run(int phase, double rate, uint64_t waiting, double seconds) {
    static char buffer[1 << 18];
    struct epoll_event ready[EVENTS];
    double start = now(), told = start, t = start, due = 0;
    uint64_t made = 0;
    while (t < start + seconds) {
        uint64_t wanted = 0;
        if (waiting)
            wanted = sequence - answered < waiting ? waiting - (sequence - answered) : 0;
        else {
            due = (t - start) * rate;
            wanted = due > (double)made ? (uint64_t)due - made : 0;
        }
        made += wanted;
        int first = next_connection;
        for (uint64_t i = 0; i < wanted; i++) ask(t);
        for (uint64_t i = 0; i < wanted && i < (uint64_t)count; i++) push_out(&all[(first + (int)i) % count]);
        int n = epoll_wait(poller, ready, EVENTS, 1);
        t = now();
        for (int i = 0; i < n; i++) {
            connection *c = ready[i].data.ptr;
            if (ready[i].events & EPOLLOUT) push_out(c);
            if (!(ready[i].events & ~(uint32_t)EPOLLOUT)) continue;
            ssize_t r = recv(c->fd, buffer, sizeof buffer, 0);
            if (r < 0 && errno == EAGAIN) continue;
            if (r <= 0) {
                fprintf(stderr, "the server closed a connection\n");
                exit(1);
            }
            feed(c, buffer, (size_t)r, t);
        }
        if (t - told >= 1) {
            tell(phase, t - told);
            told = t;
        }
    }
}

int main(int argc, char **argv) {
    int port = 0, option;
    while ((option = getopt(argc, argv, "p:k:n:c:w:")) != -1) switch (option) {
            case 'p': port = atoi(optarg); break;
            case 'k': snprintf(token, sizeof token, "%s", optarg); break;
            case 'n': customers = atoi(optarg); break;
            case 'c': count = atoi(optarg); break;
            case 'w': writes = atoi(optarg); break;
            default: return 2;
        }
    if (!port || !*token || count < 1 || customers < 1 || optind == argc) return 2;
    sent_at = calloc(RING, sizeof *sent_at);
    all = calloc((size_t)count, sizeof *all);
    poller = epoll_create1(0);
    if (!sent_at || !all || poller < 0) fail("start");
    for (int i = 0; i < count; i++) open_connection(&all[i], port);
    for (int phase = 0; optind + phase < argc; phase++) {
        char *colon = strchr(argv[optind + phase], ':');
        if (!colon) return 2;
        const char *kind = argv[optind + phase];
        int closed = *kind == '@';
        run(phase, closed ? 0 : atof(kind), closed ? strtoull(kind + 1, NULL, 10) : 0, atof(colon + 1));
    }
    return 0;
}
