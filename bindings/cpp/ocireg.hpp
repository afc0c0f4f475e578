/// \file
/// The OCI registry client that you can link, for C++17: one header over `ocireg.h`.
///
///     ocireg::client client;
///     auto repository = client.repository("myregistry.azurecr.io/sample-artifact");
///
///     auto config = repository.upload_blob("Sample config");
///     auto layer = repository.upload_blob(std::filesystem::path("layer.tar"));
///
///     auto manifest = ocireg::manifest(config.with_media_type(ocireg::media_type::image_config));
///     manifest.layer(layer.with_media_type(ocireg::media_type::image_layer));
///     std::cout << repository.upload_manifest(manifest, {"demo"}).digest() << "\n";
///
/// What fails throws `ocireg::error`. Objects own what they hold; text and bytes are returned by value. Threads and
/// everything else that is not said here: as in `ocireg.h`.
#ifndef OCIREG_HPP
#define OCIREG_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <istream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ocireg.h"

namespace ocireg {

/// Media types of image-spec, and Docker's.
namespace media_type {
inline constexpr const char *descriptor = OCIREG_MEDIA_TYPE_DESCRIPTOR;
inline constexpr const char *image_manifest = OCIREG_MEDIA_TYPE_IMAGE_MANIFEST;
inline constexpr const char *image_index = OCIREG_MEDIA_TYPE_IMAGE_INDEX;
inline constexpr const char *image_config = OCIREG_MEDIA_TYPE_IMAGE_CONFIG;
inline constexpr const char *image_layer = OCIREG_MEDIA_TYPE_IMAGE_LAYER;
inline constexpr const char *image_layer_gzip = OCIREG_MEDIA_TYPE_IMAGE_LAYER_GZIP;
inline constexpr const char *image_layer_zstd = OCIREG_MEDIA_TYPE_IMAGE_LAYER_ZSTD;
inline constexpr const char *empty = OCIREG_MEDIA_TYPE_EMPTY;
inline constexpr const char *layout_header = OCIREG_MEDIA_TYPE_LAYOUT_HEADER;
inline constexpr const char *octet_stream = OCIREG_MEDIA_TYPE_OCTET_STREAM;
inline constexpr const char *docker_manifest = OCIREG_MEDIA_TYPE_DOCKER_MANIFEST;
inline constexpr const char *docker_manifest_list = OCIREG_MEDIA_TYPE_DOCKER_MANIFEST_LIST;
inline constexpr const char *docker_config = OCIREG_MEDIA_TYPE_DOCKER_CONFIG;
inline constexpr const char *docker_layer = OCIREG_MEDIA_TYPE_DOCKER_LAYER;
} // namespace media_type

/// Keys of annotations that image-spec defines.
namespace annotation {
inline constexpr const char *created = OCIREG_ANNOTATION_CREATED;
inline constexpr const char *authors = OCIREG_ANNOTATION_AUTHORS;
inline constexpr const char *url = OCIREG_ANNOTATION_URL;
inline constexpr const char *documentation = OCIREG_ANNOTATION_DOCUMENTATION;
inline constexpr const char *source = OCIREG_ANNOTATION_SOURCE;
inline constexpr const char *version = OCIREG_ANNOTATION_VERSION;
inline constexpr const char *revision = OCIREG_ANNOTATION_REVISION;
inline constexpr const char *vendor = OCIREG_ANNOTATION_VENDOR;
inline constexpr const char *licenses = OCIREG_ANNOTATION_LICENSES;
inline constexpr const char *ref_name = OCIREG_ANNOTATION_REF_NAME;
inline constexpr const char *title = OCIREG_ANNOTATION_TITLE;
inline constexpr const char *description = OCIREG_ANNOTATION_DESCRIPTION;
inline constexpr const char *base_digest = OCIREG_ANNOTATION_BASE_DIGEST;
inline constexpr const char *base_name = OCIREG_ANNOTATION_BASE_NAME;
} // namespace annotation

/// One entry of the `errors` list in a registry's answer.
struct registry_error {
    std::string code;
    std::string message;
    std::string detail;
};

/// Why a call failed. `what()` is one line with the operation, its target and the reason.
class error : public std::runtime_error {
public:
    /// Takes the error over.
    explicit error(ocireg_error *raw)
        : std::runtime_error(ocireg_error_message(raw)), raw_(raw, ocireg_error_free)
    {
    }

    /// One of `OCIREG_E_…`: the part to decide by.
    ocireg_status status() const noexcept { return ocireg_error_status(raw_.get()); }
    /// Such as `OCIREG_E_NOT_FOUND`.
    std::string status_name() const { return text(ocireg_status_name(status())); }
    /// What was being done, such as `upload blob`.
    std::string operation() const { return text(ocireg_error_operation(raw_.get())); }
    /// What it was done to.
    std::string target() const { return text(ocireg_error_target(raw_.get())); }
    /// Method and URL, without query, of the HTTP request that failed; empty when the failure was local.
    std::string request() const { return text(ocireg_error_request(raw_.get())); }
    /// Of the registry's answer; 0 when there was none.
    std::uint32_t http_status() const noexcept { return ocireg_error_http_status(raw_.get()); }
    /// Every error in the registry's answer.
    std::vector<registry_error> registry_errors() const
    {
        std::vector<registry_error> all;
        for (std::size_t i = 0; i < ocireg_error_registry_count(raw_.get()); ++i)
            all.push_back({text(ocireg_error_registry_code(raw_.get(), i)),
                           text(ocireg_error_registry_message(raw_.get(), i)),
                           text(ocireg_error_registry_detail(raw_.get(), i))});
        return all;
    }
    /// Whether the same call can succeed later with nothing changed.
    bool is_retryable() const noexcept { return ocireg_error_is_retryable(raw_.get()); }
    /// How long the registry asked to wait before another try.
    std::optional<std::chrono::milliseconds> retry_after() const
    {
        const std::uint64_t ms = ocireg_error_retry_after_ms(raw_.get());
        if (ms == OCIREG_UNKNOWN)
            return std::nullopt;
        return std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(ms));
    }
    /// What a callback of `ocireg.h` returned to end the call; 0 when none did.
    std::int32_t callback_result() const noexcept { return ocireg_error_callback_result(raw_.get()); }

private:
    static std::string text(const char *borrowed) { return borrowed == nullptr ? "" : borrowed; }

    // Shared, since exceptions are copied; an error never changes.
    std::shared_ptr<ocireg_error> raw_;
};

namespace detail {

/// Owns an object of the C library.
template <class T, void (*Free)(T *)>
struct deleter {
    void operator()(T *raw) const noexcept { Free(raw); }
};
template <class T, void (*Free)(T *)>
using handle = std::unique_ptr<T, deleter<T, Free>>;

/// Runs `f(&err)` and throws the error.
template <class F>
void check(F f)
{
    ocireg_error *err = nullptr;
    if (f(&err) != OCIREG_OK)
        throw error(err);
}

/// Runs `f(&out, &err)` and returns what it gives.
template <class T, class F>
T *make(F f)
{
    T *out = nullptr;
    check([&](ocireg_error **err) { return f(&out, err); });
    return out;
}

/// What a `_new` or `_clone` without error gives; NULL only after a fault of the library.
template <class T>
T *present(T *raw)
{
    if (raw == nullptr)
        throw std::runtime_error("ocireg: a fault inside the library");
    return raw;
}

inline std::string text(const char *borrowed)
{
    return borrowed == nullptr ? "" : borrowed;
}

inline std::optional<std::string> optional_text(const char *borrowed)
{
    return borrowed == nullptr ? std::nullopt : std::optional<std::string>(borrowed);
}

inline const std::uint8_t *bytes(std::string_view data) noexcept
{
    return reinterpret_cast<const std::uint8_t *>(data.data());
}

using raw_bytes = handle<ocireg_bytes, ocireg_bytes_free>;

inline std::string take(ocireg_bytes *raw)
{
    const raw_bytes owned(raw);
    const auto *data = reinterpret_cast<const char *>(ocireg_bytes_data(owned.get()));
    return data == nullptr ? std::string() : std::string(data, ocireg_bytes_len(owned.get()));
}

inline std::vector<const char *> pointers(const std::vector<std::string> &texts)
{
    std::vector<const char *> raw;
    for (const auto &one : texts)
        raw.push_back(one.c_str());
    return raw;
}

template <class T>
std::map<std::string, std::string> annotations(const T *raw, std::size_t count,
                                               bool (*at)(const T *, std::size_t, const char **, const char **))
{
    std::map<std::string, std::string> all;
    for (std::size_t i = 0; i < count; ++i) {
        const char *key = nullptr;
        const char *value = nullptr;
        if (at(raw, i, &key, &value))
            all.emplace(text(key), text(value));
    }
    return all;
}

} // namespace detail

/// Version of the library that is loaded.
inline std::string version()
{
    return detail::text(ocireg_version());
}

/// The same as one number, as `OCIREG_VERSION_NUMBER` has it for the header.
inline std::uint32_t version_number() noexcept
{
    return ocireg_version_number();
}

/// How a digest is computed.
enum class algorithm : ocireg_algorithm {
    sha256 = OCIREG_ALGORITHM_SHA256,
    sha512 = OCIREG_ALGORITHM_SHA512,
};

/// Computes a digest from pieces.
class hasher {
public:
    explicit hasher(algorithm which = algorithm::sha256)
        : raw_(detail::make<ocireg_hasher>([&](auto **out, auto **err) {
              return ocireg_hasher_new(static_cast<ocireg_algorithm>(which), out, err);
          }))
    {
    }

    hasher &update(std::string_view data)
    {
        detail::check([&](auto **err) {
            return ocireg_hasher_update(raw_.get(), detail::bytes(data), data.size(), err);
        });
        return *this;
    }

    /// The digest of everything so far, such as `sha256:…`.
    std::string digest() const { return detail::text(ocireg_hasher_digest(raw_.get())); }

private:
    detail::handle<ocireg_hasher, ocireg_hasher_free> raw_;
};

/// `registry[:port]/repository[:tag][@digest]`, or the same of a layout.
class reference {
public:
    /// Throws `OCIREG_E_INVALID_REFERENCE` or `OCIREG_E_INVALID_DIGEST`.
    explicit reference(const std::string &text)
        : raw_(detail::make<ocireg_reference>(
              [&](auto **out, auto **err) { return ocireg_reference_new(text.c_str(), out, err); }))
    {
    }

    /// What `client::repository` opens.
    std::string address() const { return detail::text(ocireg_reference_address(raw_.get())); }
    std::optional<std::string> tag() const { return detail::optional_text(ocireg_reference_tag(raw_.get())); }
    std::optional<std::string> digest() const { return detail::optional_text(ocireg_reference_digest(raw_.get())); }

private:
    detail::handle<ocireg_reference, ocireg_reference_free> raw_;
};

/// What an entry of an index runs on.
struct platform {
    std::string os;
    std::string architecture;
    std::optional<std::string> variant = std::nullopt;
    std::optional<std::string> os_version = std::nullopt;
    std::vector<std::string> os_features = {};
};

/// What content is: media type, digest, size and more.
class descriptor {
public:
    descriptor(const std::string &media_type, const std::string &digest, std::uint64_t size)
        : raw_(detail::make<ocireg_descriptor>([&](auto **out, auto **err) {
              return ocireg_descriptor_new(media_type.c_str(), digest.c_str(), size, out, err);
          }))
    {
    }

    /// Takes an object of the C library over.
    explicit descriptor(ocireg_descriptor *raw) : raw_(detail::present(raw)) {}
    descriptor(const descriptor &other) : raw_(detail::present(ocireg_descriptor_clone(other.get()))) {}
    descriptor(descriptor &&) noexcept = default;
    descriptor &operator=(descriptor other) noexcept
    {
        raw_ = std::move(other.raw_);
        return *this;
    }
    ~descriptor() = default;

    /// The empty descriptor; its content is `{}`.
    static descriptor empty() { return descriptor(ocireg_descriptor_empty()); }
    static descriptor from_json(std::string_view json)
    {
        return descriptor(detail::make<ocireg_descriptor>([&](auto **out, auto **err) {
            return ocireg_descriptor_from_json(detail::bytes(json), json.size(), out, err);
        }));
    }
    std::string to_json() const
    {
        return detail::take(detail::make<ocireg_bytes>(
            [&](auto **out, auto **err) { return ocireg_descriptor_to_json(get(), out, err); }));
    }

    std::string media_type() const { return detail::text(ocireg_descriptor_media_type(get())); }
    std::string digest() const { return detail::text(ocireg_descriptor_digest(get())); }
    /// In bytes.
    std::uint64_t size() const noexcept { return ocireg_descriptor_size(get()); }
    std::optional<std::string> artifact_type() const
    {
        return detail::optional_text(ocireg_descriptor_artifact_type(get()));
    }
    std::optional<std::string> annotation(const std::string &key) const
    {
        return detail::optional_text(ocireg_descriptor_annotation(get(), key.c_str()));
    }
    std::map<std::string, std::string> annotations() const
    {
        return detail::annotations(get(), ocireg_descriptor_annotation_count(get()), ocireg_descriptor_annotation_at);
    }
    std::vector<std::string> urls() const
    {
        std::vector<std::string> all;
        for (std::size_t i = 0; i < ocireg_descriptor_url_count(get()); ++i)
            all.push_back(detail::text(ocireg_descriptor_url(get(), i)));
        return all;
    }
    /// The content itself, where the descriptor carries it.
    std::optional<std::string> data() const
    {
        std::size_t size = 0;
        const auto *data = reinterpret_cast<const char *>(ocireg_descriptor_data(get(), &size));
        return data == nullptr ? std::nullopt : std::optional<std::string>(std::string(data, size));
    }
    std::optional<ocireg::platform> platform() const
    {
        const auto os = detail::optional_text(ocireg_descriptor_platform_os(get()));
        if (!os)
            return std::nullopt;
        ocireg::platform it{*os, detail::text(ocireg_descriptor_platform_architecture(get()))};
        it.variant = detail::optional_text(ocireg_descriptor_platform_variant(get()));
        it.os_version = detail::optional_text(ocireg_descriptor_platform_os_version(get()));
        for (std::size_t i = 0; i < ocireg_descriptor_platform_os_feature_count(get()); ++i)
            it.os_features.push_back(detail::text(ocireg_descriptor_platform_os_feature(get(), i)));
        return it;
    }

    descriptor with_media_type(const std::string &media_type) const
    {
        return with([&](auto *raw, auto **err) {
            return ocireg_descriptor_set_media_type(raw, media_type.c_str(), err);
        });
    }
    descriptor with_annotation(const std::string &key, const std::string &value) const
    {
        return with([&](auto *raw, auto **err) {
            return ocireg_descriptor_set_annotation(raw, key.c_str(), value.c_str(), err);
        });
    }
    descriptor with_artifact_type(const std::string &artifact_type) const
    {
        return with([&](auto *raw, auto **err) {
            return ocireg_descriptor_set_artifact_type(raw, artifact_type.c_str(), err);
        });
    }
    descriptor with_platform(const ocireg::platform &it) const
    {
        const auto features = detail::pointers(it.os_features);
        return with([&](auto *raw, auto **err) {
            return ocireg_descriptor_set_platform(raw, it.os.c_str(), it.architecture.c_str(),
                                                  it.variant ? it.variant->c_str() : nullptr,
                                                  it.os_version ? it.os_version->c_str() : nullptr, features.data(),
                                                  features.size(), err);
        });
    }
    descriptor with_urls(const std::vector<std::string> &urls) const
    {
        const auto raw_urls = detail::pointers(urls);
        return with([&](auto *raw, auto **err) {
            return ocireg_descriptor_set_urls(raw, raw_urls.data(), raw_urls.size(), err);
        });
    }
    descriptor with_data(std::string_view data) const
    {
        return with([&](auto *raw, auto **err) {
            return ocireg_descriptor_set_data(raw, detail::bytes(data), data.size(), err);
        });
    }

    /// Borrowed.
    const ocireg_descriptor *get() const noexcept { return raw_.get(); }

private:
    template <class F>
    descriptor with(F set) const
    {
        descriptor changed(*this);
        detail::check([&](ocireg_error **err) { return set(changed.raw_.get(), err); });
        return changed;
    }

    detail::handle<ocireg_descriptor, ocireg_descriptor_free> raw_;
};

/// A manifest: a config, layers and more. The setters change it and return it.
class manifest {
public:
    explicit manifest(const descriptor &config)
        : raw_(detail::make<ocireg_manifest>(
              [&](auto **out, auto **err) { return ocireg_manifest_new(config.get(), out, err); }))
    {
    }

    /// Takes an object of the C library over.
    explicit manifest(ocireg_manifest *raw) : raw_(detail::present(raw)) {}
    manifest(const manifest &other) : raw_(detail::present(ocireg_manifest_clone(other.get()))) {}
    manifest(manifest &&) noexcept = default;
    manifest &operator=(manifest other) noexcept
    {
        raw_ = std::move(other.raw_);
        return *this;
    }
    ~manifest() = default;

    /// Of an artifact without a config.
    static manifest artifact(const std::string &artifact_type)
    {
        return manifest(detail::make<ocireg_manifest>([&](auto **out, auto **err) {
            return ocireg_manifest_new_artifact(artifact_type.c_str(), out, err);
        }));
    }
    /// A received one: its exact bytes stay as long as no setter is used.
    static manifest from_bytes(std::string_view bytes)
    {
        return manifest(detail::make<ocireg_manifest>([&](auto **out, auto **err) {
            return ocireg_manifest_from_bytes(detail::bytes(bytes), bytes.size(), out, err);
        }));
    }
    std::string to_bytes() const
    {
        return detail::take(detail::make<ocireg_bytes>(
            [&](auto **out, auto **err) { return ocireg_manifest_to_bytes(get(), out, err); }));
    }
    /// Of the manifest as it would be uploaded.
    ocireg::descriptor descriptor() const
    {
        return read([&](auto **out, auto **err) { return ocireg_manifest_descriptor(get(), out, err); }).value();
    }

    manifest &layer(const ocireg::descriptor &layer)
    {
        return set([&](auto **err) { return ocireg_manifest_add_layer(raw_.get(), layer.get(), err); });
    }
    manifest &with_subject(const ocireg::descriptor &subject)
    {
        return set([&](auto **err) { return ocireg_manifest_set_subject(raw_.get(), subject.get(), err); });
    }
    manifest &with_annotation(const std::string &key, const std::string &value)
    {
        return set([&](auto **err) {
            return ocireg_manifest_set_annotation(raw_.get(), key.c_str(), value.c_str(), err);
        });
    }
    manifest &with_artifact_type(const std::string &artifact_type)
    {
        return set([&](auto **err) {
            return ocireg_manifest_set_artifact_type(raw_.get(), artifact_type.c_str(), err);
        });
    }

    std::string media_type() const { return detail::text(ocireg_manifest_media_type(get())); }
    std::optional<std::string> artifact_type() const
    {
        return detail::optional_text(ocireg_manifest_artifact_type(get()));
    }
    ocireg::descriptor config() const
    {
        return read([&](auto **out, auto **err) { return ocireg_manifest_config(get(), out, err); }).value();
    }
    std::vector<ocireg::descriptor> layers() const
    {
        std::vector<ocireg::descriptor> all;
        for (std::size_t i = 0; i < ocireg_manifest_layer_count(get()); ++i)
            all.push_back(
                read([&](auto **out, auto **err) { return ocireg_manifest_layer(get(), i, out, err); }).value());
        return all;
    }
    std::optional<ocireg::descriptor> subject() const
    {
        return read([&](auto **out, auto **err) { return ocireg_manifest_subject(get(), out, err); });
    }
    std::optional<std::string> annotation(const std::string &key) const
    {
        return detail::optional_text(ocireg_manifest_annotation(get(), key.c_str()));
    }
    std::map<std::string, std::string> annotations() const
    {
        return detail::annotations(get(), ocireg_manifest_annotation_count(get()), ocireg_manifest_annotation_at);
    }

    /// Borrowed.
    const ocireg_manifest *get() const noexcept { return raw_.get(); }

private:
    template <class F>
    manifest &set(F f)
    {
        detail::check(f);
        return *this;
    }
    template <class F>
    static std::optional<ocireg::descriptor> read(F f)
    {
        auto *raw = detail::make<ocireg_descriptor>(f);
        return raw == nullptr ? std::nullopt : std::optional<ocireg::descriptor>(ocireg::descriptor(raw));
    }

    detail::handle<ocireg_manifest, ocireg_manifest_free> raw_;
};

/// An index: a list of manifests. The setters change it and return it.
class index {
public:
    index() : raw_(detail::present(ocireg_index_new())) {}

    /// Takes an object of the C library over.
    explicit index(ocireg_index *raw) : raw_(detail::present(raw)) {}
    index(const index &other) : raw_(detail::present(ocireg_index_clone(other.get()))) {}
    index(index &&) noexcept = default;
    index &operator=(index other) noexcept
    {
        raw_ = std::move(other.raw_);
        return *this;
    }
    ~index() = default;

    /// A received one: its exact bytes stay as long as no setter is used.
    static index from_bytes(std::string_view bytes)
    {
        return index(detail::make<ocireg_index>([&](auto **out, auto **err) {
            return ocireg_index_from_bytes(detail::bytes(bytes), bytes.size(), out, err);
        }));
    }
    std::string to_bytes() const
    {
        return detail::take(detail::make<ocireg_bytes>(
            [&](auto **out, auto **err) { return ocireg_index_to_bytes(get(), out, err); }));
    }
    /// Of the index as it would be uploaded.
    ocireg::descriptor descriptor() const
    {
        return read([&](auto **out, auto **err) { return ocireg_index_descriptor(get(), out, err); }).value();
    }

    index &manifest(const ocireg::descriptor &manifest)
    {
        return set([&](auto **err) { return ocireg_index_add_manifest(raw_.get(), manifest.get(), err); });
    }
    index &with_subject(const ocireg::descriptor &subject)
    {
        return set([&](auto **err) { return ocireg_index_set_subject(raw_.get(), subject.get(), err); });
    }
    index &with_annotation(const std::string &key, const std::string &value)
    {
        return set(
            [&](auto **err) { return ocireg_index_set_annotation(raw_.get(), key.c_str(), value.c_str(), err); });
    }
    index &with_artifact_type(const std::string &artifact_type)
    {
        return set(
            [&](auto **err) { return ocireg_index_set_artifact_type(raw_.get(), artifact_type.c_str(), err); });
    }

    std::string media_type() const { return detail::text(ocireg_index_media_type(get())); }
    std::optional<std::string> artifact_type() const
    {
        return detail::optional_text(ocireg_index_artifact_type(get()));
    }
    std::vector<ocireg::descriptor> manifests() const
    {
        std::vector<ocireg::descriptor> all;
        for (std::size_t i = 0; i < ocireg_index_manifest_count(get()); ++i)
            all.push_back(
                read([&](auto **out, auto **err) { return ocireg_index_manifest(get(), i, out, err); }).value());
        return all;
    }
    std::optional<ocireg::descriptor> subject() const
    {
        return read([&](auto **out, auto **err) { return ocireg_index_subject(get(), out, err); });
    }
    std::optional<std::string> annotation(const std::string &key) const
    {
        return detail::optional_text(ocireg_index_annotation(get(), key.c_str()));
    }
    std::map<std::string, std::string> annotations() const
    {
        return detail::annotations(get(), ocireg_index_annotation_count(get()), ocireg_index_annotation_at);
    }

    /// Borrowed.
    const ocireg_index *get() const noexcept { return raw_.get(); }

private:
    template <class F>
    index &set(F f)
    {
        detail::check(f);
        return *this;
    }
    template <class F>
    static std::optional<ocireg::descriptor> read(F f)
    {
        auto *raw = detail::make<ocireg_descriptor>(f);
        return raw == nullptr ? std::nullopt : std::optional<ocireg::descriptor>(ocireg::descriptor(raw));
    }

    detail::handle<ocireg_index, ocireg_index_free> raw_;
};

/// What a transfer is doing.
enum class phase : ocireg_phase {
    hashing = OCIREG_PHASE_HASHING,
    uploading = OCIREG_PHASE_UPLOADING,
};

/// The state of a transfer; lives as long as the callback that gets it runs.
class progress {
public:
    explicit progress(const ocireg_progress *raw) noexcept : raw_(raw) {}

    ocireg::phase phase() const noexcept { return static_cast<ocireg::phase>(ocireg_progress_phase(raw_)); }
    std::uint64_t bytes_done() const noexcept { return ocireg_progress_bytes_done(raw_); }
    /// Of the blob, in bytes; nothing for a reader of unknown length.
    std::optional<std::uint64_t> total() const noexcept
    {
        const auto total = ocireg_progress_total(raw_);
        return total == OCIREG_UNKNOWN ? std::nullopt : std::optional<std::uint64_t>(total);
    }
    /// Once it is known.
    std::optional<std::string> digest() const { return detail::optional_text(ocireg_progress_digest(raw_)); }
    std::uint32_t attempt() const noexcept { return ocireg_progress_attempt(raw_); }

private:
    const ocireg_progress *raw_;
};

/// What can be said about one blob upload; see `ocireg_blob_options_…`.
struct blob_options {
    /// Digest and size that are known already. Where the blob is there, the source is not read.
    std::optional<std::pair<std::string, std::uint64_t>> known = std::nullopt;
    /// Name of another repository at the same registry that may have the blob.
    std::string mount_from = {};
    ocireg::algorithm algorithm = ocireg::algorithm::sha256;
    /// Called on this thread; `false` ends the upload with `OCIREG_E_ABORTED`, and so does what it throws, which
    /// then leaves `upload_blob`.
    std::function<bool(const ocireg::progress &)> progress = {};
};

/// What can be said about one manifest upload.
struct manifest_options {
    /// A tag that exists and points elsewhere is `OCIREG_E_TAG_CONFLICT`, and not moved.
    bool keep_existing_tags = false;
};

/// What a blob is read from. Text and bytes are borrowed until the upload is over.
class source {
public:
    /// Fills the buffer and returns how many bytes it wrote; 0 at the end. What it throws leaves `upload_blob`.
    using read_function = std::function<std::size_t(std::uint8_t *buffer, std::size_t capacity)>;

    /// The text itself, not a path.
    source(const char *text) : data_(text) {}
    source(std::string_view bytes) : data_(bytes) {}
    source(const std::string &bytes) : data_(bytes) {}
    /// The file at this path.
    template <class Path, std::enable_if_t<std::is_same_v<std::decay_t<Path>, std::filesystem::path>, int> = 0>
    source(Path &&path) : path_(std::forward<Path>(path))
    {
    }
    /// A stream from where it stands to its end; opened in binary mode. One that cannot seek is read once.
    source(std::istream &stream)
    {
        stream.clear();
        const auto start = stream.tellg();
        if (start != std::istream::pos_type(-1) && stream.seekg(0, std::ios::end)) {
            size_ = static_cast<std::uint64_t>(stream.tellg() - start);
            stream.seekg(start);
            seek_ = [&stream, start](std::uint64_t offset) {
                stream.clear();
                stream.seekg(start + static_cast<std::istream::off_type>(offset));
                if (!stream)
                    throw std::ios_base::failure("the stream cannot seek");
            };
        }
        stream.clear();
        read_ = [&stream](std::uint8_t *buffer, std::size_t capacity) {
            stream.read(reinterpret_cast<char *>(buffer), static_cast<std::streamsize>(capacity));
            if (stream.bad())
                throw std::ios_base::failure("the stream cannot be read");
            return static_cast<std::size_t>(stream.gcount());
        };
    }
    /// A reader that can be read once; `size` where it is known.
    explicit source(read_function read, std::optional<std::uint64_t> size = std::nullopt)
        : read_(std::move(read)), size_(size)
    {
    }

private:
    friend class repository;

    std::string_view data_;
    std::optional<std::filesystem::path> path_;
    read_function read_;
    std::function<void(std::uint64_t)> seek_;
    std::optional<std::uint64_t> size_;
};

/// A place that holds blobs and manifests, opened by `client::repository`. May be used from several threads at once.
class repository {
public:
    /// Takes an object of the C library over.
    explicit repository(ocireg_repository *raw) : raw_(detail::present(raw)) {}

    std::string address() const { return detail::text(ocireg_repository_address(raw_.get())); }

    /// Uploads one blob unless it is there, and returns its descriptor.
    descriptor upload_blob(const source &from, const blob_options &options = {}) const
    {
        call_state state{&from, &options, nullptr};
        const auto raw_options = make_options(state);
        ocireg_descriptor *out = nullptr;
        ocireg_error *err = nullptr;
        ocireg_status status = OCIREG_OK;
        if (from.path_) {
            const auto path = from.path_->string();
            status = ocireg_repository_upload_blob_file(raw_.get(), path.c_str(), raw_options.get(), &out, &err);
        } else if (from.read_) {
            ocireg_reader reader = OCIREG_READER_INIT;
            reader.user = &state;
            reader.read = read_trampoline;
            reader.seek = from.seek_ ? seek_trampoline : nullptr;
            reader.size = from.size_.value_or(OCIREG_UNKNOWN);
            status = ocireg_repository_upload_blob_reader(raw_.get(), &reader, raw_options.get(), &out, &err);
        } else {
            status = ocireg_repository_upload_blob(raw_.get(), detail::bytes(from.data_), from.data_.size(),
                                                   raw_options.get(), &out, &err);
        }
        if (state.thrown) {
            ocireg_error_free(err);
            ocireg_descriptor_free(out);
            std::rethrow_exception(state.thrown);
        }
        if (status != OCIREG_OK)
            throw error(err);
        return descriptor(out);
    }

    /// Whether the repository has a blob with this digest.
    bool blob_exists(const std::string &digest) const
    {
        bool exists = false;
        detail::check([&](auto **err) {
            return ocireg_repository_blob_exists(raw_.get(), digest.c_str(), &exists, err);
        });
        return exists;
    }

    /// Uploads a manifest under these tags, or by its digest alone, and returns its descriptor.
    descriptor upload_manifest(const manifest &it, const std::vector<std::string> &tags = {},
                               manifest_options options = {}) const
    {
        return upload(tags, options, [&](auto *raw_tags, auto count, auto *raw_options, auto **out, auto **err) {
            return ocireg_repository_upload_manifest(raw_.get(), it.get(), raw_tags, count, raw_options, out, err);
        });
    }
    descriptor upload_manifest(const index &it, const std::vector<std::string> &tags = {},
                               manifest_options options = {}) const
    {
        return upload(tags, options, [&](auto *raw_tags, auto count, auto *raw_options, auto **out, auto **err) {
            return ocireg_repository_upload_index(raw_.get(), it.get(), raw_tags, count, raw_options, out, err);
        });
    }
    /// Exactly these bytes.
    descriptor upload_manifest(const std::string &media_type, std::string_view bytes,
                               const std::vector<std::string> &tags = {}, manifest_options options = {}) const
    {
        return upload(tags, options, [&](auto *raw_tags, auto count, auto *raw_options, auto **out, auto **err) {
            return ocireg_repository_upload_manifest_bytes(raw_.get(), media_type.c_str(), detail::bytes(bytes),
                                                           bytes.size(), raw_tags, count, raw_options, out, err);
        });
    }

private:
    using raw_blob_options = detail::handle<ocireg_blob_options, ocireg_blob_options_free>;
    using raw_manifest_options = detail::handle<ocireg_manifest_options, ocireg_manifest_options_free>;

    /// What the trampolines need; an exception waits here until the C frames are left.
    struct call_state {
        const source *from;
        const blob_options *options;
        std::exception_ptr thrown;
    };

    static constexpr std::int32_t go_on = 0;
    static constexpr std::int32_t end = 1;

    static std::int32_t read_trampoline(void *user, std::uint8_t *buffer, std::size_t capacity,
                                        std::size_t *out_n) noexcept
    {
        auto &state = *static_cast<call_state *>(user);
        try {
            *out_n = state.from->read_(buffer, capacity);
            return go_on;
        } catch (...) {
            state.thrown = std::current_exception();
            return end;
        }
    }

    static std::int32_t seek_trampoline(void *user, std::uint64_t offset) noexcept
    {
        auto &state = *static_cast<call_state *>(user);
        try {
            state.from->seek_(offset);
            return go_on;
        } catch (...) {
            state.thrown = std::current_exception();
            return end;
        }
    }

    static std::int32_t progress_trampoline(void *user, const ocireg_progress *raw) noexcept
    {
        auto &state = *static_cast<call_state *>(user);
        try {
            return state.options->progress(ocireg::progress(raw)) ? go_on : end;
        } catch (...) {
            state.thrown = std::current_exception();
            return end;
        }
    }

    static raw_blob_options make_options(call_state &state)
    {
        const auto &options = *state.options;
        raw_blob_options raw(detail::present(ocireg_blob_options_new()));
        if (options.known)
            detail::check([&](auto **err) {
                return ocireg_blob_options_set_known(raw.get(), options.known->first.c_str(), options.known->second,
                                                     err);
            });
        if (!options.mount_from.empty())
            detail::check([&](auto **err) {
                return ocireg_blob_options_set_mount_from(raw.get(), options.mount_from.c_str(), err);
            });
        detail::check([&](auto **err) {
            return ocireg_blob_options_set_algorithm(raw.get(), static_cast<ocireg_algorithm>(options.algorithm), err);
        });
        if (options.progress)
            detail::check([&](auto **err) {
                return ocireg_blob_options_set_progress(raw.get(), progress_trampoline, &state, err);
            });
        return raw;
    }

    template <class F>
    descriptor upload(const std::vector<std::string> &tags, manifest_options options, F f) const
    {
        const raw_manifest_options raw(detail::present(ocireg_manifest_options_new()));
        detail::check([&](auto **err) {
            return ocireg_manifest_options_set_keep_existing_tags(raw.get(), options.keep_existing_tags, err);
        });
        const auto raw_tags = detail::pointers(tags);
        return descriptor(detail::make<ocireg_descriptor>(
            [&](auto **out, auto **err) { return f(raw_tags.data(), raw_tags.size(), raw.get(), out, err); }));
    }

    detail::handle<ocireg_repository, ocireg_repository_free> raw_;
};

/// Which certificate authorities are trusted, before those of a CA file.
enum class trust_roots : ocireg_trust_roots {
    system = OCIREG_TRUST_ROOTS_SYSTEM,
    system_only = OCIREG_TRUST_ROOTS_SYSTEM_ONLY,
    bundled = OCIREG_TRUST_ROOTS_BUNDLED,
    given = OCIREG_TRUST_ROOTS_GIVEN,
};

/// The settings of a client; what is not set has the default that `ocireg_client_options_…` says.
struct client_options {
    std::optional<std::string> user_agent = std::nullopt;
    std::optional<std::chrono::milliseconds> connect_timeout = std::nullopt;
    std::optional<std::chrono::milliseconds> read_timeout = std::nullopt;
    std::optional<std::chrono::milliseconds> write_timeout = std::nullopt;
    std::optional<std::chrono::milliseconds> commit_timeout = std::nullopt;
    ocireg::trust_roots trust_roots = ocireg::trust_roots::system;
    std::vector<std::filesystem::path> ca_files = {};
    /// Certificate and key, PEM files.
    std::optional<std::pair<std::filesystem::path, std::filesystem::path>> client_certificate = std::nullopt;
    std::optional<std::uint64_t> chunk_size = std::nullopt;
    bool danger_accept_invalid_certificates = false;
    /// User name and password.
    std::optional<std::pair<std::string, std::string>> basic_auth = std::nullopt;
    std::optional<std::uint32_t> attempts = std::nullopt;
};

/// Settings, credentials and connections, shared by the repositories that it opens. May be used from several threads
/// at once; one for a whole program is best.
class client {
public:
    explicit client(const client_options &options = {})
    {
        const auto raw = make_options(options);
        raw_.reset(detail::make<ocireg_client>(
            [&](auto **out, auto **err) { return ocireg_client_new(raw.get(), out, err); }));
    }

    /// Opens a repository by its address; nothing is sent yet.
    ocireg::repository repository(const std::string &address) const
    {
        return ocireg::repository(detail::make<ocireg_repository>(
            [&](auto **out, auto **err) { return ocireg_client_repository(raw_.get(), address.c_str(), out, err); }));
    }

private:
    using raw_options = detail::handle<ocireg_client_options, ocireg_client_options_free>;
    using setter_ms = ocireg_status (*)(ocireg_client_options *, std::uint64_t, ocireg_error **);

    static raw_options make_options(const client_options &options)
    {
        raw_options raw(detail::present(ocireg_client_options_new()));
        auto *it = raw.get();
        if (options.user_agent)
            detail::check([&](auto **err) {
                return ocireg_client_options_set_user_agent(it, options.user_agent->c_str(), err);
            });
        set(it, options.connect_timeout, ocireg_client_options_set_connect_timeout_ms);
        set(it, options.read_timeout, ocireg_client_options_set_read_timeout_ms);
        set(it, options.write_timeout, ocireg_client_options_set_write_timeout_ms);
        set(it, options.commit_timeout, ocireg_client_options_set_commit_timeout_ms);
        detail::check([&](auto **err) {
            return ocireg_client_options_set_trust_roots(it, static_cast<ocireg_trust_roots>(options.trust_roots),
                                                         err);
        });
        for (const auto &path : options.ca_files)
            detail::check(
                [&](auto **err) { return ocireg_client_options_add_ca_file(it, path.string().c_str(), err); });
        if (options.client_certificate)
            detail::check([&](auto **err) {
                return ocireg_client_options_set_client_certificate(
                    it, options.client_certificate->first.string().c_str(),
                    options.client_certificate->second.string().c_str(), err);
            });
        if (options.chunk_size)
            detail::check(
                [&](auto **err) { return ocireg_client_options_set_chunk_size(it, *options.chunk_size, err); });
        detail::check([&](auto **err) {
            return ocireg_client_options_set_danger_accept_invalid_certificates(
                it, options.danger_accept_invalid_certificates, err);
        });
        if (options.basic_auth)
            detail::check([&](auto **err) {
                return ocireg_client_options_set_basic_auth(it, options.basic_auth->first.c_str(),
                                                            options.basic_auth->second.c_str(), err);
            });
        if (options.attempts)
            detail::check([&](auto **err) { return ocireg_client_options_set_attempts(it, *options.attempts, err); });
        return raw;
    }

    static void set(ocireg_client_options *it, std::optional<std::chrono::milliseconds> limit, setter_ms setter)
    {
        // A negative limit counts as zero, which is refused.
        if (limit)
            detail::check([&](auto **err) {
                return setter(it, limit->count() < 0 ? 0 : static_cast<std::uint64_t>(limit->count()), err);
            });
    }

    detail::handle<ocireg_client, ocireg_client_free> raw_;
};

} // namespace ocireg

#endif // OCIREG_HPP
