// Descriptors, manifests, indexes, digests and references.
#include "checks.hpp"
#include "ocireg.hpp"

namespace {

void an_artifact_refers_to_its_subject(const ocireg::repository &repository)
{
    const auto subject = repository.upload_manifest(ocireg::manifest::artifact("application/vnd.example.one"));
    const auto base = ocireg::manifest::artifact("application/vnd.example.two");
    const auto blob = repository.upload_blob("x").with_annotation(ocireg::annotation::title, "x.txt");
    const auto changed = base.with_subject(subject).layer(blob).with_annotation("key", "value");
    CHECK(!base.subject() && base.layers().empty() && base.annotations().empty());
    CHECK(repository.upload_manifest(changed, {"one", "two"}).digest() == changed.descriptor().digest());

    const auto read = ocireg::manifest::from_bytes(changed.to_bytes());
    CHECK(read.media_type() == ocireg::media_type::image_manifest);
    CHECK(read.artifact_type() == "application/vnd.example.two");
    CHECK(read.config().media_type() == ocireg::media_type::empty);
    CHECK(read.subject()->digest() == subject.digest());
    CHECK(read.layers().size() == 1 && read.layers().at(0).annotation(ocireg::annotation::title) == "x.txt");
    CHECK(read.annotation("key") == "value" && !read.annotation("other"));
    CHECK(base.with_layers({blob, blob}).layers().size() == 2);
    CHECK(base.with_artifact_type("application/vnd.example.three").artifact_type() == "application/vnd.example.three");
}

void an_index_lists_manifests(const ocireg::repository &repository)
{
    const auto child = repository.upload_manifest(ocireg::manifest::artifact("application/vnd.example.thing"));
    ocireg::platform platform{"linux", "arm64"};
    platform.variant = "v8";
    platform.os_version = "6.1";
    platform.os_features = {"one", "two"};
    const auto index = ocireg::index()
                           .manifest(child.with_platform(platform))
                           .with_manifests({child})
                           .with_subject(child)
                           .with_artifact_type("application/vnd.example.all")
                           .with_annotation(ocireg::annotation::title, "an index");
    const auto uploaded = repository.upload_manifest(index, {"all", "also"});
    CHECK(uploaded.media_type() == ocireg::media_type::image_index);
    CHECK(uploaded.digest() == index.descriptor().digest());

    const auto read = ocireg::index::from_bytes(index.to_bytes());
    CHECK(read.media_type() == ocireg::media_type::image_index);
    CHECK(read.artifact_type() == "application/vnd.example.all");
    CHECK(read.manifests().size() == 2 && !read.manifests().at(1).platform());
    const auto runs_on = read.manifests().at(0).platform();
    CHECK(runs_on && runs_on->os == "linux" && runs_on->architecture == "arm64" && runs_on->variant == "v8");
    CHECK(runs_on && runs_on->os_version == "6.1" && runs_on->os_features == platform.os_features);
    CHECK(read.annotation(ocireg::annotation::title) == "an index" && read.annotations().size() == 1);
    CHECK(read.subject()->digest() == child.digest());
}

void received_documents_keep_their_bytes(const ocireg::repository &repository)
{
    const std::string bytes = R"({ "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [], "own": 1 })";
    const auto uploaded = repository.upload_manifest(ocireg::media_type::image_index, bytes, {"raw"});
    CHECK(uploaded.digest() == ocireg::hasher().update(bytes).digest());
    CHECK(ocireg::index::from_bytes(bytes).to_bytes() == bytes);
    CHECK(repository.upload_manifest(ocireg::index::from_bytes(bytes)).digest() == uploaded.digest());
    const auto changed = ocireg::index::from_bytes(bytes).with_annotation("a", "b").to_bytes();
    CHECK(changed.find("\"own\":1") != std::string::npos);
}

void a_descriptor_is_a_value()
{
    const auto digest = ocireg::hasher().update("{}").digest();
    const ocireg::descriptor base(ocireg::media_type::octet_stream, digest, 2);
    const auto rich = base.with_urls({"https://example.com/x"})
                          .with_data("{}")
                          .with_artifact_type("application/vnd.example.thing")
                          .with_annotation("a", "b");
    const auto read = ocireg::descriptor::from_json(rich.to_json());
    CHECK(read.to_json() == rich.to_json());
    CHECK(read.urls() == rich.urls() && read.data() == "{}" && read.artifact_type() == rich.artifact_type());
    CHECK(read.annotations().at("a") == "b" && read.size() == 2 && read.digest() == digest);
    CHECK(base.urls().empty() && !base.data() && !base.artifact_type() && !base.platform());
    CHECK(ocireg::descriptor::empty().digest() == digest);

    auto copy = rich;
    auto moved = std::move(copy);
    const auto empty = copy;
    CHECK(empty.digest().empty() && empty.size() == 0 && moved.digest() == digest);
    CHECK_ERROR(copy.with_media_type("a/b"), OCIREG_E_INVALID_ARGUMENT, "NULL");
    copy = moved;
    moved = std::move(copy);
    CHECK(moved.digest() == digest);
}

void references_are_taken_apart()
{
    const ocireg::reference tagged("Registry.example:5000/a/b:tag");
    CHECK(tagged.address() == "registry.example:5000/a/b" && tagged.tag() == "tag" && !tagged.digest());
    const auto digest = ocireg::hasher().update("{}").digest();
    const ocireg::reference exact("host/name@" + digest);
    CHECK(exact.address() == "host/name" && !exact.tag() && exact.digest() == digest);
}

void a_hasher_ends_with_its_digest()
{
    ocireg::hasher hasher;
    hasher.update("{").update("}");
    CHECK(hasher.digest() == ocireg::descriptor::empty().digest());
    CHECK_ERROR(hasher.update("more"), OCIREG_E_INVALID_ARGUMENT, "digest");
}

} // namespace

void documents(const ocireg::repository &repository)
{
    an_artifact_refers_to_its_subject(repository);
    an_index_lists_manifests(repository);
    received_documents_keep_their_bytes(repository);
    a_descriptor_is_a_value();
    references_are_taken_apart();
    a_hasher_ends_with_its_digest();
}
