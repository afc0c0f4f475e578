// What a program can get wrong: each has its own clear error, and everything goes on to work.
#include <fstream>

#include "checks.hpp"
#include "ocireg.hpp"

namespace fs = std::filesystem;

namespace {

const std::string nul("a\0b", 3);

void malformed_texts_are_refused(const ocireg::client &client, const ocireg::repository &repository)
{
    const auto digest = ocireg::hasher().update("x").digest();
    CHECK_ERROR(client.repository("https://host/UPPER"), OCIREG_E_INVALID_REFERENCE, "lower case");
    CHECK_ERROR(client.repository("host/name:tag"), OCIREG_E_INVALID_REFERENCE, "tag");
    CHECK_ERROR(client.repository("\xff/name"), OCIREG_E_INVALID_ARGUMENT, "UTF-8");
    CHECK_ERROR(ocireg::reference("host/name:a:b"), OCIREG_E_INVALID_REFERENCE, "name:a");
    CHECK_ERROR(ocireg::reference("host/name@sha256:short"), OCIREG_E_INVALID_DIGEST, "sha256");
    CHECK_ERROR(repository.blob_exists("nonsense"), OCIREG_E_INVALID_DIGEST, "nonsense");
    CHECK_ERROR(ocireg::descriptor("a/b", "nonsense", 1), OCIREG_E_INVALID_DIGEST, "nonsense");
    CHECK_ERROR(ocireg::hasher(static_cast<ocireg::algorithm>(77)), OCIREG_E_INVALID_ARGUMENT, "algorithm");
    CHECK_ERROR(repository.upload_manifest(ocireg::index(), {"bad tag"}), OCIREG_E_INVALID_REFERENCE, "bad tag");
    CHECK_ERROR(repository.upload_manifest("not a media type", "{}"), OCIREG_E_INVALID_MANIFEST, "media type");

    // A NUL would hide what follows it from the C library.
    CHECK_ERROR(client.repository("host/" + nul), OCIREG_E_INVALID_ARGUMENT, "the address has a NUL inside");
    CHECK_ERROR(repository.blob_exists(digest + nul), OCIREG_E_INVALID_ARGUMENT, "NUL");
    CHECK_ERROR(repository.upload_manifest(ocireg::index(), {nul}), OCIREG_E_INVALID_ARGUMENT, "a tag has a NUL");
    CHECK_ERROR(repository.upload_blob(fs::path(nul)), OCIREG_E_INVALID_ARGUMENT, "the path has a NUL");
    CHECK_ERROR(ocireg::descriptor::empty().with_annotation(nul, ""), OCIREG_E_INVALID_ARGUMENT, "the key has a NUL");
    ocireg::client_options options;
    options.basic_auth = {"user", nul};
    CHECK_ERROR(ocireg::client(options), OCIREG_E_INVALID_ARGUMENT, "the password has a NUL inside");
}

void malformed_documents_are_refused(const ocireg::repository &repository)
{
    const std::string large(4 * 1024 * 1024 + 1, ' ');
    CHECK_ERROR(ocireg::manifest::from_bytes("{"), OCIREG_E_INVALID_MANIFEST, "JSON");
    CHECK_ERROR(ocireg::manifest::from_bytes(large), OCIREG_E_INVALID_MANIFEST, "4194304");
    CHECK_ERROR(ocireg::index::from_bytes("[]"), OCIREG_E_INVALID_MANIFEST, "");
    CHECK_ERROR(ocireg::descriptor::from_json("{}"), OCIREG_E_INVALID_MANIFEST, "");
    CHECK_ERROR(repository.upload_manifest(ocireg::media_type::image_manifest, "{", {"x"}), OCIREG_E_INVALID_MANIFEST,
                "JSON");
    const auto bad = ocireg::descriptor::empty().with_media_type("bad");
    CHECK_ERROR(repository.upload_manifest(ocireg::manifest(bad), {"x"}), OCIREG_E_INVALID_MANIFEST, "`bad`");
}

void bad_files_and_streams_are_refused(const ocireg::repository &repository, const fs::path &directory)
{
    CHECK_ERROR(repository.upload_blob(directory), OCIREG_E_IO, "directory");
    CHECK_ERROR(repository.upload_blob(directory / "absent"), OCIREG_E_IO, "absent");
    std::ifstream unopened(directory / "absent", std::ios::binary);
    CHECK_ERROR(repository.upload_blob(unopened), OCIREG_E_SOURCE, "never opened");

    const auto growing = directory / "growing";
    std::ofstream(growing, std::ios::binary) << "of " << repository.address();
    ocireg::blob_options options;
    options.progress = [&](const ocireg::progress &) {
        std::ofstream(growing, std::ios::binary | std::ios::app) << "more";
        return true;
    };
    CHECK_ERROR(repository.upload_blob(growing, options), OCIREG_E_SOURCE_CHANGED, "growing");
}

void readers_that_break_their_word_are_named(const ocireg::repository &repository)
{
    const auto nothing = [](std::uint8_t *, std::size_t) { return std::size_t{0}; };
    const auto too_much = [](std::uint8_t *, std::size_t capacity) { return capacity + 1; };
    const auto endless = [](std::uint8_t *buffer, std::size_t) {
        *buffer = 'x';
        return std::size_t{1};
    };
    const auto seek = [](std::uint64_t) {};
    CHECK_ERROR(repository.upload_blob(ocireg::source::reader(too_much)), OCIREG_E_SOURCE, "capacity");
    CHECK_ERROR(repository.upload_blob(ocireg::source::sized_reader(nothing, 5)), OCIREG_E_SIZE_MISMATCH, "0 bytes");
    CHECK_ERROR(repository.upload_blob(ocireg::source::sized_reader(endless, 5)), OCIREG_E_SIZE_MISMATCH, "5");
    CHECK_ERROR(repository.upload_blob(ocireg::source::seekable(nothing, seek, 5)), OCIREG_E_SIZE_MISMATCH, "5");
    CHECK_ERROR(ocireg::source::reader({}), OCIREG_E_INVALID_ARGUMENT, "read function is empty");
    CHECK_ERROR(ocireg::source::seekable(nothing, {}, 5), OCIREG_E_INVALID_ARGUMENT, "seek function is empty");
    const char *null = nullptr;
    CHECK_ERROR(repository.upload_blob(null), OCIREG_E_INVALID_ARGUMENT, "null pointer");
}

void wrong_options_are_refused(const ocireg::repository &repository)
{
    ocireg::blob_options known;
    known.known = {ocireg::hasher().update("other").digest(), 12};
    CHECK_ERROR(repository.upload_blob("never equals", known), OCIREG_E_DIGEST_MISMATCH, "sha256:");
    known.known->second = 5;
    CHECK_ERROR(repository.upload_blob("never equals", known), OCIREG_E_SIZE_MISMATCH, "12 bytes");
    known.known->first = "nonsense";
    CHECK_ERROR(repository.upload_blob("x", known), OCIREG_E_INVALID_DIGEST, "nonsense");
    for (const char *name : {"", "Upper", "a//b"}) {
        ocireg::blob_options from;
        from.mount_from = name;
        CHECK_ERROR(repository.upload_blob("x", from), OCIREG_E_INVALID_REFERENCE, "");
    }

    ocireg::manifest_options keep;
    keep.keep_existing_tags = true;
    const auto one = ocireg::manifest::artifact("application/vnd.example.one");
    const auto two = ocireg::manifest::artifact("application/vnd.example.two");
    (void)repository.upload_manifest(one, {"kept"}, keep);
    (void)repository.upload_manifest(one, {"kept"}, keep);
    CHECK_ERROR(repository.upload_manifest(two, {"kept"}, keep), OCIREG_E_TAG_CONFLICT, two.descriptor().digest());
    CHECK_ERROR(repository.upload_manifest(two, {"kept"}, keep), OCIREG_E_TAG_CONFLICT, one.descriptor().digest());
}

void wrong_settings_of_a_client_are_refused(const ocireg::client &client, const fs::path &directory)
{
    ocireg::client_options options;
    options.user_agent = "two\nlines";
    CHECK_ERROR(ocireg::client(options), OCIREG_E_INVALID_ARGUMENT, "user_agent");
    options = {};
    options.read_timeout = std::chrono::milliseconds(-1);
    CHECK_ERROR(ocireg::client(options), OCIREG_E_INVALID_ARGUMENT, "read_timeout");
    options = {};
    options.chunk_size = 0;
    CHECK_ERROR(ocireg::client(options), OCIREG_E_INVALID_ARGUMENT, "chunk_size");
    options = {};
    options.attempts = 0;
    CHECK_ERROR(ocireg::client(options), OCIREG_E_INVALID_ARGUMENT, "attempts");
    options = {};
    options.trust_roots = static_cast<ocireg::trust_roots>(77);
    CHECK_ERROR(ocireg::client(options), OCIREG_E_INVALID_ARGUMENT, "trust_roots");
    options = {};
    options.ca_files = {directory / "absent.pem"};
    CHECK_ERROR(ocireg::client(options), OCIREG_E_IO, "absent.pem");
    options = {};
    options.client_certificate = {directory / "absent.pem", directory / "absent.key"};
    CHECK_ERROR(ocireg::client(options), OCIREG_E_IO, "absent");

    const auto file = directory / "a-file";
    std::ofstream(file) << "no layout";
    CHECK_ERROR(client.repository("oci-layout:" + file.string()), OCIREG_E_INVALID_LAYOUT, "a-file");
}

} // namespace

void bad_input(const ocireg::client &client, const ocireg::repository &repository, const fs::path &directory)
{
    malformed_texts_are_refused(client, repository);
    malformed_documents_are_refused(repository);
    bad_files_and_streams_are_refused(repository, directory);
    readers_that_break_their_word_are_named(repository);
    wrong_options_are_refused(repository);
    wrong_settings_of_a_client_are_refused(client, directory);
}
