/*
 * What a C program sees of the library: results, errors, ownership, callbacks. Started by tests/c/run, also under
 * valgrind, which finds what is leaked or used after it was freed.
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include "check.h"
#include "registry.h"

#define SAMPLE "Sample config"
#define SAMPLE_DIGEST "sha256:df9f97944d92fcfe0337f2f97202a24e614483bacca59e14419d153b59cd3c54"
#define EMPTY_DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define MANIFEST_DIGEST "sha256:6c112766946a96eea3a9e1ee664c879f8a71be1701e2c781b2576c1ac90e3ca8"

static const uint8_t *bytes(const char *text)
{
    return (const uint8_t *)text;
}

static ocireg_client *new_client(void)
{
    ocireg_client *client = NULL;
    ocireg_error *err = NULL;
    CHECK_OK(ocireg_client_new(NULL, &client, &err));
    return client;
}

static ocireg_repository *open_repository(const char *address)
{
    ocireg_client *client = new_client();
    ocireg_repository *repository = NULL;
    ocireg_error *err = NULL;
    CHECK_OK(ocireg_client_repository(client, address, &repository, &err));
    /* Repositories go on without the client that opened them. */
    ocireg_client_free(client);
    return repository;
}

static bool is_layout(const char *address)
{
    return strncmp(address, "oci-layout:", 11) == 0;
}

static ocireg_descriptor *upload_text(ocireg_repository *repository, const char *text, const char *media_type)
{
    ocireg_descriptor *descriptor = NULL;
    ocireg_error *err = NULL;
    CHECK_OK(ocireg_repository_upload_blob(repository, bytes(text), strlen(text), NULL, &descriptor, &err));
    CHECK_OK(ocireg_descriptor_set_media_type(descriptor, media_type, &err));
    return descriptor;
}

static void versions_and_status_names(void)
{
    CHECK_TEXT(ocireg_version(), OCIREG_VERSION);
    CHECK(ocireg_version_number() == OCIREG_VERSION_NUMBER);
    CHECK_TEXT(ocireg_status_name(OCIREG_OK), "OCIREG_OK");
    CHECK_TEXT(ocireg_status_name(OCIREG_E_TAG_CONFLICT), "OCIREG_E_TAG_CONFLICT");
    CHECK_TEXT(ocireg_status_name(OCIREG_E_PANIC), "OCIREG_E_PANIC");
    CHECK_TEXT(ocireg_status_name(12345), "unknown status");
}

/* --- Readers --------------------------------------------------------------------------------------------------- */

/* A reader over bytes in memory that can break the contract. */
struct source {
    const char *data;
    size_t size, position, most;
    enum { HONEST, FAILS, SAYS_NOTHING, SAYS_TOO_MUCH, SEEK_FAILS } manner;
    unsigned reads, seeks;
};

static int32_t read_source(void *user, uint8_t *buffer, size_t capacity, size_t *out_n)
{
    struct source *source = user;
    size_t n = source->size - source->position;
    source->reads++;
    CHECK(capacity > 0);
    CHECK(*out_n == SIZE_MAX);
    if (source->manner == FAILS)
        return 7;
    if (source->manner == SAYS_NOTHING)
        return 0;
    if (source->manner == SAYS_TOO_MUCH) {
        *out_n = capacity + 1;
        return 0;
    }
    if (n > capacity)
        n = capacity;
    if (source->most != 0 && n > source->most)
        n = source->most;
    memcpy(buffer, source->data + source->position, n);
    source->position += n;
    *out_n = n;
    return 0;
}

static int32_t seek_source(void *user, uint64_t offset)
{
    struct source *source = user;
    source->seeks++;
    if (source->manner == SEEK_FAILS)
        return -3;
    source->position = (size_t)offset;
    return 0;
}

static struct source source_of(const char *text)
{
    struct source source = {0};
    source.data = text;
    source.size = strlen(text);
    return source;
}

static ocireg_reader reader_of(struct source *source)
{
    ocireg_reader reader = OCIREG_READER_INIT;
    reader.user = source;
    reader.read = read_source;
    return reader;
}

static void blobs_from_bytes_files_and_readers(const char *address)
{
    ocireg_repository *repository = open_repository(address);
    ocireg_descriptor *descriptor = NULL;
    ocireg_error *err = NULL;
    const char *path = in_temp("", "sample.txt");
    FILE *file = fopen(path, "wb");
    struct source source;
    ocireg_reader reader;
    bool exists = true;

    CHECK_TEXT(ocireg_repository_address(repository), address);
    CHECK_OK(ocireg_repository_blob_exists(repository, SAMPLE_DIGEST, &exists, &err));
    CHECK(!exists);

    CHECK_OK(ocireg_repository_upload_blob(repository, bytes(SAMPLE), strlen(SAMPLE), NULL, &descriptor, &err));
    CHECK_TEXT(ocireg_descriptor_digest(descriptor), SAMPLE_DIGEST);
    CHECK_TEXT(ocireg_descriptor_media_type(descriptor), OCIREG_MEDIA_TYPE_OCTET_STREAM);
    CHECK(ocireg_descriptor_size(descriptor) == strlen(SAMPLE));
    ocireg_descriptor_free(descriptor);

    CHECK_OK(ocireg_repository_blob_exists(repository, SAMPLE_DIGEST, &exists, &err));
    CHECK(exists);

    /* The empty blob; and nobody needs to take the descriptor or the error. */
    CHECK_OK(ocireg_repository_upload_blob(repository, NULL, 0, NULL, &descriptor, &err));
    CHECK_TEXT(ocireg_descriptor_digest(descriptor), EMPTY_DIGEST);
    ocireg_descriptor_free(descriptor);
    CHECK(ocireg_repository_upload_blob(repository, bytes("x"), 1, NULL, NULL, NULL) == OCIREG_OK);

    fputs(SAMPLE, file);
    fclose(file);
    CHECK_OK(ocireg_repository_upload_blob_file(repository, path, NULL, &descriptor, &err));
    CHECK_TEXT(ocireg_descriptor_digest(descriptor), SAMPLE_DIGEST);
    ocireg_descriptor_free(descriptor);

    /* Unknown length, in pieces of one byte. */
    source = source_of(SAMPLE);
    source.most = 1;
    reader = reader_of(&source);
    CHECK_OK(ocireg_repository_upload_blob_reader(repository, &reader, NULL, &descriptor, &err));
    CHECK_TEXT(ocireg_descriptor_digest(descriptor), SAMPLE_DIGEST);
    ocireg_descriptor_free(descriptor);

    /* Known length. */
    source = source_of(SAMPLE);
    reader = reader_of(&source);
    reader.size = source.size;
    CHECK_OK(ocireg_repository_upload_blob_reader(repository, &reader, NULL, &descriptor, &err));
    CHECK_TEXT(ocireg_descriptor_digest(descriptor), SAMPLE_DIGEST);
    ocireg_descriptor_free(descriptor);

    /* Known length, and it can seek. */
    source = source_of("a text that is in no layout yet");
    reader = reader_of(&source);
    reader.size = source.size;
    reader.seek = seek_source;
    CHECK_OK(ocireg_repository_upload_blob_reader(repository, &reader, NULL, &descriptor, &err));
    CHECK(ocireg_descriptor_size(descriptor) == source.size);
    ocireg_descriptor_free(descriptor);

    /* Failures leave the output empty. */
    descriptor = (ocireg_descriptor *)&source;
    CHECK_FAILS(ocireg_repository_upload_blob_file(repository, in_temp("", "no-such-file"), NULL, &descriptor, &err),
                OCIREG_E_IO, "no-such-file");
    CHECK(descriptor == NULL);
    CHECK_FAILS(ocireg_repository_upload_blob_file(repository, in_temp("", "."), NULL, &descriptor, &err), OCIREG_E_IO,
                "is a directory");
    CHECK_FAILS(ocireg_repository_upload_blob(repository, NULL, 3, NULL, &descriptor, &err), OCIREG_E_INVALID_ARGUMENT,
                "ocireg_repository_upload_blob: data is NULL, with a length of 3");
    exists = true;
    CHECK_FAILS(ocireg_repository_blob_exists(repository, "sha256:no", &exists, &err), OCIREG_E_INVALID_DIGEST,
                "sha256:no");
    CHECK(!exists);
    ocireg_repository_free(repository);
}

static void upload_badly(ocireg_repository *repository, const ocireg_reader *reader, ocireg_status status,
                         int32_t result, const char *part)
{
    ocireg_descriptor *descriptor = NULL;
    ocireg_error *err = NULL;
    ocireg_status actual = ocireg_repository_upload_blob_reader(repository, reader, NULL, &descriptor, &err);
    CHECK(descriptor == NULL);
    CHECK(ocireg_error_callback_result(err) == result);
    CHECK_FAILS(actual, status, part);
}

static void readers_that_break_their_word(const char *address)
{
    ocireg_repository *repository = open_repository(address);
    struct source source = source_of(SAMPLE);
    ocireg_reader reader = reader_of(&source);
    union {
        ocireg_reader reader;
        char bytes[sizeof(ocireg_reader) + 16];
    } newer;
    ocireg_descriptor *descriptor = NULL;
    ocireg_error *err = NULL;

    source.manner = FAILS;
    upload_badly(repository, &reader, OCIREG_E_ABORTED, 7, "the read callback returned 7");
    source.manner = SAYS_NOTHING;
    upload_badly(repository, &reader, OCIREG_E_SOURCE, 0, "without setting *out_n");
    source.manner = SAYS_TOO_MUCH;
    upload_badly(repository, &reader, OCIREG_E_SOURCE, 0, "with a capacity of");

    source.manner = HONEST;
    reader.size = source.size + 1;
    upload_badly(repository, &reader, OCIREG_E_SIZE_MISMATCH, 0, "announced");
    source.position = 0;
    reader.size = source.size - 1;
    upload_badly(repository, &reader, OCIREG_E_SIZE_MISMATCH, 0, "announced");

    source = source_of(SAMPLE " that cannot be sought");
    source.manner = SEEK_FAILS;
    reader.size = source.size;
    reader.seek = seek_source;
    /* A layout reads it once, and has no need to seek. */
    if (!is_layout(address))
        upload_badly(repository, &reader, OCIREG_E_ABORTED, -3, "the seek callback returned -3");

    reader.size = OCIREG_UNKNOWN;
    upload_badly(repository, &reader, OCIREG_E_INVALID_ARGUMENT, 0, "reader->size");
    reader.seek = NULL;
    reader.read = NULL;
    upload_badly(repository, &reader, OCIREG_E_INVALID_ARGUMENT, 0, "reader->read");
    reader.read = read_source;
    reader.struct_size = 0;
    upload_badly(repository, &reader, OCIREG_E_INVALID_ARGUMENT, 0, "struct_size is 0");
    reader.struct_size = sizeof reader - 1;
    upload_badly(repository, &reader, OCIREG_E_INVALID_ARGUMENT, 0, "struct_size");
    reader.struct_size = SIZE_MAX;
    upload_badly(repository, &reader, OCIREG_E_INVALID_ARGUMENT, 0, "struct_size");
    upload_badly(repository, NULL, OCIREG_E_INVALID_ARGUMENT, 0, "reader is NULL");

    /* A program compiled for a later version, whose further members are unused, and used. */
    source = source_of(SAMPLE);
    memset(&newer, 0, sizeof newer);
    newer.reader = reader_of(&source);
    newer.reader.struct_size = sizeof newer;
    CHECK_OK(ocireg_repository_upload_blob_reader(repository, &newer.reader, NULL, &descriptor, &err));
    CHECK_TEXT(ocireg_descriptor_digest(descriptor), SAMPLE_DIGEST);
    ocireg_descriptor_free(descriptor);
    newer.bytes[sizeof newer - 1] = 1;
    upload_badly(repository, &newer.reader, OCIREG_E_INVALID_ARGUMENT, 0, "does not know");

    /* The repository is as good as before. */
    CHECK_OK(ocireg_repository_upload_blob(repository, bytes("y"), 1, NULL, NULL, &err));
    ocireg_repository_free(repository);
}

/* --- Options and progress -------------------------------------------------------------------------------------- */

struct observer {
    ocireg_blob_options *options;
    ocireg_repository *repository;
    uint64_t total, last;
    unsigned calls;
    int32_t answer;
    bool saw_digest;
};

static int32_t observe(void *user, const ocireg_progress *progress)
{
    struct observer *observer = user;
    bool exists;
    observer->calls++;
    observer->total = ocireg_progress_total(progress);
    observer->last = ocireg_progress_bytes_done(progress);
    if (ocireg_progress_digest(progress) != NULL)
        observer->saw_digest = true;
    CHECK(ocireg_progress_phase(progress) == OCIREG_PHASE_HASHING
          || ocireg_progress_phase(progress) == OCIREG_PHASE_UPLOADING);
    CHECK(ocireg_progress_attempt(progress) == 1);
    /* Everything may be called from here: the same repository, and the setters and the _free of what was given. */
    CHECK(ocireg_repository_blob_exists(observer->repository, EMPTY_DIGEST, &exists, NULL) == OCIREG_OK);
    CHECK(ocireg_blob_options_set_mount_from(observer->options, "other", NULL) == (observer->options
              ? OCIREG_OK : OCIREG_E_INVALID_ARGUMENT));
    ocireg_blob_options_free(observer->options);
    observer->options = NULL;
    return observer->answer;
}

static void progress_is_followed_and_ends_an_upload(const char *address)
{
    ocireg_repository *repository = open_repository(address);
    struct observer observer = {0};
    ocireg_descriptor *descriptor = NULL;
    ocireg_error *err = NULL;
    ocireg_status status;

    observer.repository = repository;
    observer.options = ocireg_blob_options_new();
    CHECK_OK(ocireg_blob_options_set_progress(observer.options, observe, &observer, &err));
    CHECK_OK(ocireg_repository_upload_blob(repository, bytes("followed"), 8, observer.options, &descriptor, &err));
    CHECK(observer.calls >= 2);
    CHECK(observer.total == 8);
    CHECK(observer.last == 8);
    /* A layout finds the digest while it writes. */
    CHECK(observer.saw_digest || is_layout(address));
    CHECK(observer.options == NULL);
    ocireg_descriptor_free(descriptor);

    observer.answer = 42;
    observer.calls = 0;
    observer.options = ocireg_blob_options_new();
    CHECK_OK(ocireg_blob_options_set_progress(observer.options, observe, &observer, &err));
    status = ocireg_repository_upload_blob(repository, bytes("ended"), 5, observer.options, &descriptor, &err);
    CHECK(observer.calls == 1);
    CHECK(descriptor == NULL);
    CHECK(ocireg_error_callback_result(err) == 42);
    CHECK(!ocireg_error_is_retryable(err));
    CHECK_FAILS(status, OCIREG_E_ABORTED, "progress");
    ocireg_repository_free(repository);
}

static void known_digests_are_held_to(const char *address)
{
    ocireg_repository *repository = open_repository(address);
    ocireg_blob_options *options = ocireg_blob_options_new();
    struct source source = source_of(SAMPLE);
    ocireg_reader reader = reader_of(&source);
    ocireg_descriptor *descriptor = NULL;
    ocireg_error *err = NULL;

    CHECK_FAILS(ocireg_blob_options_set_known(options, "df9f", 13, &err), OCIREG_E_INVALID_DIGEST, "df9f");
    CHECK_OK(ocireg_blob_options_set_known(options, SAMPLE_DIGEST, strlen(SAMPLE), &err));
    CHECK_FAILS(ocireg_repository_upload_blob(repository, bytes("sample CONFIG"), 13, options, &descriptor, &err),
                OCIREG_E_DIGEST_MISMATCH, SAMPLE_DIGEST);
    CHECK_FAILS(ocireg_repository_upload_blob(repository, bytes("short"), 5, options, &descriptor, &err),
                OCIREG_E_SIZE_MISMATCH, "5");
    CHECK_OK(ocireg_repository_upload_blob_reader(repository, &reader, options, &descriptor, &err));
    CHECK(source.reads > 0);
    ocireg_descriptor_free(descriptor);

    /* It is there now: the reader is not called. */
    source.reads = 0;
    CHECK_OK(ocireg_repository_upload_blob_reader(repository, &reader, options, &descriptor, &err));
    CHECK(source.reads == 0);
    CHECK_TEXT(ocireg_descriptor_digest(descriptor), SAMPLE_DIGEST);
    ocireg_descriptor_free(descriptor);
    ocireg_blob_options_free(options);
    ocireg_repository_free(repository);
}

static void algorithms(void)
{
    ocireg_repository *repository = open_repository(in_temp("oci-layout:", "algorithms"));
    ocireg_blob_options *options = ocireg_blob_options_new();
    ocireg_descriptor *descriptor = NULL;
    ocireg_error *err = NULL;

    CHECK_FAILS(ocireg_blob_options_set_algorithm(options, 99, &err), OCIREG_E_INVALID_ARGUMENT, "99");
    CHECK_OK(ocireg_blob_options_set_algorithm(options, OCIREG_ALGORITHM_SHA512, &err));
    CHECK_OK(ocireg_repository_upload_blob(repository, bytes(SAMPLE), 13, options, &descriptor, &err));
    CHECK_CONTAINS(ocireg_descriptor_digest(descriptor), "sha512:");
    ocireg_descriptor_free(descriptor);
    ocireg_blob_options_free(options);
    ocireg_repository_free(repository);
}

static void client_options_are_checked(void)
{
    ocireg_client_options *options = ocireg_client_options_new();
    ocireg_client *client = NULL;
    ocireg_error *err = NULL;

    CHECK_OK(ocireg_client_options_set_user_agent(options, "suite/1.0", &err));
    CHECK_OK(ocireg_client_options_set_connect_timeout_ms(options, 5000, &err));
    CHECK_OK(ocireg_client_options_set_read_timeout_ms(options, 5000, &err));
    CHECK_OK(ocireg_client_options_set_write_timeout_ms(options, 5000, &err));
    CHECK_OK(ocireg_client_options_set_commit_timeout_ms(options, 5000, &err));
    CHECK_OK(ocireg_client_options_set_trust_roots(options, OCIREG_TRUST_ROOTS_BUNDLED, &err));
    CHECK_OK(ocireg_client_options_set_chunk_size(options, 65536, &err));
    CHECK_OK(ocireg_client_options_set_danger_accept_invalid_certificates(options, true, &err));
    CHECK_OK(ocireg_client_options_set_basic_auth(options, "user", "password", &err));
    CHECK_OK(ocireg_client_options_set_attempts(options, 2, &err));
    CHECK_OK(ocireg_client_new(options, &client, &err));
    ocireg_client_free(client);

    CHECK_FAILS(ocireg_client_options_set_trust_roots(options, 17, &err), OCIREG_E_INVALID_ARGUMENT, "17");
    CHECK_FAILS(ocireg_client_options_set_user_agent(options, "\xff", &err), OCIREG_E_INVALID_ARGUMENT,
                "user_agent is not UTF-8");
    CHECK_OK(ocireg_client_options_set_attempts(options, 0, &err));
    CHECK_FAILS(ocireg_client_new(options, &client, &err), OCIREG_E_INVALID_ARGUMENT, "attempts");
    CHECK(client == NULL);
    CHECK_OK(ocireg_client_options_set_attempts(options, 1, &err));
    CHECK_OK(ocireg_client_options_add_ca_file(options, in_temp("", "no-ca.pem"), &err));
    CHECK_FAILS(ocireg_client_new(options, &client, &err), OCIREG_E_IO, "no-ca.pem");
    ocireg_client_options_free(options);

    client = new_client();
    {
        ocireg_repository *repository = NULL;
        CHECK_FAILS(ocireg_client_repository(client, "localhost/app:tag", &repository, &err),
                    OCIREG_E_INVALID_REFERENCE, "localhost/app:tag");
        CHECK(repository == NULL);
        CHECK_FAILS(ocireg_client_repository(client, NULL, &repository, &err), OCIREG_E_INVALID_ARGUMENT,
                    "ocireg_client_repository: address is NULL");
    }
    ocireg_client_free(client);
}

/* --- Values ---------------------------------------------------------------------------------------------------- */

static void descriptors(void)
{
    ocireg_descriptor *descriptor = NULL, *copy = NULL, *again = NULL;
    ocireg_bytes *json = NULL;
    ocireg_error *err = NULL;
    const char *urls[] = {"https://a.example/x", "https://b.example/y"};
    const char *features[] = {"win32k"};
    const char *with_nul = "{\"digest\":\"" SAMPLE_DIGEST "\",\"size\":13,\"annotations\":{\"k\":\"a\\u0000b\"}}";
    const char *key = NULL, *value = NULL;
    size_t len = 99;

    CHECK_FAILS(ocireg_descriptor_new("text/plain", "sha256:1", 1, &descriptor, &err), OCIREG_E_INVALID_DIGEST, "sha256:1");
    CHECK_OK(ocireg_descriptor_new("text/plain", SAMPLE_DIGEST, 13, &descriptor, &err));
    CHECK(ocireg_descriptor_artifact_type(descriptor) == NULL);
    CHECK(ocireg_descriptor_annotation(descriptor, "x") == NULL);
    CHECK(ocireg_descriptor_annotation_count(descriptor) == 0);
    CHECK(ocireg_descriptor_url_count(descriptor) == 0);
    CHECK(ocireg_descriptor_data(descriptor, &len) == NULL);
    CHECK(len == 0);
    CHECK(ocireg_descriptor_platform_os(descriptor) == NULL);

    CHECK_OK(ocireg_descriptor_set_artifact_type(descriptor, "application/vnd.example", &err));
    CHECK_OK(ocireg_descriptor_set_annotation(descriptor, OCIREG_ANNOTATION_TITLE, "first", &err));
    CHECK_OK(ocireg_descriptor_set_annotation(descriptor, OCIREG_ANNOTATION_TITLE, "sample.txt", &err));
    CHECK_OK(ocireg_descriptor_set_annotation(descriptor, "a", "\xc3\xa4", &err));
    CHECK_OK(ocireg_descriptor_set_urls(descriptor, urls, 2, &err));
    CHECK_OK(ocireg_descriptor_set_data(descriptor, bytes(SAMPLE), 13, &err));
    CHECK_OK(ocireg_descriptor_set_platform(descriptor, "windows", "arm64", "v8", "10.0", features, 1, &err));
    /* What is borrowed from an object may be given to its setters. */
    CHECK_OK(ocireg_descriptor_set_annotation(descriptor, "b", ocireg_descriptor_annotation(descriptor, "a"), &err));

    copy = ocireg_descriptor_clone(descriptor);
    CHECK_OK(ocireg_descriptor_set_media_type(descriptor, "text/html", &err));
    CHECK_TEXT(ocireg_descriptor_media_type(descriptor), "text/html");
    ocireg_descriptor_free(descriptor);

    CHECK_OK(ocireg_descriptor_to_json(copy, &json, &err));
    CHECK(strlen((const char *)ocireg_bytes_data(json)) == ocireg_bytes_len(json));
    CHECK_OK(ocireg_descriptor_from_json(ocireg_bytes_data(json), ocireg_bytes_len(json), &again, &err));
    ocireg_bytes_free(json);
    ocireg_descriptor_free(copy);

    CHECK_TEXT(ocireg_descriptor_media_type(again), "text/plain");
    CHECK_TEXT(ocireg_descriptor_artifact_type(again), "application/vnd.example");
    CHECK_TEXT(ocireg_descriptor_annotation(again, OCIREG_ANNOTATION_TITLE), "sample.txt");
    CHECK(ocireg_descriptor_annotation_count(again) == 3);
    CHECK(ocireg_descriptor_annotation_at(again, 1, &key, &value));
    CHECK_TEXT(key, "b");
    CHECK_TEXT(value, "\xc3\xa4");
    CHECK(!ocireg_descriptor_annotation_at(again, 3, &key, &value));
    CHECK(key == NULL && value == NULL);
    CHECK(ocireg_descriptor_annotation_at(again, 0, NULL, NULL));
    CHECK(ocireg_descriptor_url_count(again) == 2);
    CHECK_TEXT(ocireg_descriptor_url(again, 1), urls[1]);
    CHECK(ocireg_descriptor_url(again, 2) == NULL);
    CHECK(ocireg_descriptor_data(again, &len) != NULL && len == 13);
    CHECK(memcmp(ocireg_descriptor_data(again, NULL), SAMPLE, 13) == 0);
    CHECK_TEXT(ocireg_descriptor_platform_os(again), "windows");
    CHECK_TEXT(ocireg_descriptor_platform_architecture(again), "arm64");
    CHECK_TEXT(ocireg_descriptor_platform_variant(again), "v8");
    CHECK_TEXT(ocireg_descriptor_platform_os_version(again), "10.0");
    CHECK(ocireg_descriptor_platform_os_feature_count(again) == 1);
    CHECK_TEXT(ocireg_descriptor_platform_os_feature(again, 0), "win32k");
    CHECK_OK(ocireg_descriptor_set_platform(again, "linux", "amd64", NULL, NULL, NULL, 0, &err));
    CHECK(ocireg_descriptor_platform_variant(again) == NULL);
    ocireg_descriptor_free(again);

    /* A NUL inside a text that was received does not end it early. */
    CHECK_OK(ocireg_descriptor_from_json(bytes(with_nul), strlen(with_nul), &again, &err));
    CHECK_TEXT(ocireg_descriptor_annotation(again, "k"), "a\xef\xbf\xbd" "b");
    CHECK_TEXT(ocireg_descriptor_media_type(again), "");
    ocireg_descriptor_free(again);
    CHECK_FAILS(ocireg_descriptor_from_json(bytes("[]"), 2, &again, &err), OCIREG_E_INVALID_MANIFEST, "");
    CHECK_FAILS(ocireg_descriptor_from_json(NULL, 0, &again, &err), OCIREG_E_INVALID_MANIFEST, "");

    again = ocireg_descriptor_empty();
    CHECK_TEXT(ocireg_descriptor_media_type(again), OCIREG_MEDIA_TYPE_EMPTY);
    CHECK(ocireg_descriptor_size(again) == 2);
    ocireg_descriptor_free(again);
}

static void manifests_and_indexes(void)
{
    static const char received[] =
        "{ \"schemaVersion\": 2, \"mediaType\": \"" OCIREG_MEDIA_TYPE_IMAGE_MANIFEST "\", \"x\": 1,\n"
        "  \"config\": {\"mediaType\": \"text/plain\", \"digest\": \"" SAMPLE_DIGEST "\", \"size\": 13} }";
    ocireg_descriptor *config = ocireg_descriptor_empty(), *layer = NULL, *found = NULL;
    ocireg_manifest *manifest = NULL, *copy = NULL;
    ocireg_index *index = NULL, *index_copy = NULL;
    ocireg_bytes *out = NULL;
    ocireg_error *err = NULL;
    const char *key, *value;

    CHECK_OK(ocireg_descriptor_new("text/plain", SAMPLE_DIGEST, 13, &layer, &err));
    CHECK_OK(ocireg_manifest_new(config, &manifest, &err));
    ocireg_descriptor_free(config);
    CHECK_TEXT(ocireg_manifest_media_type(manifest), OCIREG_MEDIA_TYPE_IMAGE_MANIFEST);
    CHECK(ocireg_manifest_artifact_type(manifest) == NULL);
    CHECK_FAILS(ocireg_manifest_to_bytes(manifest, &out, &err), OCIREG_E_INVALID_MANIFEST, "artifact type");
    CHECK(out == NULL);
    CHECK_OK(ocireg_manifest_set_artifact_type(manifest, "application/vnd.example", &err));
    CHECK_OK(ocireg_manifest_add_layer(manifest, layer, &err));
    CHECK_OK(ocireg_manifest_subject(manifest, &found, &err));
    CHECK(found == NULL);
    CHECK_OK(ocireg_manifest_set_subject(manifest, layer, &err));
    CHECK_OK(ocireg_manifest_set_annotation(manifest, OCIREG_ANNOTATION_CREATED, "now", &err));
    CHECK_TEXT(ocireg_manifest_artifact_type(manifest), "application/vnd.example");
    CHECK_TEXT(ocireg_manifest_annotation(manifest, OCIREG_ANNOTATION_CREATED), "now");
    CHECK(ocireg_manifest_annotation_count(manifest) == 1);
    CHECK(ocireg_manifest_annotation_at(manifest, 0, &key, &value));
    CHECK_TEXT(key, OCIREG_ANNOTATION_CREATED);
    CHECK(ocireg_manifest_layer_count(manifest) == 1);
    CHECK_OK(ocireg_manifest_layer(manifest, 0, &found, &err));
    CHECK_TEXT(ocireg_descriptor_digest(found), SAMPLE_DIGEST);
    ocireg_descriptor_free(found);
    CHECK_FAILS(ocireg_manifest_layer(manifest, 1, &found, &err), OCIREG_E_INVALID_ARGUMENT, "position is 1");
    CHECK_OK(ocireg_manifest_subject(manifest, &found, &err));
    CHECK_TEXT(ocireg_descriptor_digest(found), SAMPLE_DIGEST);
    ocireg_descriptor_free(found);
    CHECK_OK(ocireg_manifest_config(manifest, &found, &err));
    CHECK_TEXT(ocireg_descriptor_media_type(found), OCIREG_MEDIA_TYPE_EMPTY);
    ocireg_descriptor_free(found);
    copy = ocireg_manifest_clone(manifest);
    CHECK_OK(ocireg_manifest_add_layer(manifest, layer, &err));
    CHECK(ocireg_manifest_layer_count(copy) == 1);
    ocireg_manifest_free(copy);
    CHECK_OK(ocireg_manifest_descriptor(manifest, &found, &err));
    CHECK_TEXT(ocireg_descriptor_artifact_type(found), "application/vnd.example");

    index = ocireg_index_new();
    CHECK_OK(ocireg_index_add_manifest(index, found, &err));
    CHECK_OK(ocireg_index_set_subject(index, found, &err));
    CHECK_OK(ocireg_index_set_annotation(index, "k", "v", &err));
    CHECK_OK(ocireg_index_set_artifact_type(index, "application/vnd.example.list", &err));
    ocireg_descriptor_free(found);
    ocireg_manifest_free(manifest);
    CHECK_TEXT(ocireg_index_media_type(index), OCIREG_MEDIA_TYPE_IMAGE_INDEX);
    CHECK_TEXT(ocireg_index_artifact_type(index), "application/vnd.example.list");
    CHECK_TEXT(ocireg_index_annotation(index, "k"), "v");
    CHECK(ocireg_index_annotation_count(index) == 1);
    CHECK(ocireg_index_annotation_at(index, 0, &key, NULL));
    CHECK(ocireg_index_manifest_count(index) == 1);
    CHECK_OK(ocireg_index_manifest(index, 0, &found, &err));
    ocireg_descriptor_free(found);
    CHECK_FAILS(ocireg_index_manifest(index, 7, &found, &err), OCIREG_E_INVALID_ARGUMENT, "position is 7");
    CHECK_OK(ocireg_index_subject(index, &found, &err));
    ocireg_descriptor_free(found);
    CHECK_OK(ocireg_index_descriptor(index, &found, &err));
    ocireg_descriptor_free(found);
    CHECK_OK(ocireg_index_to_bytes(index, &out, &err));
    CHECK_OK(ocireg_index_from_bytes(ocireg_bytes_data(out), ocireg_bytes_len(out), &index_copy, &err));
    CHECK(ocireg_index_manifest_count(index_copy) == 1);
    ocireg_index_free(index_copy);
    index_copy = ocireg_index_clone(index);
    CHECK(ocireg_index_manifest_count(index_copy) == 1);
    ocireg_index_free(index_copy);
    ocireg_index_free(index);
    CHECK_FAILS(ocireg_manifest_from_bytes(ocireg_bytes_data(out), ocireg_bytes_len(out), &manifest, &err),
                OCIREG_E_INVALID_MANIFEST, "mediaType");
    ocireg_bytes_free(out);

    /* What was received keeps its bytes until it is changed, and members that are not known even then. */
    CHECK_OK(ocireg_manifest_from_bytes(bytes(received), sizeof received - 1, &manifest, &err));
    CHECK_OK(ocireg_manifest_to_bytes(manifest, &out, &err));
    CHECK_TEXT((const char *)ocireg_bytes_data(out), received);
    ocireg_bytes_free(out);
    CHECK_OK(ocireg_manifest_add_layer(manifest, layer, &err));
    CHECK_OK(ocireg_manifest_to_bytes(manifest, &out, &err));
    CHECK_CONTAINS((const char *)ocireg_bytes_data(out), "\"x\":1");
    ocireg_bytes_free(out);
    ocireg_manifest_free(manifest);
    ocireg_descriptor_free(layer);
}

static void manifests_are_uploaded_and_tags_kept(const char *address)
{
    ocireg_repository *repository = open_repository(address);
    ocireg_descriptor *config = upload_text(repository, SAMPLE, OCIREG_MEDIA_TYPE_IMAGE_CONFIG);
    ocireg_descriptor *layer = upload_text(repository, "Sample layer", OCIREG_MEDIA_TYPE_IMAGE_LAYER);
    ocireg_descriptor *uploaded = NULL;
    ocireg_manifest *manifest = NULL, *artifact = NULL;
    ocireg_manifest_options *options = ocireg_manifest_options_new();
    ocireg_index *index = ocireg_index_new();
    ocireg_bytes *raw = NULL;
    ocireg_error *err = NULL;
    const char *tags[] = {"demo", "latest", "demo"};
    const char *bad[] = {"fine", "not a tag"};
    const char *missing[] = {"fine", NULL};

    CHECK_OK(ocireg_manifest_new(config, &manifest, &err));
    CHECK_OK(ocireg_manifest_add_layer(manifest, layer, &err));
    CHECK_OK(ocireg_repository_upload_manifest(repository, manifest, tags, 3, NULL, &uploaded, &err));
    CHECK_TEXT(ocireg_descriptor_digest(uploaded), MANIFEST_DIGEST);
    CHECK_TEXT(ocireg_descriptor_media_type(uploaded), OCIREG_MEDIA_TYPE_IMAGE_MANIFEST);
    CHECK_OK(ocireg_index_add_manifest(index, uploaded, &err));
    ocireg_descriptor_free(uploaded);
    CHECK_OK(ocireg_repository_upload_manifest(repository, manifest, NULL, 0, NULL, NULL, &err));
    CHECK_OK(ocireg_repository_upload_index(repository, index, tags + 1, 1, NULL, &uploaded, &err));
    ocireg_descriptor_free(uploaded);

    CHECK_OK(ocireg_manifest_to_bytes(manifest, &raw, &err));
    CHECK_OK(ocireg_repository_upload_manifest_bytes(repository, OCIREG_MEDIA_TYPE_IMAGE_MANIFEST,
                                                     ocireg_bytes_data(raw), ocireg_bytes_len(raw), tags, 1, NULL,
                                                     &uploaded, &err));
    CHECK_TEXT(ocireg_descriptor_digest(uploaded), MANIFEST_DIGEST);
    ocireg_descriptor_free(uploaded);
    ocireg_bytes_free(raw);

    /* A tag that exists is moved unless the options say otherwise. */
    CHECK_OK(ocireg_manifest_options_set_keep_existing_tags(options, true, &err));
    CHECK_OK(ocireg_repository_upload_manifest(repository, manifest, tags, 1, options, NULL, &err));
    CHECK_OK(ocireg_manifest_new_artifact("application/vnd.example", &artifact, &err));
    CHECK_FAILS(ocireg_repository_upload_manifest(repository, artifact, tags, 1, options, &uploaded, &err),
                OCIREG_E_TAG_CONFLICT, MANIFEST_DIGEST);
    CHECK(uploaded == NULL);
    CHECK_OK(ocireg_repository_upload_manifest(repository, artifact, tags, 1, NULL, NULL, &err));

    CHECK_FAILS(ocireg_repository_upload_manifest(repository, manifest, bad, 2, NULL, &uploaded, &err),
                OCIREG_E_INVALID_REFERENCE, "not a tag");
    CHECK_FAILS(ocireg_repository_upload_manifest(repository, manifest, missing, 2, NULL, &uploaded, &err),
                OCIREG_E_INVALID_ARGUMENT, "tags[1] is NULL");
    CHECK_FAILS(ocireg_repository_upload_manifest(repository, manifest, NULL, 2, NULL, &uploaded, &err),
                OCIREG_E_INVALID_ARGUMENT, "tags is NULL");
    CHECK_FAILS(ocireg_repository_upload_manifest_bytes(repository, OCIREG_MEDIA_TYPE_IMAGE_MANIFEST, bytes("{}"), 2,
                                                        NULL, 0, NULL, &uploaded, &err),
                OCIREG_E_INVALID_MANIFEST, "schemaVersion");

    ocireg_manifest_free(artifact);
    ocireg_manifest_free(manifest);
    ocireg_index_free(index);
    ocireg_manifest_options_free(options);
    ocireg_descriptor_free(layer);
    ocireg_descriptor_free(config);
    ocireg_repository_free(repository);
}

static void hashers_and_references(void)
{
    ocireg_hasher *hasher = NULL;
    ocireg_reference *reference = NULL;
    ocireg_error *err = NULL;

    CHECK_FAILS(ocireg_hasher_new(0, &hasher, &err), OCIREG_E_INVALID_ARGUMENT, "algorithm");
    CHECK(hasher == NULL);
    CHECK_OK(ocireg_hasher_new(OCIREG_ALGORITHM_SHA256, &hasher, &err));
    CHECK_OK(ocireg_hasher_update(hasher, bytes("Sample "), 7, &err));
    CHECK_OK(ocireg_hasher_update(hasher, NULL, 0, &err));
    CHECK_OK(ocireg_hasher_update(hasher, bytes("config"), 6, &err));
    CHECK_TEXT(ocireg_hasher_digest(hasher), SAMPLE_DIGEST);
    CHECK_TEXT(ocireg_hasher_digest(hasher), SAMPLE_DIGEST);
    CHECK_FAILS(ocireg_hasher_update(hasher, bytes("!"), 1, &err), OCIREG_E_INVALID_ARGUMENT, "digest already");
    ocireg_hasher_free(hasher);

    CHECK_OK(ocireg_reference_new("http://localhost:5000/team/app:1.0@" SAMPLE_DIGEST, &reference, &err));
    CHECK_TEXT(ocireg_reference_address(reference), "http://localhost:5000/team/app");
    CHECK_TEXT(ocireg_reference_tag(reference), "1.0");
    CHECK_TEXT(ocireg_reference_digest(reference), SAMPLE_DIGEST);
    ocireg_reference_free(reference);
    CHECK_OK(ocireg_reference_new("oci-layout:./a:b/c", &reference, &err));
    CHECK(ocireg_reference_tag(reference) == NULL);
    CHECK(ocireg_reference_digest(reference) == NULL);
    ocireg_reference_free(reference);
    CHECK_FAILS(ocireg_reference_new("", &reference, &err), OCIREG_E_INVALID_REFERENCE, "");
    CHECK(reference == NULL);
}

/* --- Over the network ------------------------------------------------------------------------------------------ */

static char *at_registry(int port, const char *name)
{
    static char address[256];
    snprintf(address, sizeof address, "http://127.0.0.1:%d/%s", port, name);
    return address;
}

/* The same at a registry of another project, whose URL is given by tests/c/run; nothing is there from another run. */
static char *at_real_registry(const char *name)
{
    static char address[1024];
    snprintf(address, sizeof address, "%s/run-%d/%s", getenv("OCIREG_C_REGISTRY"), (int)getpid(), name);
    return address;
}

static ocireg_repository *open_impatient(const char *address)
{
    ocireg_client_options *options = ocireg_client_options_new();
    ocireg_client *client = NULL;
    ocireg_repository *repository = NULL;
    ocireg_error *err = NULL;
    CHECK_OK(ocireg_client_options_set_attempts(options, 1, &err));
    CHECK_OK(ocireg_client_options_set_chunk_size(options, 64 * 1024, &err));
    CHECK_OK(ocireg_client_options_set_connect_timeout_ms(options, 30000, &err));
    CHECK_OK(ocireg_client_options_set_read_timeout_ms(options, 30000, &err));
    CHECK_OK(ocireg_client_options_set_write_timeout_ms(options, 30000, &err));
    CHECK_OK(ocireg_client_options_set_commit_timeout_ms(options, 30000, &err));
    CHECK_OK(ocireg_client_new(options, &client, &err));
    CHECK_OK(ocireg_client_repository(client, address, &repository, &err));
    ocireg_client_free(client);
    ocireg_client_options_free(options);
    return repository;
}

static void a_registry_takes_blobs_and_manifests(int port)
{
    ocireg_repository *repository = open_impatient(at_registry(port, "sample"));
    ocireg_descriptor *config = upload_text(repository, SAMPLE, OCIREG_MEDIA_TYPE_IMAGE_CONFIG);
    ocireg_descriptor *uploaded = NULL;
    ocireg_manifest *manifest = NULL;
    ocireg_error *err = NULL;
    const char *tag = "demo";
    char *large = calloc(1, 300001);
    struct source source = {0};
    ocireg_reader reader = reader_of(&source);

    CHECK_OK(ocireg_manifest_new(config, &manifest, &err));
    CHECK_OK(ocireg_repository_upload_manifest(repository, manifest, &tag, 1, NULL, &uploaded, &err));
    CHECK_CONTAINS(ocireg_descriptor_digest(uploaded), "sha256:");
    ocireg_descriptor_free(uploaded);

    /* Longer than a chunk, length unknown. */
    source.data = large;
    source.size = 300000;
    source.most = 1000;
    CHECK_OK(ocireg_repository_upload_blob_reader(repository, &reader, NULL, &uploaded, &err));
    CHECK(ocireg_descriptor_size(uploaded) == 300000);
    ocireg_descriptor_free(uploaded);
    free(large);
    ocireg_manifest_free(manifest);
    ocireg_descriptor_free(config);
    ocireg_repository_free(repository);
}

static void what_a_registry_says_is_in_the_error(int port)
{
    ocireg_repository *repository = open_impatient(at_registry(port, "limited/app"));
    ocireg_error *err = NULL;
    ocireg_status status = ocireg_repository_upload_blob(repository, bytes("x"), 1, NULL, NULL, &err);
    CHECK(ocireg_error_http_status(err) == 429);
    CHECK(ocireg_error_registry_count(err) == 2);
    CHECK_TEXT(ocireg_error_registry_code(err, 0), "TOOMANYREQUESTS");
    CHECK_TEXT(ocireg_error_registry_message(err, 0), "slow down");
    CHECK_TEXT(ocireg_error_registry_detail(err, 0), "{\"limit\":3}");
    CHECK_TEXT(ocireg_error_registry_code(err, 1), "DENIED");
    CHECK_TEXT(ocireg_error_registry_detail(err, 1), "");
    CHECK_TEXT(ocireg_error_registry_code(err, 2), "");
    CHECK(ocireg_error_is_retryable(err));
    CHECK(ocireg_error_retry_after_ms(err) == 7000);
    CHECK_TEXT(ocireg_error_operation(err), "upload blob");
    CHECK_TEXT(ocireg_error_target(err), at_registry(port, "limited/app"));
    CHECK_CONTAINS(ocireg_error_request(err), "POST http://127.0.0.1:");
    CHECK(strchr(ocireg_error_request(err), '?') == NULL);
    CHECK_FAILS(status, OCIREG_E_RATE_LIMITED, "slow down");
    ocireg_repository_free(repository);

    repository = open_impatient(at_registry(port, "html/app"));
    status = ocireg_repository_upload_blob(repository, bytes("x"), 1, NULL, NULL, &err);
    CHECK(ocireg_error_http_status(err) == 500);
    CHECK(ocireg_error_registry_count(err) == 0);
    CHECK(ocireg_error_retry_after_ms(err) == OCIREG_UNKNOWN);
    CHECK_FAILS(status, OCIREG_E_REGISTRY_FAILED, "500");
    ocireg_repository_free(repository);
}

/* SIGPIPE has its default action, as in most C programs: writing to a connection that is gone must not raise it. */
static void a_connection_that_is_reset_raises_no_signal(int port)
{
    const size_t size = 16 * 1024 * 1024;
    char *large = calloc(1, size);
    ocireg_client_options *options = ocireg_client_options_new();
    ocireg_client *client = NULL;
    ocireg_repository *repository = NULL;
    ocireg_error *err = NULL;
    ocireg_status status;

    CHECK_OK(ocireg_client_options_set_attempts(options, 1, &err));
    CHECK_OK(ocireg_client_new(options, &client, &err));
    CHECK_OK(ocireg_client_repository(client, at_registry(port, "reset/app"), &repository, &err));
    status = ocireg_repository_upload_blob(repository, (const uint8_t *)large, size, NULL, NULL, &err);
    CHECK(strstr(ocireg_error_message(err), "secret") == NULL);
    CHECK_FAILS(status, OCIREG_E_CONNECTION, "upload blob http://127.0.0.1:");
    ocireg_repository_free(repository);
    ocireg_client_free(client);
    ocireg_client_options_free(options);
    free(large);
}

static void nobody_listens(void)
{
    ocireg_repository *repository = open_impatient("http://127.0.0.1:1/app");
    ocireg_error *err = NULL;
    ocireg_status status = ocireg_repository_upload_blob(repository, bytes("x"), 1, NULL, NULL, &err);
    CHECK(ocireg_error_is_retryable(err));
    CHECK(ocireg_error_http_status(err) == 0);
    CHECK_FAILS(status, OCIREG_E_CONNECT, "127.0.0.1:1");
    ocireg_repository_free(repository);
}

/* --- Faults ---------------------------------------------------------------------------------------------------- */

/* Of feature capi-test-panic; not in the header. */
ocireg_status ocireg_test_panic(const ocireg_client *client, ocireg_error **err);

static void a_panic_is_a_status_and_the_object_stays_unusable(void)
{
    ocireg_client *client = new_client(), *other = new_client();
    ocireg_repository *repository = NULL;
    ocireg_error *err = NULL;

    CHECK_FAILS(ocireg_test_panic(client, &err), OCIREG_E_PANIC, "a panic on purpose");
    CHECK(ocireg_test_panic(other, NULL) == OCIREG_E_PANIC);
    CHECK_FAILS(ocireg_client_repository(client, "localhost/app", &repository, &err), OCIREG_E_PANIC, "only be freed");
    CHECK(repository == NULL);
    ocireg_client_free(other);
    ocireg_client_free(client);
}

static void accessors_and_free_take_null(void)
{
    CHECK(ocireg_error_status(NULL) == OCIREG_OK);
    CHECK_TEXT(ocireg_error_message(NULL), "");
    CHECK(ocireg_error_retry_after_ms(NULL) == OCIREG_UNKNOWN);
    CHECK(ocireg_descriptor_digest(NULL) == NULL);
    CHECK(ocireg_bytes_len(NULL) == 0);
    CHECK(ocireg_progress_total(NULL) == OCIREG_UNKNOWN);
    CHECK(ocireg_descriptor_clone(NULL) == NULL);
    ocireg_client_free(NULL);
    ocireg_error_free(NULL);
}

static int entries(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count - 2;
}

int main(void)
{
    struct sigaction action;
    int port;
    signal(SIGPIPE, SIG_DFL);
    port = registry_start();

    versions_and_status_names();
    blobs_from_bytes_files_and_readers(in_temp("oci-layout:", "blobs"));
    readers_that_break_their_word(in_temp("oci-layout:", "readers"));
    readers_that_break_their_word(at_registry(port, "readers"));
    progress_is_followed_and_ends_an_upload(in_temp("oci-layout:", "progress"));
    progress_is_followed_and_ends_an_upload(at_registry(port, "progress"));
    known_digests_are_held_to(in_temp("oci-layout:", "known"));
    algorithms();
    client_options_are_checked();
    descriptors();
    manifests_and_indexes();
    manifests_are_uploaded_and_tags_kept(in_temp("oci-layout:", "manifests"));
    hashers_and_references();
    a_registry_takes_blobs_and_manifests(port);
    what_a_registry_says_is_in_the_error(port);
    a_connection_that_is_reset_raises_no_signal(port);
    nobody_listens();
    a_panic_is_a_status_and_the_object_stays_unusable();
    accessors_and_free_take_null();
    if (getenv("OCIREG_C_REGISTRY") != NULL) {
        blobs_from_bytes_files_and_readers(at_real_registry("blobs"));
        readers_that_break_their_word(at_real_registry("readers"));
        progress_is_followed_and_ends_an_upload(at_real_registry("progress"));
        known_digests_are_held_to(at_real_registry("known"));
        manifests_are_uploaded_and_tags_kept(at_real_registry("manifests"));
    }

    /* The host's signals and threads are as they were. */
    sigaction(SIGPIPE, NULL, &action);
    CHECK(action.sa_handler == SIG_DFL);
    CHECK(entries("/proc/self/task") == 1);
    registry_stop();
    if (failures > 0) {
        fprintf(stderr, "%d checks failed\n", failures);
        return 1;
    }
    puts("suite: all checks hold");
    return 0;
}
