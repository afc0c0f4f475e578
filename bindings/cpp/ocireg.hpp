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
///     manifest = manifest.layer(layer.with_media_type(ocireg::media_type::image_layer));
///     std::cout << repository.upload_manifest(manifest, {"demo"}).digest() << "\n";
///
/// Errors. What fails throws `ocireg::error`, except that what a callback throws leaves the call as it was thrown.
///
/// Ownership. Objects own what they hold, and nothing needs its parent to live. Arguments are used during the call
///   only; text and bytes are returned by value. `client`, `repository`, `hasher` and `reference` can be moved and not
///   copied; documents (`descriptor`, `manifest`, `index`) are values, whose `with_...` give a changed copy. An object
///   that has been moved from can be assigned to and destroyed; calls with it throw `OCIREG_E_INVALID_ARGUMENT`, and
///   its accessors give nothing.
///
/// Text. UTF-8 without a NUL inside, which is `OCIREG_E_INVALID_ARGUMENT`.
///
/// Threads and everything else that is not said here: as in `ocireg.h`.
#ifndef OCIREG_HPP
#define OCIREG_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <ios>
#include <istream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <type_traits>
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

/// One entry of the `errors` list in a registry's answer (distribution-spec, "Error Codes").
struct registry_error {
    /// Such as `MANIFEST_UNKNOWN`.
    std::string code;
    /// May be empty.
    std::string message;
    /// Any JSON, as text; empty when there is none.
    std::string detail;
};

/// Name of a status, as `ocireg.h` writes it: `OCIREG_E_NOT_FOUND`; `unknown status` for any other number.
inline std::string status_name(ocireg_status status)
{
    return ocireg_status_name(status);
}

/// Why a call failed. `what()` is one line for people: operation, target and reason. Never changes; copies share what
/// they hold, and copying does not throw. Secrets and the query strings of URLs are never part of it.
class error : public std::runtime_error {
public:
    /// Takes an error of the C library over, which is freed at once.
    explicit error(ocireg_error *raw) : error(handle(raw, ocireg_error_free)) {}

    /// An error that is found before the library is called.
    error(ocireg_status status, const std::string &operation, const std::string &message)
        : std::runtime_error(operation + ": " + message), what_(make(status, operation))
    {
    }

    /// One of `OCIREG_E_...`: the part to decide by. New ones may be added.
    ocireg_status status() const noexcept { return what_->status; }
    /// Such as `OCIREG_E_NOT_FOUND`.
    std::string status_name() const { return ocireg::status_name(status()); }
    /// What was being done, such as `upload blob`.
    const std::string &operation() const noexcept { return what_->operation; }
    /// What it was done to: a repository, reference, file or host; empty when there is none.
    const std::string &target() const noexcept { return what_->target; }
    /// Method and URL, without query, of the HTTP request that failed; empty when the failure was local.
    const std::string &request() const noexcept { return what_->request; }
    /// Of the registry's answer; 0 when there was none.
    std::uint32_t http_status() const noexcept { return what_->http_status; }
    /// Code of the first error in the registry's answer, such as `MANIFEST_UNKNOWN`; empty when it listed none.
    std::string registry_code() const
    {
        return what_->registry_errors.empty() ? std::string() : what_->registry_errors.front().code;
    }
    /// Every error in the registry's answer.
    const std::vector<registry_error> &registry_errors() const noexcept { return what_->registry_errors; }
    /// Whether the same call can succeed later with nothing changed.
    bool is_retryable() const noexcept { return what_->retryable; }
    /// How long the registry asked to wait before another try; nothing when it did not say.
    std::optional<std::chrono::milliseconds> retry_after() const noexcept { return what_->retry_after; }
    /// What the callback that ended the call returned to the C library; 0 when none did.
    std::int32_t callback_result() const noexcept { return what_->callback_result; }

private:
    using handle = std::unique_ptr<ocireg_error, void (*)(ocireg_error *)>;

    struct fields {
        ocireg_status status = OCIREG_OK;
        std::string operation;
        std::string target;
        std::string request;
        std::uint32_t http_status = 0;
        std::vector<registry_error> registry_errors;
        bool retryable = false;
        std::optional<std::chrono::milliseconds> retry_after;
        std::int32_t callback_result = 0;
    };

    explicit error(const handle &raw) : std::runtime_error(ocireg_error_message(raw.get())), what_(make(raw.get())) {}

    static std::shared_ptr<const fields> make(ocireg_status status, const std::string &operation)
    {
        auto it = std::make_shared<fields>();
        it->status = status;
        it->operation = operation;
        return it;
    }

    static std::shared_ptr<const fields> make(const ocireg_error *raw)
    {
        auto it = std::make_shared<fields>();
        it->status = ocireg_error_status(raw);
        it->operation = ocireg_error_operation(raw);
        it->target = ocireg_error_target(raw);
        it->request = ocireg_error_request(raw);
        it->http_status = ocireg_error_http_status(raw);
        for (std::size_t i = 0; i < ocireg_error_registry_count(raw); ++i)
            it->registry_errors.push_back({ocireg_error_registry_code(raw, i), ocireg_error_registry_message(raw, i),
                                           ocireg_error_registry_detail(raw, i)});
        it->retryable = ocireg_error_is_retryable(raw);
        const std::uint64_t ms = ocireg_error_retry_after_ms(raw);
        if (ms != OCIREG_UNKNOWN)
            it->retry_after = std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(ms));
        it->callback_result = ocireg_error_callback_result(raw);
        return it;
    }

    std::shared_ptr<const fields> what_;
};

/// How things are done here; not for programs.
namespace detail {

template <class T, void (*Free)(T *)>
struct deleter {
    void operator()(T *raw) const noexcept { Free(raw); }
};

/// Owns an object of the C library.
template <class T, void (*Free)(T *)>
using handle = std::unique_ptr<T, deleter<T, Free>>;

/// What a `_new` or `_clone` without error gives; NULL only after a fault of the library, or when another thread is
/// changing the object.
template <class T>
T *present(T *raw)
{
    if (raw == nullptr)
        throw error(OCIREG_E_PANIC, "make an object", "the library gave none");
    return raw;
}

/// Owns an object of the C library, and copies it when it is copied.
template <class T, T *(*Clone)(const T *), void (*Free)(T *)>
class value {
public:
    explicit value(T *raw) noexcept : raw_(raw) {}
    value(const value &other) : raw_(other.raw_ ? present(Clone(other.get())) : nullptr) {}
    value(value &&) noexcept = default;
    value &operator=(const value &other)
    {
        return *this = value(other);
    }
    value &operator=(value &&) noexcept = default;
    ~value() = default;

    T *get() noexcept { return raw_.get(); }
    const T *get() const noexcept { return raw_.get(); }

private:
    handle<T, Free> raw_;
};

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

/// A text as the C library takes it: a NUL inside would hide what follows it.
inline const char *c_text(const std::string &text, const char *name)
{
    if (text.find('\0') != std::string::npos)
        throw error(OCIREG_E_INVALID_ARGUMENT, "check arguments", std::string(name) + " has a NUL inside");
    return text.c_str();
}

inline std::vector<const char *> c_texts(const std::vector<std::string> &texts, const char *name)
{
    std::vector<const char *> raw;
    for (const auto &one : texts)
        raw.push_back(c_text(one, name));
    return raw;
}

/// A path as the C library takes it: UTF-8 on Windows, bytes elsewhere.
inline std::string path_text(const std::filesystem::path &path)
{
#ifdef _WIN32
    const auto utf8 = path.u8string();
    return std::string(utf8.begin(), utf8.end());
#else
    return path.native();
#endif
}

inline std::string text(const char *borrowed)
{
    return borrowed == nullptr ? std::string() : std::string(borrowed);
}

inline std::optional<std::string> optional_text(const char *borrowed)
{
    return borrowed == nullptr ? std::nullopt : std::optional<std::string>(borrowed);
}

/// The content of bytes that are then freed.
inline std::string take(ocireg_bytes *raw)
{
    const handle<ocireg_bytes, ocireg_bytes_free> owned(raw);
    const auto *data = reinterpret_cast<const char *>(ocireg_bytes_data(owned.get()));
    return data == nullptr ? std::string() : std::string(data, ocireg_bytes_len(owned.get()));
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

/// Whether `T` has `data()` and `size()` and holds bytes.
template <class T, class = void>
struct holds_bytes : std::false_type {
};
template <class T>
struct holds_bytes<
    T, std::void_t<decltype(*std::declval<const T &>().data()), decltype(std::declval<const T &>().size())>> {
    using element = std::remove_cv_t<std::remove_reference_t<decltype(*std::declval<const T &>().data())>>;
    static constexpr bool value = sizeof(element) == 1 && !std::is_same_v<element, bool>
                                  && (std::is_integral_v<element> || std::is_same_v<element, std::byte>);
};

} // namespace detail

/// Bytes that are borrowed: a text, or anything with `data()` and `size()` that holds bytes, such as
/// `std::string_view`, `std::vector<std::uint8_t>`, `std::array<std::byte, N>` and `std::span`. What they are in must
/// live as long as this.
class byte_view {
public:
    /// A text up to its NUL. `OCIREG_E_INVALID_ARGUMENT` for a null pointer.
    byte_view(const char *text)
    {
        if (text == nullptr)
            throw error(OCIREG_E_INVALID_ARGUMENT, "check arguments", "the text is a null pointer");
        data_ = reinterpret_cast<const std::uint8_t *>(text);
        size_ = std::char_traits<char>::length(text);
    }
    /// `size` bytes from `data`, which may be null when there are none.
    byte_view(const void *data, std::size_t size) noexcept : data_(static_cast<const std::uint8_t *>(data)), size_(size)
    {
    }
    /// What a container holds.
    template <class Bytes, std::enable_if_t<detail::holds_bytes<Bytes>::value, int> = 0>
    byte_view(const Bytes &bytes) noexcept : byte_view(static_cast<const void *>(bytes.data()), bytes.size())
    {
    }

    /// The first byte; may be null when there are none.
    const std::uint8_t *data() const noexcept { return data_; }
    /// How many bytes there are.
    std::size_t size() const noexcept { return size_; }

private:
    const std::uint8_t *data_ = nullptr;
    std::size_t size_ = 0;
};

/// Version of the library that is loaded, such as `0.1.0`; `OCIREG_VERSION` is that of the header.
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
    /// What every registry takes; the default everywhere.
    sha256 = OCIREG_ALGORITHM_SHA256,
    sha512 = OCIREG_ALGORITHM_SHA512,
};

/// Computes a digest piece by piece.
///
///     auto digest = ocireg::hasher().update("{}").digest();
class hasher {
public:
    /// One that has seen no bytes.
    explicit hasher(algorithm which = algorithm::sha256)
        : raw_(detail::make<ocireg_hasher>([&](auto **out, auto **err) {
              return ocireg_hasher_new(static_cast<ocireg_algorithm>(which), out, err);
          }))
    {
    }

    /// Adds bytes; `OCIREG_E_INVALID_ARGUMENT` after `digest`.
    hasher &update(byte_view data)
    {
        detail::check([&](auto **err) { return ocireg_hasher_update(raw_.get(), data.data(), data.size(), err); });
        return *this;
    }

    /// The digest of all bytes added, such as `sha256:44136f...`; no bytes can be added afterwards.
    std::string digest() const { return detail::text(ocireg_hasher_digest(raw_.get())); }

private:
    detail::handle<ocireg_hasher, ocireg_hasher_free> raw_;
};

/// A reference taken apart: the address of a repository, and then `:TAG`, `@DIGEST`, both or neither. In
/// `oci-layout:PATH:TAG` the tag follows the last `:` after the last `/`.
class reference {
public:
    /// Reads one, such as `localhost:5000/app:1.0`. `OCIREG_E_INVALID_REFERENCE` or `OCIREG_E_INVALID_DIGEST` when it
    /// does not follow the grammar.
    explicit reference(const std::string &text)
        : raw_(detail::make<ocireg_reference>([&](auto **out, auto **err) {
              return ocireg_reference_new(detail::c_text(text, "the reference"), out, err);
          }))
    {
    }

    /// The address of the repository, as `client::repository` takes it.
    std::string address() const { return detail::text(ocireg_reference_address(raw_.get())); }
    /// The tag, if there is one.
    std::optional<std::string> tag() const { return detail::optional_text(ocireg_reference_tag(raw_.get())); }
    /// The digest, if there is one; it decides, whatever the tag points at.
    std::optional<std::string> digest() const { return detail::optional_text(ocireg_reference_digest(raw_.get())); }

private:
    detail::handle<ocireg_reference, ocireg_reference_free> raw_;
};

/// What content runs on, for the entries of an index (image-spec, "OCI Image Index Specification").
struct platform {
    /// By its Go name, such as `linux`; empty when a received platform leaves it out.
    std::string os;
    /// By its Go name, such as `amd64`; empty when a received platform leaves it out.
    std::string architecture;
    /// Of the CPU, such as `v8`.
    std::optional<std::string> variant = std::nullopt;
    /// Version of the operating system.
    std::optional<std::string> os_version = std::nullopt;
    /// Features of the operating system that are needed.
    std::vector<std::string> os_features = {};
};

/// Points at content: its media type, digest and size, and what else is known about it (image-spec, "OCI Content
/// Descriptors"). A value: `with_...` give a changed copy.
class descriptor {
public:
    /// Of content with this media type (checked when a manifest with it is uploaded), digest and size in bytes.
    /// `OCIREG_E_INVALID_DIGEST` when the digest is none.
    descriptor(const std::string &media_type, const std::string &digest, std::uint64_t size)
        : raw_(detail::make<ocireg_descriptor>([&](auto **out, auto **err) {
              return ocireg_descriptor_new(detail::c_text(media_type, "the media type"),
                                           detail::c_text(digest, "the digest"), size, out, err);
          }))
    {
    }

    /// Takes an object of the C library over, which must not be null.
    explicit descriptor(ocireg_descriptor *raw) : raw_(detail::present(raw)) {}

    /// The empty descriptor, which stands where a manifest needs one and there is nothing to point at (image-spec,
    /// "Guidance for an Empty Descriptor"). Its blob `{}` is uploaded with the manifest that uses it.
    static descriptor empty() { return descriptor(ocireg_descriptor_empty()); }

    /// Reads one JSON object; members that are not known here are kept. `OCIREG_E_INVALID_MANIFEST` when it is not a
    /// descriptor.
    static descriptor from_json(byte_view json)
    {
        return descriptor(detail::make<ocireg_descriptor>([&](auto **out, auto **err) {
            return ocireg_descriptor_from_json(json.data(), json.size(), out, err);
        }));
    }

    /// Compact JSON, the same every time.
    std::string to_json() const
    {
        return detail::take(detail::make<ocireg_bytes>(
            [&](auto **out, auto **err) { return ocireg_descriptor_to_json(get(), out, err); }));
    }

    /// The media type; empty when a received document leaves it out.
    std::string media_type() const { return detail::text(ocireg_descriptor_media_type(get())); }
    /// The digest of the content, such as `sha256:44136f...`.
    std::string digest() const { return detail::text(ocireg_descriptor_digest(get())); }
    /// The size of the content in bytes.
    std::uint64_t size() const noexcept { return ocireg_descriptor_size(get()); }
    /// The type of the artifact, when the content is a manifest that has one.
    std::optional<std::string> artifact_type() const
    {
        return detail::optional_text(ocireg_descriptor_artifact_type(get()));
    }
    /// The value of one annotation, with a key such as `annotation::title`.
    std::optional<std::string> annotation(const std::string &key) const
    {
        return detail::optional_text(ocireg_descriptor_annotation(get(), detail::c_text(key, "the key")));
    }
    /// All annotations.
    std::map<std::string, std::string> annotations() const
    {
        return detail::annotations(get(), ocireg_descriptor_annotation_count(get()), ocireg_descriptor_annotation_at);
    }
    /// Where else the content can be downloaded.
    std::vector<std::string> urls() const
    {
        std::vector<std::string> all;
        for (std::size_t i = 0; i < ocireg_descriptor_url_count(get()); ++i)
            all.push_back(detail::text(ocireg_descriptor_url(get(), i)));
        return all;
    }
    /// The content itself, where the descriptor carries it. Not verified for a received descriptor.
    std::optional<std::string> data() const
    {
        std::size_t size = 0;
        const auto *data = reinterpret_cast<const char *>(ocireg_descriptor_data(get(), &size));
        return data == nullptr ? std::nullopt : std::optional<std::string>(std::string(data, size));
    }
    /// What the content runs on, if that is said.
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

    /// The same content under another media type, such as `media_type::image_config`.
    [[nodiscard]] descriptor with_media_type(const std::string &media_type) const
    {
        return with([&](auto *raw, auto **err) {
            return ocireg_descriptor_set_media_type(raw, detail::c_text(media_type, "the media type"), err);
        });
    }
    /// With this annotation, in place of one with the same key.
    [[nodiscard]] descriptor with_annotation(const std::string &key, const std::string &value) const
    {
        return with([&](auto *raw, auto **err) {
            return ocireg_descriptor_set_annotation(raw, detail::c_text(key, "the key"),
                                                    detail::c_text(value, "the value"), err);
        });
    }
    /// With this type of the artifact, when the content is a manifest.
    [[nodiscard]] descriptor with_artifact_type(const std::string &artifact_type) const
    {
        return with([&](auto *raw, auto **err) {
            return ocireg_descriptor_set_artifact_type(raw, detail::c_text(artifact_type, "the artifact type"), err);
        });
    }
    /// With what the content runs on.
    [[nodiscard]] descriptor with_platform(const ocireg::platform &it) const
    {
        const auto features = detail::c_texts(it.os_features, "a feature");
        return with([&](auto *raw, auto **err) {
            return ocireg_descriptor_set_platform(
                raw, detail::c_text(it.os, "the operating system"), detail::c_text(it.architecture, "the architecture"),
                it.variant ? detail::c_text(*it.variant, "the variant") : nullptr,
                it.os_version ? detail::c_text(*it.os_version, "the version") : nullptr, features.data(),
                features.size(), err);
        });
    }
    /// With these other places where the content can be downloaded, and no others.
    [[nodiscard]] descriptor with_urls(const std::vector<std::string> &urls) const
    {
        const auto raw_urls = detail::c_texts(urls, "a URL");
        return with([&](auto *raw, auto **err) {
            return ocireg_descriptor_set_urls(raw, raw_urls.data(), raw_urls.size(), err);
        });
    }
    /// With the content itself, for something small. Size and digest are checked when a manifest with the descriptor
    /// is uploaded.
    [[nodiscard]] descriptor with_data(byte_view data) const
    {
        return with([&](auto *raw, auto **err) {
            return ocireg_descriptor_set_data(raw, data.data(), data.size(), err);
        });
    }

    /// The object of the C library, borrowed.
    const ocireg_descriptor *get() const noexcept { return raw_.get(); }

private:
    template <class F>
    descriptor with(F set) const
    {
        descriptor changed(*this);
        detail::check([&](ocireg_error **err) { return set(changed.raw_.get(), err); });
        return changed;
    }

    detail::value<ocireg_descriptor, ocireg_descriptor_clone, ocireg_descriptor_free> raw_;
};

namespace detail {

/// What gives a descriptor, or none.
template <class F>
std::optional<descriptor> optional_descriptor(F f)
{
    auto *raw = make<ocireg_descriptor>(f);
    return raw == nullptr ? std::nullopt : std::optional<descriptor>(descriptor(raw));
}

} // namespace detail

/// A manifest: a config and layers, and what they are (image-spec 1.1, "OCI Image Manifest Specification"). A value:
/// `layer` and `with_...` give a changed copy.
///
/// What is built here is written as the same compact JSON every time, always with its `mediaType`. One that was read by
/// `from_bytes` keeps its exact bytes until it is changed, and members that are not known here even then.
class manifest {
public:
    /// One with this config and no layers yet.
    explicit manifest(const ocireg::descriptor &config)
        : raw_(detail::make<ocireg_manifest>(
              [&](auto **out, auto **err) { return ocireg_manifest_new(config.get(), out, err); }))
    {
    }

    /// Takes an object of the C library over, which must not be null.
    explicit manifest(ocireg_manifest *raw) : raw_(detail::present(raw)) {}

    /// An artifact of this type that has no config: the empty descriptor stands in its place. When no layer is added,
    /// it is also the only layer (image-spec, "Guidelines for Artifact Usage"). The type is a media type of your own,
    /// such as `application/vnd.example.sbom`; it is checked by the upload.
    static manifest artifact(const std::string &artifact_type)
    {
        return manifest(detail::make<ocireg_manifest>([&](auto **out, auto **err) {
            return ocireg_manifest_new_artifact(detail::c_text(artifact_type, "the artifact type"), out, err);
        }));
    }

    /// Reads one that was received, of the image-spec or Docker's; its exact bytes are kept.
    /// `OCIREG_E_INVALID_MANIFEST` when it is larger than 4 MiB or not a manifest.
    static manifest from_bytes(byte_view bytes)
    {
        return manifest(detail::make<ocireg_manifest>([&](auto **out, auto **err) {
            return ocireg_manifest_from_bytes(bytes.data(), bytes.size(), out, err);
        }));
    }

    /// The exact bytes that are uploaded: compact JSON, or what a manifest was read from.
    /// `OCIREG_E_INVALID_MANIFEST` when what was built is not a manifest.
    std::string to_bytes() const
    {
        return detail::take(detail::make<ocireg_bytes>(
            [&](auto **out, auto **err) { return ocireg_manifest_to_bytes(get(), out, err); }));
    }

    /// A descriptor that points at the manifest, as uploading it gives; nothing is uploaded. Errors: as `to_bytes`.
    ocireg::descriptor descriptor() const
    {
        return ocireg::descriptor(detail::make<ocireg_descriptor>(
            [&](auto **out, auto **err) { return ocireg_manifest_descriptor(get(), out, err); }));
    }

    /// With one layer after those that are there.
    [[nodiscard]] manifest layer(const ocireg::descriptor &layer) const
    {
        return with([&](auto *raw, auto **err) { return ocireg_manifest_add_layer(raw, layer.get(), err); });
    }
    /// With these after those that are there.
    [[nodiscard]] manifest with_layers(const std::vector<ocireg::descriptor> &layers) const
    {
        return with([&](auto *raw, auto **err) {
            ocireg_status status = OCIREG_OK;
            for (std::size_t i = 0; i < layers.size() && status == OCIREG_OK; ++i)
                status = ocireg_manifest_add_layer(raw, layers[i].get(), err);
            return status;
        });
    }
    /// With the manifest that this manifest refers to: this becomes one of its referrers.
    [[nodiscard]] manifest with_subject(const ocireg::descriptor &subject) const
    {
        return with([&](auto *raw, auto **err) { return ocireg_manifest_set_subject(raw, subject.get(), err); });
    }
    /// With this annotation, in place of one with the same key.
    [[nodiscard]] manifest with_annotation(const std::string &key, const std::string &value) const
    {
        return with([&](auto *raw, auto **err) {
            return ocireg_manifest_set_annotation(raw, detail::c_text(key, "the key"),
                                               detail::c_text(value, "the value"), err);
        });
    }
    /// With this type of the artifact, a media type; it is checked by the upload.
    [[nodiscard]] manifest with_artifact_type(const std::string &artifact_type) const
    {
        return with([&](auto *raw, auto **err) {
            return ocireg_manifest_set_artifact_type(raw, detail::c_text(artifact_type, "the artifact type"), err);
        });
    }

    /// The manifest's own media type.
    std::string media_type() const { return detail::text(ocireg_manifest_media_type(get())); }
    /// The type of the artifact, if there is one.
    std::optional<std::string> artifact_type() const
    {
        return detail::optional_text(ocireg_manifest_artifact_type(get()));
    }
    /// The config.
    ocireg::descriptor config() const
    {
        return ocireg::descriptor(detail::make<ocireg_descriptor>(
            [&](auto **out, auto **err) { return ocireg_manifest_config(get(), out, err); }));
    }
    /// All layers, in their order.
    std::vector<ocireg::descriptor> layers() const
    {
        std::vector<ocireg::descriptor> all;
        for (std::size_t i = 0; i < ocireg_manifest_layer_count(get()); ++i)
            all.emplace_back(detail::make<ocireg_descriptor>(
                [&](auto **out, auto **err) { return ocireg_manifest_layer(get(), i, out, err); }));
        return all;
    }
    /// The manifest that this manifest refers to, if there is one.
    std::optional<ocireg::descriptor> subject() const
    {
        return detail::optional_descriptor(
            [&](auto **out, auto **err) { return ocireg_manifest_subject(get(), out, err); });
    }
    /// The value of one annotation, with a key such as `annotation::created`.
    std::optional<std::string> annotation(const std::string &key) const
    {
        return detail::optional_text(ocireg_manifest_annotation(get(), detail::c_text(key, "the key")));
    }
    /// All annotations.
    std::map<std::string, std::string> annotations() const
    {
        return detail::annotations(get(), ocireg_manifest_annotation_count(get()), ocireg_manifest_annotation_at);
    }

    /// The object of the C library, borrowed.
    const ocireg_manifest *get() const noexcept { return raw_.get(); }

private:
    template <class F>
    manifest with(F set) const
    {
        manifest changed(*this);
        detail::check([&](ocireg_error **err) { return set(changed.raw_.get(), err); });
        return changed;
    }

    detail::value<ocireg_manifest, ocireg_manifest_clone, ocireg_manifest_free> raw_;
};

/// An index: a list of manifests, such as one for each platform (image-spec 1.1, "OCI Image Index Specification"). A
/// value: `manifest` and `with_...` give a changed copy. Its bytes: as with `ocireg::manifest`.
class index {
public:
    /// One of no manifests.
    index() : raw_(detail::present(ocireg_index_new())) {}

    /// Takes an object of the C library over, which must not be null.
    explicit index(ocireg_index *raw) : raw_(detail::present(raw)) {}

    /// Reads one that was received, an index or Docker's manifest list; its exact bytes are kept.
    /// `OCIREG_E_INVALID_MANIFEST` when it is larger than 4 MiB or not an index.
    static index from_bytes(byte_view bytes)
    {
        return index(detail::make<ocireg_index>([&](auto **out, auto **err) {
            return ocireg_index_from_bytes(bytes.data(), bytes.size(), out, err);
        }));
    }

    /// The exact bytes that are uploaded: compact JSON, or what an index was read from.
    /// `OCIREG_E_INVALID_MANIFEST` when what was built is not an index.
    std::string to_bytes() const
    {
        return detail::take(detail::make<ocireg_bytes>(
            [&](auto **out, auto **err) { return ocireg_index_to_bytes(get(), out, err); }));
    }

    /// A descriptor that points at the index, as uploading it gives; nothing is uploaded. Errors: as `to_bytes`.
    ocireg::descriptor descriptor() const
    {
        return ocireg::descriptor(detail::make<ocireg_descriptor>(
            [&](auto **out, auto **err) { return ocireg_index_descriptor(get(), out, err); }));
    }

    /// With one manifest, by its descriptor, after those that are there.
    [[nodiscard]] index manifest(const ocireg::descriptor &manifest) const
    {
        return with([&](auto *raw, auto **err) { return ocireg_index_add_manifest(raw, manifest.get(), err); });
    }
    /// With these after those that are there.
    [[nodiscard]] index with_manifests(const std::vector<ocireg::descriptor> &manifests) const
    {
        return with([&](auto *raw, auto **err) {
            ocireg_status status = OCIREG_OK;
            for (std::size_t i = 0; i < manifests.size() && status == OCIREG_OK; ++i)
                status = ocireg_index_add_manifest(raw, manifests[i].get(), err);
            return status;
        });
    }
    /// With the manifest that this index refers to: this becomes one of its referrers.
    [[nodiscard]] index with_subject(const ocireg::descriptor &subject) const
    {
        return with([&](auto *raw, auto **err) { return ocireg_index_set_subject(raw, subject.get(), err); });
    }
    /// With this annotation, in place of one with the same key.
    [[nodiscard]] index with_annotation(const std::string &key, const std::string &value) const
    {
        return with([&](auto *raw, auto **err) {
            return ocireg_index_set_annotation(raw, detail::c_text(key, "the key"),
                                             detail::c_text(value, "the value"), err);
        });
    }
    /// With this type of the artifact, a media type; it is checked by the upload.
    [[nodiscard]] index with_artifact_type(const std::string &artifact_type) const
    {
        return with([&](auto *raw, auto **err) {
            return ocireg_index_set_artifact_type(raw, detail::c_text(artifact_type, "the artifact type"), err);
        });
    }

    /// The index's own media type.
    std::string media_type() const { return detail::text(ocireg_index_media_type(get())); }
    /// The type of the artifact, if there is one.
    std::optional<std::string> artifact_type() const
    {
        return detail::optional_text(ocireg_index_artifact_type(get()));
    }
    /// All manifests, in their order.
    std::vector<ocireg::descriptor> manifests() const
    {
        std::vector<ocireg::descriptor> all;
        for (std::size_t i = 0; i < ocireg_index_manifest_count(get()); ++i)
            all.emplace_back(detail::make<ocireg_descriptor>(
                [&](auto **out, auto **err) { return ocireg_index_manifest(get(), i, out, err); }));
        return all;
    }
    /// The manifest that this index refers to, if there is one.
    std::optional<ocireg::descriptor> subject() const
    {
        return detail::optional_descriptor(
            [&](auto **out, auto **err) { return ocireg_index_subject(get(), out, err); });
    }
    /// The value of one annotation, with a key such as `annotation::created`.
    std::optional<std::string> annotation(const std::string &key) const
    {
        return detail::optional_text(ocireg_index_annotation(get(), detail::c_text(key, "the key")));
    }
    /// All annotations.
    std::map<std::string, std::string> annotations() const
    {
        return detail::annotations(get(), ocireg_index_annotation_count(get()), ocireg_index_annotation_at);
    }

    /// The object of the C library, borrowed.
    const ocireg_index *get() const noexcept { return raw_.get(); }

private:
    template <class F>
    index with(F set) const
    {
        index changed(*this);
        detail::check([&](ocireg_error **err) { return set(changed.raw_.get(), err); });
        return changed;
    }

    detail::value<ocireg_index, ocireg_index_clone, ocireg_index_free> raw_;
};

/// What a transfer is doing. More may be added.
enum class phase : ocireg_phase {
    /// The source is read once, to compute its digest.
    hashing = OCIREG_PHASE_HASHING,
    /// Bytes are sent to the registry, or written to the layout.
    uploading = OCIREG_PHASE_UPLOADING,
};

/// The state of a transfer; valid while the callback that gets it runs.
class progress {
public:
    /// Borrows what the C library gives to a callback.
    explicit progress(const ocireg_progress *raw) noexcept : raw_(raw) {}

    /// What is being done.
    ocireg::phase phase() const noexcept { return static_cast<ocireg::phase>(ocireg_progress_phase(raw_)); }
    /// Bytes that this phase has behind it. Can go back when a body is sent again.
    std::uint64_t bytes_done() const noexcept { return ocireg_progress_bytes_done(raw_); }
    /// Size of the blob in bytes; nothing for a reader of unknown length, until its end has been read.
    std::optional<std::uint64_t> total() const noexcept
    {
        const auto total = ocireg_progress_total(raw_);
        return total == OCIREG_UNKNOWN ? std::nullopt : std::optional<std::uint64_t>(total);
    }
    /// Digest of the blob, once it is known.
    std::optional<std::string> digest() const { return detail::optional_text(ocireg_progress_digest(raw_)); }
    /// 1 for the first try of this blob, 2 for the second, and so on.
    std::uint32_t attempt() const noexcept { return ocireg_progress_attempt(raw_); }

private:
    const ocireg_progress *raw_;
};

/// What can be said about one blob upload. They may be used for any number of uploads.
struct blob_options {
    /// Digest, and size in bytes, that the caller knows already. The blob is then not hashed first; where the
    /// repository has it, **the source is not read at all**, and the digest is taken on trust. Where it must be sent,
    /// a difference is `OCIREG_E_SIZE_MISMATCH` or `OCIREG_E_DIGEST_MISMATCH`.
    std::optional<std::pair<std::string, std::uint64_t>> known = std::nullopt;
    /// Name of another repository at the same registry, such as `library/base`, that may have the blob: it is then
    /// mounted from there instead of being sent, where the registry allows it. Layouts ignore it.
    std::optional<std::string> mount_from = std::nullopt;
    /// Algorithm of the digest that is computed. A digest that is `known` decides for itself.
    ocireg::algorithm algorithm = ocireg::algorithm::sha256;
    /// Called on this thread, about ten times a second and at the start and end of each phase. `false` ends the upload
    /// with `OCIREG_E_ABORTED`. What it throws ends the upload too, and leaves `upload_blob` as it was thrown.
    std::function<bool(const ocireg::progress &)> progress = {};
};

/// What can be said about one manifest upload.
struct manifest_options {
    /// Never moves a tag that exists: where it points at the same digest that is success, where it points elsewhere
    /// the upload ends with `OCIREG_E_TAG_CONFLICT`. Costs one request a tag; a tag that somebody else makes between
    /// the look and the upload is moved.
    bool keep_existing_tags = false;
};

/// What a blob is read from. Text, bytes and streams are borrowed: they must live until the upload is over.
///
/// Text, bytes, a path and a stream convert by themselves; callables are named:
///
///     repository.upload_blob("Sample config");
///     repository.upload_blob(std::filesystem::path("layer.tar"));
///     repository.upload_blob(ocireg::source::reader([&](std::uint8_t *buffer, std::size_t capacity) {
///         return pipe.read_some(buffer, capacity);
///     }));
class source {
public:
    /// Puts the next bytes into the buffer and returns how many, at most `capacity`, which is at least 1; 0 is the end
    /// of the blob. More than `capacity` is `OCIREG_E_SOURCE`. What it throws ends the upload, and leaves
    /// `upload_blob` as it was thrown.
    using read_function = std::function<std::size_t(std::uint8_t *buffer, std::size_t capacity)>;
    /// Moves a reader: the next byte read is the one at `offset`, counted from the reader's first byte. What it throws:
    /// as with `read_function`.
    using seek_function = std::function<void(std::uint64_t offset)>;

    /// Bytes in memory; a text is the blob itself, not a path.
    template <class Bytes, std::enable_if_t<std::is_convertible_v<const Bytes &, byte_view>, int> = 0>
    source(const Bytes &bytes) : bytes_(bytes)
    {
    }
    /// The file at this path: as `source::file`.
    template <class Path, std::enable_if_t<std::is_same_v<std::decay_t<Path>, std::filesystem::path>, int> = 0>
    source(Path &&path) : path_(std::forward<Path>(path))
    {
    }
    /// A stream, opened in binary mode, from where it stands to its end. One that can seek is read twice, as a file;
    /// any other is read once. It is read through its buffer: the state of the stream is not changed, and it stands at
    /// its end afterwards. `OCIREG_E_SOURCE` for a stream that has failed already, such as a file that could not be
    /// opened.
    source(std::istream &stream)
    {
        std::streambuf *buffer = stream.rdbuf();
        if (stream.fail() || buffer == nullptr)
            throw error(OCIREG_E_SOURCE, "read stream", "the stream has failed already, or was never opened");
        read_ = [buffer](std::uint8_t *into, std::size_t capacity) {
            return static_cast<std::size_t>(
                buffer->sgetn(reinterpret_cast<char *>(into), static_cast<std::streamsize>(capacity)));
        };
        const std::streamoff start = buffer->pubseekoff(0, std::ios::cur, std::ios::in);
        if (start < 0)
            return;
        const std::streamoff end = buffer->pubseekoff(0, std::ios::end, std::ios::in);
        if (end < 0)
            return;
        seek_ = [buffer, start](std::uint64_t offset) {
            const auto position = start + static_cast<std::streamoff>(offset);
            if (std::streamoff(buffer->pubseekpos(position, std::ios::in)) != position)
                throw error(OCIREG_E_NOT_REWINDABLE, "read stream", "the stream cannot go back");
        };
        seek_(0);
        size_ = end > start ? static_cast<std::uint64_t>(end - start) : 0;
    }

    /// Bytes in memory.
    static source bytes(byte_view bytes) { return source(bytes); }

    /// The file at this path, opened when the upload begins. It is read twice: once for its digest, once to send it. A
    /// file that changes in between is `OCIREG_E_SOURCE_CHANGED`; one that cannot be read, or a directory, is
    /// `OCIREG_E_IO`. A pipe is read once.
    static source file(std::filesystem::path path) { return source(std::move(path)); }

    /// A reader that can be read once and ends whenever it does. It is held in memory one chunk at a time.
    static source reader(read_function read) { return source(std::move(read), nullptr, std::nullopt); }

    /// A reader that can be read once and ends after `size` bytes. Ending earlier or later is
    /// `OCIREG_E_SIZE_MISMATCH`; to see the latter, one byte more is asked for.
    static source sized_reader(read_function read, std::uint64_t size)
    {
        return source(std::move(read), nullptr, size);
    }

    /// A reader that can seek and gives `size` bytes. Like a file, it may be read twice.
    static source seekable(read_function read, seek_function seek, std::uint64_t size)
    {
        if (!seek)
            throw error(OCIREG_E_INVALID_ARGUMENT, "check arguments", "the seek function is empty");
        return source(std::move(read), std::move(seek), size);
    }

private:
    friend class repository;

    source(read_function read, seek_function seek, std::optional<std::uint64_t> size)
        : read_(std::move(read)), seek_(std::move(seek)), size_(size)
    {
        if (!read_)
            throw error(OCIREG_E_INVALID_ARGUMENT, "check arguments", "the read function is empty");
    }

    byte_view bytes_{nullptr, 0};
    std::optional<std::filesystem::path> path_;
    read_function read_;
    seek_function seek_;
    std::optional<std::uint64_t> size_;
};

/// A place that holds blobs and manifests: a repository at a registry, or an image layout in a directory. Opened by
/// `client::repository`, which may be gone before it. May be used from several threads at once.
///
/// Statuses that come from the network and the registry, in every call: `OCIREG_E_DNS` to `OCIREG_E_LIMIT_EXCEEDED` and
/// `OCIREG_E_TIMEOUT`; `error::is_retryable` tells whether trying again can help.
class repository {
public:
    /// Takes an object of the C library over, which must not be null.
    explicit repository(ocireg_repository *raw) : raw_(detail::present(raw)) {}

    /// The address that this repository was opened with, in its full form.
    std::string address() const { return detail::text(ocireg_repository_address(raw_.get())); }

    /// Uploads one blob and returns its descriptor, with the media type `application/octet-stream`.
    ///
    /// The blob is there, with this digest, when the call returns. One that the repository has already is not sent
    /// again: a new blob costs two requests, one that is there costs one. On an error the registry has no half-written
    /// blob and no open session of this call. Errors of the source: see there. A callback must not destroy this
    /// repository.
    ocireg::descriptor upload_blob(const source &from, const blob_options &options = {}) const
    {
        call_state state{&from, &options, nullptr};
        const auto raw_options = make_options(state);
        ocireg_descriptor *out = nullptr;
        ocireg_error *err = nullptr;
        ocireg_status status = OCIREG_OK;
        if (from.path_) {
            const auto path = detail::path_text(*from.path_);
            status = ocireg_repository_upload_blob_file(raw_.get(), detail::c_text(path, "the path"),
                                                        raw_options.get(), &out, &err);
        } else if (from.read_) {
            ocireg_reader reader = OCIREG_READER_INIT;
            reader.user = &state;
            reader.read = read_trampoline;
            reader.seek = from.seek_ ? seek_trampoline : nullptr;
            reader.size = from.size_.value_or(OCIREG_UNKNOWN);
            status = ocireg_repository_upload_blob_reader(raw_.get(), &reader, raw_options.get(), &out, &err);
        } else {
            status = ocireg_repository_upload_blob(raw_.get(), from.bytes_.data(), from.bytes_.size(),
                                                   raw_options.get(), &out, &err);
        }
        if (state.thrown) {
            ocireg_error_free(err);
            ocireg_descriptor_free(out);
            std::rethrow_exception(state.thrown);
        }
        if (status != OCIREG_OK)
            throw error(err);
        return ocireg::descriptor(out);
    }

    /// Whether the repository has a blob with this digest. `OCIREG_E_INVALID_DIGEST` when it is not one.
    [[nodiscard]] bool blob_exists(const std::string &digest) const
    {
        bool exists = false;
        detail::check([&](auto **err) {
            return ocireg_repository_blob_exists(raw_.get(), detail::c_text(digest, "the digest"), &exists, err);
        });
        return exists;
    }

    /// Uploads a manifest under these tags, or by its digest alone, and returns its descriptor.
    ///
    /// Everything that the manifest lists must have been uploaded before, except the empty descriptor, whose blob is
    /// uploaded here. One request, however many tags, at a registry that can take them together. A tag that exists is
    /// moved, unless the options say otherwise or the registry refuses.
    ///
    /// `OCIREG_E_INVALID_MANIFEST` and `OCIREG_E_INVALID_REFERENCE` before anything is sent; `OCIREG_E_TAG_CONFLICT`
    /// when a tag points at other content and was not moved.
    ocireg::descriptor upload_manifest(const manifest &it, const std::vector<std::string> &tags = {},
                                       manifest_options options = {}) const
    {
        return upload(tags, options, [&](auto *raw_tags, auto count, auto *raw_options, auto **out, auto **err) {
            return ocireg_repository_upload_manifest(raw_.get(), it.get(), raw_tags, count, raw_options, out, err);
        });
    }
    /// Uploads an index; otherwise as a manifest.
    ocireg::descriptor upload_manifest(const index &it, const std::vector<std::string> &tags = {},
                                       manifest_options options = {}) const
    {
        return upload(tags, options, [&](auto *raw_tags, auto count, auto *raw_options, auto **out, auto **err) {
            return ocireg_repository_upload_index(raw_.get(), it.get(), raw_tags, count, raw_options, out, err);
        });
    }
    /// Uploads a manifest of any type as the exact bytes given; otherwise as a manifest.
    ocireg::descriptor upload_manifest(const std::string &media_type, byte_view bytes,
                                       const std::vector<std::string> &tags = {}, manifest_options options = {}) const
    {
        return upload(tags, options, [&](auto *raw_tags, auto count, auto *raw_options, auto **out, auto **err) {
            return ocireg_repository_upload_manifest_bytes(raw_.get(), detail::c_text(media_type, "the media type"),
                                                           bytes.data(), bytes.size(), raw_tags, count, raw_options,
                                                           out, err);
        });
    }

private:
    using raw_blob_options = detail::handle<ocireg_blob_options, ocireg_blob_options_free>;
    using raw_manifest_options = detail::handle<ocireg_manifest_options, ocireg_manifest_options_free>;

    /// What the trampolines need. The first exception waits here until the frames of the library are left.
    struct call_state {
        const source *from;
        const blob_options *options;
        std::exception_ptr thrown;
    };

    static constexpr std::int32_t go_on = 0;
    static constexpr std::int32_t end = 1;

    /// Runs what the program gave; nothing that it throws may reach the library.
    template <class F>
    static std::int32_t run(void *user, F f) noexcept
    {
        auto &state = *static_cast<call_state *>(user);
        try {
            return f(state);
        } catch (...) {
            if (!state.thrown)
                state.thrown = std::current_exception();
            return end;
        }
    }

    static std::int32_t read_trampoline(void *user, std::uint8_t *buffer, std::size_t capacity,
                                        std::size_t *out_n) noexcept
    {
        return run(user, [&](const call_state &state) {
            *out_n = state.from->read_(buffer, capacity);
            return go_on;
        });
    }

    static std::int32_t seek_trampoline(void *user, std::uint64_t offset) noexcept
    {
        return run(user, [&](const call_state &state) {
            state.from->seek_(offset);
            return go_on;
        });
    }

    static std::int32_t progress_trampoline(void *user, const ocireg_progress *raw) noexcept
    {
        return run(user, [&](const call_state &state) {
            return state.options->progress(ocireg::progress(raw)) ? go_on : end;
        });
    }

    static raw_blob_options make_options(call_state &state)
    {
        const auto &options = *state.options;
        raw_blob_options raw(detail::present(ocireg_blob_options_new()));
        if (options.known)
            detail::check([&](auto **err) {
                return ocireg_blob_options_set_known(raw.get(), detail::c_text(options.known->first, "the digest"),
                                                     options.known->second, err);
            });
        if (options.mount_from)
            detail::check([&](auto **err) {
                return ocireg_blob_options_set_mount_from(
                    raw.get(), detail::c_text(*options.mount_from, "the repository to mount from"), err);
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
    static ocireg::descriptor upload(const std::vector<std::string> &tags, manifest_options options, F f)
    {
        const raw_manifest_options raw(detail::present(ocireg_manifest_options_new()));
        detail::check([&](auto **err) {
            return ocireg_manifest_options_set_keep_existing_tags(raw.get(), options.keep_existing_tags, err);
        });
        const auto raw_tags = detail::c_texts(tags, "a tag");
        return ocireg::descriptor(detail::make<ocireg_descriptor>(
            [&](auto **out, auto **err) { return f(raw_tags.data(), raw_tags.size(), raw.get(), out, err); }));
    }

    detail::handle<ocireg_repository, ocireg_repository_free> raw_;
};

/// Which certificate authorities are trusted, before those of CA files.
enum class trust_roots : ocireg_trust_roots {
    /// Those of the system. Where it has no store at all, the bundled ones; where it has one that cannot be read, that
    /// is an error. The default.
    system = OCIREG_TRUST_ROOTS_SYSTEM,
    /// Those of the system and no others.
    system_only = OCIREG_TRUST_ROOTS_SYSTEM_ONLY,
    /// Mozilla's, as they were when ocireg was built.
    bundled = OCIREG_TRUST_ROOTS_BUNDLED,
    /// None but those of the CA files.
    given = OCIREG_TRUST_ROOTS_GIVEN,
};

/// The settings of a client. What is not set has its default; what is wrong with one is said by the client.
struct client_options {
    /// Goes before `ocireg/VERSION` in the `User-Agent` of every request: visible ASCII characters and spaces.
    std::optional<std::string> user_agent = std::nullopt;
    /// For a connection to be made, TLS included, over all addresses of a host: 30 seconds by default. Looking up the
    /// name is not covered: `resolv.conf` sets its limit.
    std::optional<std::chrono::milliseconds> connect_timeout = std::nullopt;
    /// For each wait for the registry to say something, not for all of them: 60 seconds by default.
    std::optional<std::chrono::milliseconds> read_timeout = std::nullopt;
    /// For each wait for the registry to take something, not for all of them: 60 seconds by default.
    std::optional<std::chrono::milliseconds> write_timeout = std::nullopt;
    /// For the answer to a request with a body, when its last byte has been sent: 10 minutes by default.
    std::optional<std::chrono::milliseconds> commit_timeout = std::nullopt;
    /// Which certificate authorities are trusted.
    ocireg::trust_roots trust_roots = ocireg::trust_roots::system;
    /// PEM files with more authorities that are trusted; alone with `trust_roots::given`.
    std::vector<std::filesystem::path> ca_files = {};
    /// PEM files with a certificate and its chain, and with its key, shown to a registry that asks for one; never to
    /// another host that the registry leads to.
    std::optional<std::pair<std::filesystem::path, std::filesystem::path>> client_certificate = std::nullopt;
    /// Takes every certificate, also a forged one: whoever sits between can then read and change everything, and has
    /// the password. For tests.
    bool danger_accept_invalid_certificates = false;
    /// User name and password for HTTP Basic, where a registry asks for that. They go to the registries whose
    /// repositories the client opens, and to nobody they lead to.
    std::optional<std::pair<std::string, std::string>> basic_auth = std::nullopt;
    /// The size of a chunk in bytes. A blob larger than that then goes in chunks where the host takes them, also where
    /// it could go in one request. By default only what must goes in chunks. A chunk of a reader is held in memory.
    std::optional<std::uint64_t> chunk_size = std::nullopt;
    /// How often a request without a large body is tried in all, when the connection breaks or the registry answers
    /// 408, 429, 500, 502, 503 or 504: 4 by default, 1 for never again.
    std::optional<std::uint32_t> attempts = std::nullopt;
};

/// Settings, credentials and open connections, shared by the repositories opened from it, which may outlive it. May be
/// used from several threads at once; one for a whole program is best.
class client {
public:
    /// Checks the settings and reads the files that they name; opens no connection. `OCIREG_E_INVALID_ARGUMENT` for a
    /// setting that cannot be used, `OCIREG_E_IO` for a file that cannot be read.
    explicit client(const client_options &options = {})
    {
        const auto raw = make_options(options);
        raw_.reset(detail::make<ocireg_client>(
            [&](auto **out, auto **err) { return ocireg_client_new(raw.get(), out, err); }));
    }

    /// Opens a repository: `[https://|http://]HOST[:PORT]/NAME`, the first part always being the host, or
    /// `oci-layout:PATH`; without a tag or digest. Nothing is connected to or created yet.
    ///
    /// `OCIREG_E_INVALID_REFERENCE` when the address does not follow the grammar, `OCIREG_E_INVALID_LAYOUT` where the
    /// path is something else already.
    [[nodiscard]] ocireg::repository repository(const std::string &address) const
    {
        return ocireg::repository(detail::make<ocireg_repository>([&](auto **out, auto **err) {
            return ocireg_client_repository(raw_.get(), detail::c_text(address, "the address"), out, err);
        }));
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
                return ocireg_client_options_set_user_agent(it, detail::c_text(*options.user_agent, "the user agent"),
                                                            err);
            });
        set(it, options.connect_timeout, ocireg_client_options_set_connect_timeout_ms);
        set(it, options.read_timeout, ocireg_client_options_set_read_timeout_ms);
        set(it, options.write_timeout, ocireg_client_options_set_write_timeout_ms);
        set(it, options.commit_timeout, ocireg_client_options_set_commit_timeout_ms);
        detail::check([&](auto **err) {
            return ocireg_client_options_set_trust_roots(it, static_cast<ocireg_trust_roots>(options.trust_roots),
                                                         err);
        });
        for (const auto &file : options.ca_files) {
            const auto path = detail::path_text(file);
            detail::check([&](auto **err) {
                return ocireg_client_options_add_ca_file(it, detail::c_text(path, "the CA file"), err);
            });
        }
        if (options.client_certificate) {
            const auto certificate = detail::path_text(options.client_certificate->first);
            const auto key = detail::path_text(options.client_certificate->second);
            detail::check([&](auto **err) {
                return ocireg_client_options_set_client_certificate(
                    it, detail::c_text(certificate, "the client certificate"), detail::c_text(key, "the key"), err);
            });
        }
        detail::check([&](auto **err) {
            return ocireg_client_options_set_danger_accept_invalid_certificates(
                it, options.danger_accept_invalid_certificates, err);
        });
        if (options.basic_auth)
            detail::check([&](auto **err) {
                return ocireg_client_options_set_basic_auth(it, detail::c_text(options.basic_auth->first, "the user"),
                                                            detail::c_text(options.basic_auth->second, "the password"),
                                                            err);
            });
        if (options.chunk_size)
            detail::check(
                [&](auto **err) { return ocireg_client_options_set_chunk_size(it, *options.chunk_size, err); });
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
