/*
 * The C ABI as a C program uses it: sources and their faults, progress, options, documents, text that is not UTF-8,
 * errors, and a peer that goes away while the program has SIGPIPE as the system sets it.
 *
 * Arguments: an empty directory, and the URL of a registry if there is one.
 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ocireg.h"

static int failures;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
            failures++;                                                                                                \
        }                                                                                                              \
    } while (0)

/* That a call gave this status, and an error with this text; frees the error. */
#define CHECK_ERROR(call, expected, part)                                                                              \
    do {                                                                                                               \
        ocireg_status status_ = (call);                                                                                \
        if (status_ != (expected) || err == NULL || strstr(ocireg_error_message(err), (part)) == NULL) {               \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, ocireg_status_name(status_),                        \
                    err ? ocireg_error_message(err) : "no error");                                                     \
            failures++;                                                                                                \
        }                                                                                                              \
        ocireg_error_free(err);                                                                                        \
        err = NULL;                                                                                                    \
    } while (0)

#define CHECK_OK(call)                                                                                                 \
    do {                                                                                                               \
        if ((call) != OCIREG_OK || err != NULL) {                                                                      \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, err ? ocireg_error_message(err) : "no error");          \
            failures++;                                                                                                \
        }                                                                                                              \
        ocireg_error_free(err);                                                                                        \
        err = NULL;                                                                                                    \
    } while (0)

static const char sample_digest[] = "sha256:6c112766946a96eea3a9e1ee664c879f8a71be1701e2c781b2576c1ac90e3ca8";
static const char not_utf8[] = "\xff\xfe";

/* A reader of `left` bytes of 'x'; what it does wrong is said by `fault`. */
enum fault { NONE, FAILS, TOO_MUCH, SAYS_NOTHING };
struct bytes {
    uint64_t size, left;
    enum fault fault;
    int calls;
};

static int32_t read_bytes(void *user, uint8_t *buffer, size_t capacity, size_t *out_n)
{
    struct bytes *bytes = user;
    size_t n = bytes->left < capacity ? (size_t)bytes->left : capacity;
    bytes->calls++;
    switch (bytes->fault) {
    case FAILS: return 77;
    case TOO_MUCH: *out_n = capacity + 1; return 0;
    case SAYS_NOTHING: return 0;
    case NONE: break;
    }
    if (n > 1000) n = 1000;
    memset(buffer, 'x', n);
    bytes->left -= n;
    *out_n = n;
    return 0;
}

static int32_t seek_bytes(void *user, uint64_t offset)
{
    struct bytes *bytes = user;
    if (offset > bytes->size) return 1;
    bytes->left = bytes->size - offset;
    return 0;
}

static ocireg_reader reader_of(struct bytes *bytes, uint64_t announced, int seekable)
{
    ocireg_reader reader = OCIREG_READER_INIT;
    reader.user = bytes;
    reader.read = read_bytes;
    reader.seek = seekable ? seek_bytes : NULL;
    reader.size = announced;
    return reader;
}

static int32_t watch(void *user, const ocireg_progress *progress)
{
    uint64_t *last = user;
    CHECK(ocireg_progress_attempt(progress) == 1);
    CHECK(ocireg_progress_phase(progress) == OCIREG_PHASE_HASHING
          || ocireg_progress_phase(progress) == OCIREG_PHASE_UPLOADING);
    *last = ocireg_progress_bytes_done(progress);
    return 0;
}

static int32_t cancel(void *user, const ocireg_progress *progress)
{
    (void)user;
    (void)progress;
    return -5;
}

static void the_sample(const ocireg_repository *repository)
{
    ocireg_descriptor *config = NULL, *layer = NULL, *uploaded = NULL;
    ocireg_manifest *manifest = NULL;
    ocireg_error *err = NULL;
    const char *tags[] = {"demo", "latest"};
    bool exists = true;

    CHECK_OK(ocireg_repository_upload_blob(repository, (const uint8_t *)"Sample config", 13, NULL, &config, &err));
    CHECK_OK(ocireg_descriptor_set_media_type(config, OCIREG_MEDIA_TYPE_IMAGE_CONFIG, &err));
    CHECK_OK(ocireg_repository_upload_blob(repository, (const uint8_t *)"Sample layer", 12, NULL, &layer, &err));
    CHECK_OK(ocireg_descriptor_set_media_type(layer, OCIREG_MEDIA_TYPE_IMAGE_LAYER, &err));
    CHECK_OK(ocireg_manifest_new(config, &manifest, &err));
    CHECK_OK(ocireg_manifest_add_layer(manifest, layer, &err));
    CHECK_OK(ocireg_repository_upload_manifest(repository, manifest, tags, 2, NULL, &uploaded, &err));
    CHECK(strcmp(ocireg_descriptor_digest(uploaded), sample_digest) == 0);
    CHECK_OK(ocireg_repository_blob_exists(repository, ocireg_descriptor_digest(layer), &exists, &err));
    CHECK(exists);
    CHECK_OK(ocireg_repository_blob_exists(repository, sample_digest + 0, &exists, NULL));
    ocireg_descriptor_free(uploaded);
    ocireg_manifest_free(manifest);
    ocireg_descriptor_free(layer);
    ocireg_descriptor_free(config);
}

static void sources(const ocireg_repository *repository, const char *directory)
{
    ocireg_descriptor *out = NULL;
    ocireg_error *err = NULL;
    ocireg_blob_options *options = ocireg_blob_options_new();
    uint64_t last = 0;
    char path[4096];
    struct bytes bytes = {100000, 100000, NONE, 0};
    ocireg_reader reader;

    /* (NULL, 0) is the empty blob, (NULL, 1) a mistake. */
    CHECK_OK(ocireg_repository_upload_blob(repository, NULL, 0, NULL, &out, &err));
    CHECK(ocireg_descriptor_size(out) == 0);
    ocireg_descriptor_free(out);
    CHECK_ERROR(ocireg_repository_upload_blob(repository, NULL, 1, NULL, &out, &err), OCIREG_E_INVALID_ARGUMENT, "data");
    CHECK(out == NULL);

    CHECK_OK(ocireg_blob_options_set_progress(options, watch, &last, &err));
    reader = reader_of(&bytes, OCIREG_UNKNOWN, 0);
    CHECK_OK(ocireg_repository_upload_blob_reader(repository, &reader, options, &out, &err));
    CHECK(ocireg_descriptor_size(out) == 100000 && last == 100000);
    ocireg_descriptor_free(out);
    bytes.left = bytes.size;
    reader = reader_of(&bytes, 100000, 1);
    CHECK_OK(ocireg_repository_upload_blob_reader(repository, &reader, NULL, &out, &err));

    /* A known digest of a blob that is there: the source is not read. */
    bytes.calls = 0;
    CHECK_OK(ocireg_blob_options_set_known(options, ocireg_descriptor_digest(out), 100000, &err));
    ocireg_descriptor_free(out);
    CHECK_OK(ocireg_repository_upload_blob_reader(repository, &reader, options, &out, &err));
    CHECK(bytes.calls == 0);
    ocireg_descriptor_free(out);

    bytes.left = 10;
    reader = reader_of(&bytes, 20, 0);
    CHECK_ERROR(ocireg_repository_upload_blob_reader(repository, &reader, NULL, &out, &err), OCIREG_E_SIZE_MISMATCH,
                "10 bytes");
    bytes.left = 30;
    CHECK_ERROR(ocireg_repository_upload_blob_reader(repository, &reader, NULL, &out, &err), OCIREG_E_SIZE_MISMATCH,
                "20 bytes");
    bytes.fault = TOO_MUCH;
    CHECK_ERROR(ocireg_repository_upload_blob_reader(repository, &reader, NULL, &out, &err), OCIREG_E_SOURCE, "capacity");
    bytes.fault = SAYS_NOTHING;
    CHECK_ERROR(ocireg_repository_upload_blob_reader(repository, &reader, NULL, &out, &err), OCIREG_E_SOURCE, "out_n");
    bytes.fault = FAILS;
    CHECK(ocireg_repository_upload_blob_reader(repository, &reader, NULL, &out, &err) == OCIREG_E_ABORTED);
    CHECK(ocireg_error_callback_result(err) == 77);
    ocireg_error_free(err);
    err = NULL;
    reader.struct_size = 3;
    CHECK_ERROR(ocireg_repository_upload_blob_reader(repository, &reader, NULL, &out, &err), OCIREG_E_INVALID_ARGUMENT,
                "struct_size");

    ocireg_blob_options_free(options);
    options = ocireg_blob_options_new();
    CHECK_OK(ocireg_blob_options_set_progress(options, cancel, NULL, &err));
    CHECK(ocireg_repository_upload_blob(repository, (const uint8_t *)"cancelled", 9, options, &out, &err)
          == OCIREG_E_ABORTED);
    CHECK(ocireg_error_callback_result(err) == -5 && out == NULL);
    ocireg_error_free(err);
    err = NULL;
    CHECK_ERROR(ocireg_blob_options_set_algorithm(options, 99, &err), OCIREG_E_INVALID_ARGUMENT, "algorithm");
    CHECK_ERROR(ocireg_blob_options_set_mount_from(options, not_utf8, &err), OCIREG_E_INVALID_ARGUMENT, "UTF-8");
    ocireg_blob_options_free(options);

    snprintf(path, sizeof path, "%s/absent", directory);
    CHECK_ERROR(ocireg_repository_upload_blob_file(repository, path, NULL, &out, &err), OCIREG_E_IO, "absent");
    CHECK_ERROR(ocireg_repository_upload_blob_file(repository, directory, NULL, &out, &err), OCIREG_E_IO, "directory");
    CHECK_ERROR(ocireg_repository_upload_blob_file(repository, not_utf8, NULL, &out, &err), OCIREG_E_IO, "No such file");
}

static void bad_arguments(const ocireg_client *client, const ocireg_repository *repository)
{
    ocireg_repository *opened = NULL;
    ocireg_descriptor *out = NULL;
    ocireg_manifest *manifest = NULL;
    ocireg_client_options *options = ocireg_client_options_new();
    ocireg_client *made = NULL;
    ocireg_error *err = NULL;
    bool exists = true;
    const char *bad_tags[] = {"ok", NULL};

    CHECK_ERROR(ocireg_client_repository(client, not_utf8, &opened, &err), OCIREG_E_INVALID_ARGUMENT, "UTF-8");
    CHECK_ERROR(ocireg_client_repository(client, "host/UPPER", &opened, &err), OCIREG_E_INVALID_REFERENCE, "lower case");
    CHECK_ERROR(ocireg_client_repository(client, "https://user:pw@host/x", &opened, &err), OCIREG_E_INVALID_REFERENCE, "");
    CHECK_ERROR(ocireg_repository_blob_exists(repository, "sha256:x", &exists, &err), OCIREG_E_INVALID_DIGEST, "sha256");
    CHECK(!exists);
    CHECK_ERROR(ocireg_repository_upload_manifest_bytes(repository, "nonsense", (const uint8_t *)"{}", 2, NULL, 0, NULL,
                                                        &out, &err),
                OCIREG_E_INVALID_MANIFEST, "nonsense");
    CHECK_OK(ocireg_manifest_new_artifact("application/vnd.example.thing", &manifest, &err));
    CHECK_ERROR(ocireg_repository_upload_manifest(repository, manifest, bad_tags, 2, NULL, &out, &err),
                OCIREG_E_INVALID_ARGUMENT, "tag");
    CHECK_ERROR(ocireg_repository_upload_manifest(repository, manifest, NULL, 1, NULL, &out, &err),
                OCIREG_E_INVALID_ARGUMENT, "tags");
    CHECK_OK(ocireg_repository_upload_manifest(repository, manifest, NULL, 0, NULL, &out, &err));
    ocireg_descriptor_free(out);
    ocireg_manifest_free(manifest);

    CHECK_ERROR(ocireg_client_options_set_trust_roots(options, 99, &err), OCIREG_E_INVALID_ARGUMENT, "trust");
    CHECK_OK(ocireg_client_options_set_user_agent(options, "two\nlines", &err));
    CHECK_ERROR(ocireg_client_new(options, &made, &err), OCIREG_E_INVALID_ARGUMENT, "user_agent");
    CHECK(made == NULL);
    ocireg_client_options_free(options);
    /* Without an error to write to, the status still tells. */
    CHECK(ocireg_client_repository(client, "nonsense", &opened, NULL) == OCIREG_E_INVALID_REFERENCE);
    CHECK(strcmp(ocireg_status_name(OCIREG_E_NOT_FOUND), "OCIREG_E_NOT_FOUND") == 0);
}

/* A registry that opens a session and goes away in the middle of the body. */
static void a_peer_that_goes_away_kills_nobody(void)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    char url[64];
    pid_t child;
    ocireg_client_options *options = ocireg_client_options_new();
    ocireg_client *client = NULL;
    ocireg_repository *repository = NULL;
    ocireg_descriptor *out = NULL;
    ocireg_error *err = NULL;
    struct bytes bytes = {64u << 20, 64u << 20, NONE, 0};
    ocireg_reader reader = reader_of(&bytes, bytes.size, 1);
    struct sigaction old;

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 8) == 0);
    getsockname(listener, (struct sockaddr *)&address, &length);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/gone", (unsigned)ntohs(address.sin_port));
    fflush(NULL);
    child = fork();
    if (child == 0) {
        static const char answer[] = "HTTP/1.1 202 Accepted\r\nLocation: /v2/gone/blobs/uploads/1\r\nContent-Length: 0\r\n\r\n";
        char buffer[65536];
        for (;;) {
            int connection = accept(listener, NULL, NULL);
            struct linger reset = {1, 0};
            if (read(connection, buffer, sizeof buffer) > 0 && buffer[0] == 'P' && buffer[1] == 'O'
                && write(connection, answer, sizeof answer - 1) > 0)
                (void)!read(connection, buffer, sizeof buffer);
            setsockopt(connection, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            close(connection);
        }
    }
    close(listener);
    CHECK(sigaction(SIGPIPE, NULL, &old) == 0 && old.sa_handler == SIG_DFL);
    CHECK_OK(ocireg_client_options_set_attempts(options, 1, &err));
    CHECK_OK(ocireg_client_new(options, &client, &err));
    CHECK_OK(ocireg_client_repository(client, url, &repository, &err));
    CHECK_ERROR(ocireg_repository_upload_blob_reader(repository, &reader, NULL, &out, &err), OCIREG_E_CONNECTION, "closed");
    CHECK(sigaction(SIGPIPE, NULL, &old) == 0 && old.sa_handler == SIG_DFL);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    ocireg_repository_free(repository);
    ocireg_client_free(client);
    ocireg_client_options_free(options);
}

int main(int argc, char **argv)
{
    char address[4096];
    ocireg_client *client = NULL;
    ocireg_repository *repository = NULL;
    ocireg_error *err = NULL;
    int place;

    signal(SIGPIPE, SIG_DFL);
    CHECK(strcmp(ocireg_version(), OCIREG_VERSION) == 0 && ocireg_version_number() == OCIREG_VERSION_NUMBER);
    CHECK_OK(ocireg_client_new(NULL, &client, &err));
    for (place = 1; place < argc && place < 3; place++) {
        if (place == 1)
            snprintf(address, sizeof address, "oci-layout:%s/layout", argv[1]);
        else
            snprintf(address, sizeof address, "%s/c/%d", argv[2], (int)getpid());
        CHECK_OK(ocireg_client_repository(client, address, &repository, &err));
        CHECK(strcmp(ocireg_repository_address(repository), address) == 0);
        the_sample(repository);
        sources(repository, argv[1]);
        bad_arguments(client, repository);
        ocireg_repository_free(repository);
    }
    a_peer_that_goes_away_kills_nobody();
    ocireg_client_free(client);
    fprintf(stderr, failures == 0 ? "all checks hold\n" : "checks failed\n");
    return failures == 0 ? 0 : 1;
}
