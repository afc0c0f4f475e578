// The C++ binding: every call, over a layout in the directory that the first argument names, and over the registry that
// the second one names (such as http://127.0.0.1:5000), if there is one.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "check.hpp"
#include "ocireg.hpp"

namespace fs = std::filesystem;

namespace {

const char *const sample_digest = "sha256:6c112766946a96eea3a9e1ee664c879f8a71be1701e2c781b2576c1ac90e3ca8";

/// A stream that cannot seek.
class pipe_buffer : public std::streambuf {
public:
    explicit pipe_buffer(std::string bytes) : bytes_(std::move(bytes)) { setg(&bytes_[0], &bytes_[0], &bytes_[0] + bytes_.size()); }

private:
    std::string bytes_;
};

void the_sample_has_the_digest_that_it_has_everywhere(const ocireg::repository &repository)
{
    const auto config = repository.upload_blob("Sample config");
    auto manifest = ocireg::manifest(config.with_media_type(ocireg::media_type::image_config));
    manifest.layer(repository.upload_blob("Sample layer").with_media_type(ocireg::media_type::image_layer));
    CHECK(repository.upload_manifest(manifest, {"demo"}).digest() == sample_digest);
    CHECK(manifest.descriptor().digest() == sample_digest);
    CHECK(repository.blob_exists(config.digest()));
    CHECK(!repository.blob_exists(digest_elsewhere("never uploaded")));
}

void every_source_gives_the_same_blob(const ocireg::repository &repository, const fs::path &directory)
{
    const std::string content(300000, 'x');
    const auto digest = digest_elsewhere(content);
    const auto file = directory / "content";
    std::ofstream(file, std::ios::binary) << content;

    CHECK(repository.upload_blob(content).digest() == digest);
    CHECK(repository.upload_blob(std::string_view(content)).size() == content.size());
    CHECK(repository.upload_blob(file).digest() == digest);
    std::ifstream stream(file, std::ios::binary);
    CHECK(repository.upload_blob(stream).digest() == digest);
    pipe_buffer buffer(content);
    std::istream pipe(&buffer);
    CHECK(repository.upload_blob(pipe).digest() == digest);
    std::size_t left = content.size();
    const ocireg::source::read_function read = [&](std::uint8_t *out, std::size_t capacity) {
        const auto n = std::min({left, capacity, std::size_t{1000}});
        std::fill_n(out, n, std::uint8_t{'x'});
        left -= n;
        return n;
    };
    CHECK(repository.upload_blob(ocireg::source(read, content.size())).digest() == digest);
    left = content.size();
    CHECK(repository.upload_blob(ocireg::source(read)).digest() == digest);
    CHECK(repository.upload_blob("").size() == 0);
}

void options_are_obeyed(const ocireg::repository &repository)
{
    const std::string content = "known content";
    ocireg::blob_options known;
    known.known = {digest_elsewhere(content), content.size()};
    CHECK(repository.upload_blob(content, known).digest() == known.known->first);
    known.known = {digest_elsewhere("other"), content.size()};
    CHECK_ERROR(repository.upload_blob("never equals", known), OCIREG_E_SIZE_MISMATCH, "12 bytes");

    ocireg::blob_options wide;
    wide.algorithm = ocireg::algorithm::sha512;
    wide.mount_from = "other/repository";
    CHECK(repository.upload_blob("wide", wide).digest().rfind("sha512:", 0) == 0);

    std::uint64_t last = 0;
    ocireg::blob_options watched;
    watched.progress = [&](const ocireg::progress &progress) {
        CHECK(progress.attempt() == 1);
        CHECK(progress.phase() == ocireg::phase::uploading || progress.phase() == ocireg::phase::hashing);
        CHECK(!progress.digest() || progress.digest()->rfind("sha256:", 0) == 0);
        CHECK(progress.total() == 14U);
        last = progress.bytes_done();
        return true;
    };
    (void)repository.upload_blob("never seen yet", watched);
    CHECK(last == 14);
}

void what_callbacks_throw_arrives_unchanged(const ocireg::repository &repository)
{
    struct own {
        int value;
    };
    ocireg::blob_options throwing;
    throwing.progress = [](const ocireg::progress &) -> bool { throw own{42}; };
    try {
        (void)repository.upload_blob("thrown in progress", throwing);
        CHECK(false);
    } catch (const own &it) {
        CHECK(it.value == 42);
    }
    try {
        (void)repository.upload_blob(
            ocireg::source([](std::uint8_t *, std::size_t) -> std::size_t { throw std::logic_error("mine"); }));
        CHECK(false);
    } catch (const std::logic_error &it) {
        CHECK(std::string(it.what()) == "mine");
    }
    ocireg::blob_options ending;
    ending.progress = [](const ocireg::progress &) { return false; };
    CHECK_ERROR(repository.upload_blob("ended by progress", ending), OCIREG_E_ABORTED, "progress");
    CHECK(repository.upload_blob("and goes on").size() == 11);
}

void documents_keep_what_they_are_given(const ocireg::repository &repository)
{
    const auto child = repository.upload_manifest(
        ocireg::manifest::artifact("application/vnd.example.thing").with_annotation("a", "b"), {"thing"});
    ocireg::platform platform{"linux", "arm64"};
    platform.variant = "v8";
    platform.os_features = {"one", "two"};
    ocireg::index index;
    index.manifest(child.with_platform(platform)).with_annotation(ocireg::annotation::title, "an index");
    const auto stored = repository.upload_manifest(index, {"all", "also"});
    CHECK(stored.media_type() == ocireg::media_type::image_index);
    const auto read = ocireg::index::from_bytes(index.to_bytes());
    CHECK(read.manifests().at(0).platform()->os_features.size() == 2);
    CHECK(read.manifests().at(0).platform()->variant == "v8");
    CHECK(read.annotations().at(ocireg::annotation::title) == "an index");
    CHECK(!read.subject() && !read.artifact_type());

    const std::string bytes = R"({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [], "own": 1 })";
    CHECK(repository.upload_manifest(ocireg::media_type::image_index, bytes).digest() == digest_elsewhere(bytes));
    CHECK(ocireg::index::from_bytes(bytes).to_bytes() == bytes);

    auto manifest = ocireg::manifest::artifact("application/vnd.example.other");
    auto copy = manifest;
    copy.with_subject(child).layer(repository.upload_blob("x").with_annotation("k", "v"));
    CHECK(copy.subject()->digest() == child.digest());
    CHECK(copy.layers().size() == 1 && copy.layers().at(0).annotation("k") == "v");
    CHECK(!manifest.subject());
    CHECK(copy.config().media_type() == ocireg::media_type::empty);
    CHECK(ocireg::manifest::from_bytes(copy.to_bytes()).artifact_type() == "application/vnd.example.other");

    const auto rich = ocireg::descriptor(ocireg::media_type::octet_stream, digest_elsewhere("{}"), 2)
                          .with_urls({"https://example.com/x"})
                          .with_data("{}")
                          .with_artifact_type("application/vnd.example.thing");
    const auto again = ocireg::descriptor::from_json(rich.to_json());
    CHECK(again.urls() == rich.urls() && again.data() == "{}" && again.artifact_type() == rich.artifact_type());
    CHECK(ocireg::descriptor::empty().size() == 2);

    const ocireg::reference reference("Registry.example:5000/a/b:tag");
    CHECK(reference.address() == "registry.example:5000/a/b" && reference.tag() == "tag" && !reference.digest());
}

void bad_input_has_its_own_error(const ocireg::client &client, const ocireg::repository &repository,
                                 const fs::path &directory)
{
    CHECK_ERROR(client.repository("https://Host/UPPER"), OCIREG_E_INVALID_REFERENCE, "lower case");
    CHECK_ERROR(client.repository("host/name:tag"), OCIREG_E_INVALID_REFERENCE, "tag");
    CHECK_ERROR(ocireg::reference("host/name@sha256:short"), OCIREG_E_INVALID_DIGEST, "sha256");
    CHECK_ERROR(repository.blob_exists("nonsense"), OCIREG_E_INVALID_DIGEST, "nonsense");
    CHECK_ERROR(repository.upload_blob(directory), OCIREG_E_IO, "directory");
    CHECK_ERROR(repository.upload_blob(directory / "absent"), OCIREG_E_IO, "absent");
    CHECK_ERROR(repository.upload_blob(ocireg::source([](auto, auto capacity) { return capacity + 1; })),
                OCIREG_E_SOURCE, "capacity");
    CHECK_ERROR(repository.upload_blob(ocireg::source([](auto, auto) { return std::size_t{0}; }, 5)),
                OCIREG_E_SIZE_MISMATCH, "0 bytes");
    CHECK_ERROR(repository.upload_manifest(ocireg::media_type::image_manifest, "{", {"x"}), OCIREG_E_INVALID_MANIFEST,
                "JSON");
    CHECK_ERROR(repository.upload_manifest(ocireg::index(), {"bad tag"}), OCIREG_E_INVALID_REFERENCE, "bad tag");
    ocireg::client_options options;
    options.user_agent = "two\nlines";
    CHECK_ERROR(ocireg::client(options), OCIREG_E_INVALID_ARGUMENT, "user_agent");
    options = {};
    options.ca_files = {directory / "absent.pem"};
    CHECK_ERROR(ocireg::client(options), OCIREG_E_IO, "absent.pem");
    options = {};
    options.attempts = 1;
    options.connect_timeout = std::chrono::seconds(5);
    const ocireg::client once(options);
    CHECK_ERROR(once.repository("http://127.0.0.1:1/x").upload_blob("x"), OCIREG_E_CONNECT, "refuses connections");
    try {
        (void)once.repository("http://127.0.0.1:1/x").upload_blob("x");
    } catch (const ocireg::error &error) {
        CHECK(error.operation() == "upload blob" && error.target() == "http://127.0.0.1:1/x");
        CHECK(error.is_retryable() && error.http_status() == 0 && error.registry_errors().empty());
        CHECK(error.request() == "POST http://127.0.0.1:1/v2/x/blobs/uploads/" && !error.retry_after());
    }
    ocireg::manifest_options keep;
    keep.keep_existing_tags = true;
    (void)repository.upload_manifest(ocireg::manifest::artifact("application/vnd.example.one"), {"kept"}, keep);
    CHECK_ERROR(repository.upload_manifest(ocireg::manifest::artifact("application/vnd.example.two"), {"kept"}, keep),
                OCIREG_E_TAG_CONFLICT, "kept");
}

void all(const ocireg::client &client, const std::string &address, const fs::path &directory)
{
    const auto repository = client.repository(address);
    CHECK(repository.address() == address);
    the_sample_has_the_digest_that_it_has_everywhere(repository);
    every_source_gives_the_same_blob(repository, directory);
    options_are_obeyed(repository);
    what_callbacks_throw_arrives_unchanged(repository);
    documents_keep_what_they_are_given(repository);
    bad_input_has_its_own_error(client, repository, directory);
}

} // namespace

int main(int argc, char **argv)
{
    const fs::path directory = argc > 1 ? argv[1] : ".";
    const ocireg::client client;
    CHECK(ocireg::version() == OCIREG_VERSION && ocireg::version_number() == OCIREG_VERSION_NUMBER);
    all(client, "oci-layout:" + (directory / "layout").string(), directory);
    if (argc > 2)
        all(client, std::string(argv[2]) + "/cpp/" + directory.filename().string(), directory);
    std::cerr << (failures == 0 ? "all checks hold\n" : "checks failed\n");
    return failures == 0 ? 0 : 1;
}
