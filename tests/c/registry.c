#define _POSIX_C_SOURCE 200809L
#include "registry.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child = -1;

/* One connection: what has been read and not used, and how far its upload is. */
struct connection {
    int socket;
    /* The last byte is for a NUL. */
    char buffer[64 * 1024 + 1];
    size_t filled;
    unsigned long long uploaded;
};

static int fill(struct connection *c)
{
    ssize_t n;
    if (c->filled == sizeof c->buffer - 1)
        return 0;
    n = read(c->socket, c->buffer + c->filled, sizeof c->buffer - 1 - c->filled);
    if (n <= 0)
        return 0;
    c->filled += (size_t)n;
    c->buffer[c->filled] = '\0';
    return 1;
}

static void drop(struct connection *c, size_t n)
{
    memmove(c->buffer, c->buffer + n, c->filled - n);
    c->filled -= n;
    c->buffer[c->filled] = '\0';
}

static void answer(struct connection *c, const char *status, const char *headers, const char *body)
{
    char text[4096];
    int length = snprintf(text, sizeof text, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers,
                          strlen(body), body);
    /* A client that is gone needs no answer. */
    if (length > 0 && send(c->socket, text, (size_t)length, MSG_NOSIGNAL) < 0)
        _exit(0);
}

static void reset(struct connection *c)
{
    struct linger linger = {1, 0};
    setsockopt(c->socket, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(c->socket);
    _exit(0);
}

/* Reads and forgets a body. */
static void body(struct connection *c, unsigned long long length)
{
    while (length > 0) {
        size_t n;
        if (c->filled == 0 && !fill(c))
            _exit(0);
        n = length < c->filled ? (size_t)length : c->filled;
        drop(c, n);
        length -= n;
        c->uploaded += n;
    }
}

static unsigned long long content_length(const char *head)
{
    const char *line = head;
    while ((line = strstr(line, "\r\n")) != NULL) {
        line += 2;
        if (strncasecmp(line, "content-length:", 15) == 0)
            return strtoull(line + 15, NULL, 10);
    }
    return 0;
}

static void respond(struct connection *c, const char *method, const char *target, unsigned long long length)
{
    const char *name = strncmp(target, "/v2/", 4) == 0 ? target + 4 : "";
    const char *blobs = strstr(target, "/blobs/");
    char headers[1024];

    if (strcmp(method, "POST") == 0) {
        body(c, length);
        c->uploaded = 0;
        if (strncmp(name, "limited/", 8) == 0) {
            answer(c, "429 Too Many Requests", "Retry-After: 7\r\nContent-Type: application/json\r\n",
                   "{\"errors\":[{\"code\":\"TOOMANYREQUESTS\",\"message\":\"slow down\",\"detail\":{\"limit\":3}},"
                   "{\"code\":\"DENIED\",\"message\":\"and go away\"}]}");
        } else if (strncmp(name, "html/", 5) == 0) {
            answer(c, "500 Internal Server Error", "Content-Type: text/html\r\n", "<html><h1>It broke</h1></html>");
        } else {
            snprintf(headers, sizeof headers, "Location: %.*s/blobs/uploads/1?state=secret\r\n",
                     (int)(blobs ? blobs - target : 0), target);
            answer(c, "202 Accepted", headers, "");
        }
    } else if (strcmp(method, "PUT") == 0) {
        if (blobs != NULL && strncmp(name, "reset/", 6) == 0) {
            body(c, length < 100000 ? length / 2 : 100000);
            reset(c);
        }
        body(c, length);
        answer(c, "201 Created", "", "");
    } else if (strcmp(method, "PATCH") == 0) {
        body(c, length);
        snprintf(headers, sizeof headers, "Location: %.*s\r\nRange: 0-%llu\r\n", (int)strlen(target), target,
                 c->uploaded - 1);
        answer(c, "202 Accepted", headers, "");
    } else if (strcmp(method, "DELETE") == 0) {
        answer(c, "204 No Content", "", "");
    } else {
        answer(c, "404 Not Found", "", "");
    }
}

static void serve(int socket)
{
    static struct connection c;
    c.socket = socket;
    for (;;) {
        char *end, method[16], target[2048];
        unsigned long long length;
        while ((end = strstr(c.buffer, "\r\n\r\n")) == NULL) {
            if (!fill(&c))
                _exit(0);
        }
        *end = '\0';
        if (sscanf(c.buffer, "%15s %2047s", method, target) != 2)
            _exit(0);
        length = content_length(c.buffer);
        drop(&c, (size_t)(end + 4 - c.buffer));
        respond(&c, method, target, length);
    }
}

int registry_start(void)
{
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 64) != 0
        || getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        perror("a port on loopback");
        exit(2);
    }
    child = fork();
    if (child == 0) {
        /* The group of the registry and its connections, to be ended together. */
        setpgid(0, 0);
        signal(SIGCHLD, SIG_IGN);
        for (;;) {
            int socket = accept(listener, NULL, NULL);
            if (socket >= 0 && fork() == 0)
                serve(socket);
            close(socket);
        }
    }
    setpgid(child, child);
    close(listener);
    return ntohs(address.sin_port);
}

void registry_stop(void)
{
    kill(-child, SIGKILL);
    waitpid(child, NULL, 0);
}
