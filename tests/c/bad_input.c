/*
 * What can go wrong on the way to a registry and with local files: each has its own status, and the client goes on to
 * work.
 *
 * Arguments: the URLs of the plain and the TLS double (tests/cpp/double.py), and the certificate of the latter.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "ocireg.h"

static ocireg_client *a_client(const char *ca_file)
{
    ocireg_client_options *options = ocireg_client_options_new();
    ocireg_client *client = NULL;
    ocireg_error *err = NULL;
    CHECK_OK(ocireg_client_options_set_attempts(options, 1, &err));
    if (ca_file != NULL) {
        CHECK_OK(ocireg_client_options_set_trust_roots(options, OCIREG_TRUST_ROOTS_GIVEN, &err));
        CHECK_OK(ocireg_client_options_add_ca_file(options, ca_file, &err));
    }
    CHECK_OK(ocireg_client_new(options, &client, &err));
    ocireg_client_options_free(options);
    return client;
}

/* Lives until the next call but one. */
static const char *joined(const char *url, const char *rest)
{
    static char buffers[2][1024];
    static int next = 0;
    char *buffer = buffers[next = 1 - next];
    snprintf(buffer, sizeof buffers[0], "%s%s", url, rest);
    return buffer;
}

/* An upload to this address ends with this status and text; OCIREG_OK is a success. */
static void upload(const ocireg_client *client, const char *address, ocireg_status expected, const char *part)
{
    ocireg_repository *repository = NULL;
    ocireg_descriptor *blob = NULL;
    ocireg_error *err = NULL;
    CHECK_OK(ocireg_client_repository(client, address, &repository, &err));
    CHECK_FAILS(ocireg_repository_upload_blob(repository, (const uint8_t *)"Sample layer", 12, NULL, &blob, &err),
                expected, part);
    CHECK((blob != NULL) == (expected == OCIREG_OK));
    ocireg_descriptor_free(blob);
    ocireg_repository_free(repository);
}

struct change {
    const char *path, *mode;
    int done;
};

static int32_t change_the_file(void *user, const ocireg_progress *progress)
{
    struct change *change = user;
    if (!change->done && ocireg_progress_phase(progress) == OCIREG_PHASE_UPLOADING) {
        FILE *file = fopen(change->path, change->mode);
        if (file != NULL) {
            fputs("more", file);
            fclose(file);
        }
        change->done = 1;
    }
    return 0;
}

/* Opened with "a" it grows, with "w" it shrinks, while it is sent. */
static void a_file_that_changes(const ocireg_client *client, const char *address, const char *mode)
{
    ocireg_repository *repository = NULL;
    ocireg_descriptor *blob = NULL;
    ocireg_blob_options *options = ocireg_blob_options_new();
    ocireg_error *err = NULL;
    struct change change;
    FILE *file;
    int i;

    change.path = in_temp("", "changing");
    change.mode = mode;
    change.done = 0;
    file = fopen(change.path, "w");
    for (i = 0; file != NULL && i < 100000; i++)
        fputs("0123456789", file);
    CHECK(file != NULL && fclose(file) == 0);
    CHECK_OK(ocireg_client_repository(client, address, &repository, &err));
    CHECK_OK(ocireg_blob_options_set_progress(options, change_the_file, &change, &err));
    CHECK_FAILS(ocireg_repository_upload_blob_file(repository, change.path, options, &blob, &err),
                OCIREG_E_SOURCE_CHANGED, "changing");
    CHECK(change.done);
    ocireg_blob_options_free(options);
    ocireg_repository_free(repository);
}

int main(int argc, char **argv)
{
    ocireg_client *client = a_client(NULL), *trusting;
    const char *plain, *secure;

    if (argc < 4)
        return 2;
    plain = argv[1];
    secure = argv[2];
    upload(client, "http://no-such-host.invalid/x", OCIREG_E_DNS, "no-such-host.invalid");
    upload(client, joined(plain, "/broken"), OCIREG_E_CONNECTION, "");
    upload(client, joined("https", joined(plain + 4, "/x")), OCIREG_E_TLS, "write http://");
    upload(client, joined(secure, "/x"), OCIREG_E_TLS, "not trusted");
    upload(client, joined(plain, "/page"), OCIREG_E_PROTOCOL, "HTML page");
    upload(client, joined(plain, "/large"), OCIREG_E_REJECTED, "65536");
    upload(client, joined(plain, "/redirect"), OCIREG_E_REDIRECT, "5 times");
    upload(client, joined(plain, "/401"), OCIREG_E_UNAUTHORIZED, "what it means");
    upload(client, joined(plain, "/403"), OCIREG_E_DENIED, "what it means");
    upload(client, joined(plain, "/404"), OCIREG_E_NOT_FOUND, "what it means");
    upload(client, joined(plain, "/413"), OCIREG_E_TOO_LARGE, "what it means");
    /* Nobody, also root, can make a directory there. */
    upload(client, "oci-layout:/proc/layout", OCIREG_E_IO, "/proc/layout");
    a_file_that_changes(client, joined(plain, "/x"), "a");
    a_file_that_changes(client, joined(plain, "/x"), "w");
    upload(client, joined(plain, "/x"), OCIREG_OK, NULL);

    trusting = a_client(argv[3]);
    upload(trusting, joined(secure, "/downgrade"), OCIREG_E_REDIRECT, "plain http");
    upload(trusting, joined(secure, "/x"), OCIREG_OK, NULL);
    ocireg_client_free(trusting);
    ocireg_client_free(client);
    if (failures > 0) {
        fprintf(stderr, "%d checks failed\n", failures);
        return 1;
    }
    puts("bad input: all checks hold");
    return 0;
}
