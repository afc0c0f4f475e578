// The C++ binding, over a layout and over real servers.
//
//   test DIRECTORY [REGISTRY [DOUBLE [SECURE_DOUBLE CA_FILE]]]
//
// REGISTRY is the URL of a registry, or "-" for none; the doubles are those of double.py.
#include <cstring>

#include "checks.hpp"
#include "ocireg.hpp"

namespace {

const char *const sample_digest = "sha256:6c112766946a96eea3a9e1ee664c879f8a71be1701e2c781b2576c1ac90e3ca8";

void the_library_and_the_header_are_of_one_version()
{
    CHECK(ocireg::version() == OCIREG_VERSION);
    CHECK(ocireg::version_number() == OCIREG_VERSION_NUMBER);
}

void every_status_of_the_header_has_its_name()
{
    int known = 0;
#define STATUS(name)                                                                                                   \
    CHECK(ocireg::status_name(name) == #name);                                                                         \
    ++known;
#include "statuses.inc"
#undef STATUS
    CHECK(known > 25);
    CHECK(ocireg::status_name(-1) == "unknown status");
}

void the_sample_has_the_digest_that_it_has_everywhere(const ocireg::repository &repository)
{
    const auto config = repository.upload_blob("Sample config");
    auto manifest = ocireg::manifest(config.with_media_type(ocireg::media_type::image_config));
    const auto layer = repository.upload_blob("Sample layer");
    manifest = manifest.layer(layer.with_media_type(ocireg::media_type::image_layer));
    const auto uploaded = repository.upload_manifest(manifest, {"demo"});
    CHECK(uploaded.digest() == sample_digest);
    CHECK(uploaded.media_type() == ocireg::media_type::image_manifest);
    CHECK(uploaded.size() == manifest.to_bytes().size());
    CHECK(manifest.descriptor().digest() == sample_digest);
    CHECK(repository.upload_manifest(manifest).digest() == sample_digest);
    CHECK(repository.blob_exists(config.digest()));
    CHECK(!repository.blob_exists(ocireg::hasher().update("never uploaded").digest()));
}

void a_repository_outlives_its_client_and_moves(const std::string &address)
{
    auto repository = ocireg::client().repository(address);
    auto moved = std::move(repository);
    CHECK(moved.upload_blob("after its client").size() == 16);
    CHECK_ERROR(repository.upload_blob("after its move"), OCIREG_E_INVALID_ARGUMENT, "NULL");
    CHECK(repository.address().empty());
    repository = std::move(moved);
    CHECK(repository.address() == address);
}

void what_is_in_another_repository_is_mounted(const ocireg::client &client, const std::string &registry,
                                              const std::string &name)
{
    const auto from = client.repository(registry + "/" + name + "/from");
    const auto to = client.repository(registry + "/" + name + "/to");
    const auto blob = from.upload_blob("to be mounted");
    CHECK(!to.blob_exists(blob.digest()));

    ocireg::blob_options options;
    options.known = {blob.digest(), blob.size()};
    options.mount_from = name + "/from";
    int reads = 0;
    const auto unread = ocireg::source::sized_reader(
        [&](std::uint8_t *, std::size_t) {
            ++reads;
            return std::size_t{0};
        },
        blob.size());
    CHECK(to.upload_blob(unread, options).digest() == blob.digest());
    CHECK(reads == 0);
    CHECK(to.blob_exists(blob.digest()));
}

void a_manifest_whose_blobs_are_missing_is_refused_by_the_registry(const ocireg::repository &repository)
{
    const ocireg::descriptor missing(ocireg::media_type::image_layer, ocireg::hasher().update("missing").digest(), 7);
    const auto config = repository.upload_blob("{}").with_media_type(ocireg::media_type::image_config);
    try {
        (void)repository.upload_manifest(ocireg::manifest(config).layer(missing), {"missing"});
        CHECK(false);
    } catch (const ocireg::error &error) {
        CHECK(error.http_status() >= 400 && error.http_status() < 500);
        CHECK(error.registry_code().find("UNKNOWN") != std::string::npos);
        CHECK(error.registry_errors().at(0).code == error.registry_code());
        CHECK(error.request().rfind("PUT http://", 0) == 0);
        CHECK(error.target() == repository.address() + ":missing");
    }
}

void verbs(const ocireg::client &client, const std::string &address, const std::filesystem::path &directory)
{
    const auto repository = client.repository(address);
    CHECK(repository.address() == address);
    the_sample_has_the_digest_that_it_has_everywhere(repository);
    a_repository_outlives_its_client_and_moves(address);
    sources(repository, directory);
    documents(repository);
    bad_input(client, repository, directory);
    CHECK(repository.upload_blob("and goes on").size() == 11);
}

} // namespace

int main(int argc, char **argv)
try {
    if (argc < 2)
        return 2;
    const std::filesystem::path directory = argv[1];
    const ocireg::client client;

    the_library_and_the_header_are_of_one_version();
    every_status_of_the_header_has_its_name();
    verbs(client, "oci-layout:" + (directory / "layout").string(), directory);
    if (argc > 2 && std::strcmp(argv[2], "-") != 0) {
        const std::string name = "cpp/" + directory.filename().string();
        verbs(client, std::string(argv[2]) + "/" + name, directory);
        what_is_in_another_repository_is_mounted(client, argv[2], name);
        a_manifest_whose_blobs_are_missing_is_refused_by_the_registry(
            client.repository(std::string(argv[2]) + "/" + name));
    }
    if (argc > 3)
        bad_answers(argv[3]);
    if (argc > 5)
        bad_certificates(argv[4], argv[5]);
    return failures == 0 ? 0 : 1;
} catch (const std::exception &error) {
    std::cerr << "unexpected: " << error.what() << "\n";
    return 1;
}
