/*
 * What the generated sweep uses: one valid argument of every type. tests/c/sweep.awk writes, for every function of the
 * header, calls with each pointer NULL, each text that is not UTF-8, and lengths that do not fit.
 */
#ifndef SWEEP_H
#define SWEEP_H

#include "check.h"

#define SWEEP_DIGEST "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define NOT_UTF8 "\xff\xfe"
#define ANY_STATUS (-1)

static ocireg_client *sweep_client;
static ocireg_client_options *sweep_client_options;
static ocireg_repository *sweep_repository;
static ocireg_blob_options *sweep_blob_options;
static ocireg_manifest_options *sweep_manifest_options;
static ocireg_descriptor *sweep_descriptor;
static ocireg_manifest *sweep_manifest;
static ocireg_index *sweep_index;
static ocireg_bytes *sweep_bytes;
static ocireg_hasher *sweep_hasher;
static ocireg_reference *sweep_reference;
static ocireg_error *sweep_error;
/* Only a progress callback ever has one. */
static const ocireg_progress *sweep_progress = NULL;
static ocireg_reader sweep_reader = OCIREG_READER_INIT;
static char sweep_address[1024];
static char sweep_path[1024];
static const char *sweep_texts[] = {"some-text"};

static int32_t read_nothing(void *user, uint8_t *buffer, size_t capacity, size_t *out_n)
{
    (void)user, (void)buffer, (void)capacity;
    *out_n = 0;
    return 0;
}

static void sweep_begin(void)
{
    FILE *file;
    snprintf(sweep_address, sizeof sweep_address, "%s", in_temp("oci-layout:", "sweep"));
    snprintf(sweep_path, sizeof sweep_path, "%s", in_temp("", "sweep.txt"));
    file = fopen(sweep_path, "w");
    fputs("{}", file);
    fclose(file);
    sweep_reader.read = read_nothing;
    sweep_client_options = ocireg_client_options_new();
    sweep_blob_options = ocireg_blob_options_new();
    sweep_manifest_options = ocireg_manifest_options_new();
    sweep_descriptor = ocireg_descriptor_empty();
    sweep_index = ocireg_index_new();
    CHECK(ocireg_client_new(NULL, &sweep_client, NULL) == OCIREG_OK);
    CHECK(ocireg_client_repository(sweep_client, sweep_address, &sweep_repository, NULL) == OCIREG_OK);
    CHECK(ocireg_manifest_new_artifact("text/plain", &sweep_manifest, NULL) == OCIREG_OK);
    CHECK(ocireg_descriptor_to_json(sweep_descriptor, &sweep_bytes, NULL) == OCIREG_OK);
    CHECK(ocireg_hasher_new(OCIREG_ALGORITHM_SHA256, &sweep_hasher, NULL) == OCIREG_OK);
    CHECK(ocireg_reference_new("localhost/a:b", &sweep_reference, NULL) == OCIREG_OK);
    CHECK(ocireg_reference_new("", NULL, &sweep_error) != OCIREG_OK);
}

static void sweep_end(void)
{
    ocireg_client_free(sweep_client);
    ocireg_client_options_free(sweep_client_options);
    ocireg_repository_free(sweep_repository);
    ocireg_blob_options_free(sweep_blob_options);
    ocireg_manifest_options_free(sweep_manifest_options);
    ocireg_descriptor_free(sweep_descriptor);
    ocireg_manifest_free(sweep_manifest);
    ocireg_index_free(sweep_index);
    ocireg_bytes_free(sweep_bytes);
    ocireg_hasher_free(sweep_hasher);
    ocireg_reference_free(sweep_reference);
    ocireg_error_free(sweep_error);
}

/*
 * A call has returned: its error is there exactly when it failed, says which function refused the argument, and has
 * the expected status. Panics are never expected.
 */
static void sweep_status(const char *call, ocireg_status status, ocireg_status expected, ocireg_error *err, int has_err)
{
    const char *message = ocireg_error_message(err);
    if (status == OCIREG_E_PANIC || (expected != ANY_STATUS && status != expected)) {
        fprintf(stderr, "%s gives %s: %s\n", call, ocireg_status_name(status), message);
        failures++;
    }
    if (has_err) {
        check_that((err != NULL) == (status != OCIREG_OK), call, __FILE__, __LINE__);
        check_that(ocireg_error_status(err) == status, call, __FILE__, __LINE__);
        check_that(err == NULL || *message != '\0', call, __FILE__, __LINE__);
    }
    ocireg_error_free(err);
}

#endif
