// Everything that a blob can be read from, options of an upload, and what callbacks do.
#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <vector>
#if __cplusplus >= 202002L
#include <span>
#endif

#include "checks.hpp"
#include "ocireg.hpp"

namespace fs = std::filesystem;

namespace {

std::string digest_of(ocireg::byte_view content)
{
    return ocireg::hasher().update(content).digest();
}

/// A stream buffer that cannot seek, as that of a pipe.
class pipe_buffer : public std::streambuf {
public:
    explicit pipe_buffer(std::string bytes) : bytes_(std::move(bytes))
    {
        setg(bytes_.data(), bytes_.data(), bytes_.data() + bytes_.size());
    }

private:
    std::string bytes_;
};

/// Reads a text, a few bytes at a time.
class pieces {
public:
    explicit pieces(std::string text, std::size_t piece = 1000) : text_(std::move(text)), piece_(piece) {}

    std::size_t read(std::uint8_t *buffer, std::size_t capacity)
    {
        const auto n = std::min({text_.size() - position_, capacity, piece_});
        std::copy_n(text_.begin() + static_cast<std::ptrdiff_t>(position_), n, buffer);
        position_ += n;
        return n;
    }
    void seek(std::uint64_t offset)
    {
        position_ = static_cast<std::size_t>(offset);
        ++seeks;
    }

    int seeks = 0;

private:
    std::string text_;
    std::size_t piece_;
    std::size_t position_ = 0;
};

bool is_layout(const ocireg::repository &repository)
{
    return repository.address().rfind("oci-layout:", 0) == 0;
}

ocireg::source::read_function reading(pieces &from)
{
    return [&from](std::uint8_t *buffer, std::size_t capacity) { return from.read(buffer, capacity); };
}

void bytes_come_in_many_types(const ocireg::repository &repository)
{
    const std::string text("nul \0 inside", 12);
    const auto digest = digest_of(text);
    const std::vector<std::uint8_t> vector(text.begin(), text.end());
    std::array<std::byte, 12> array{};
    std::transform(text.begin(), text.end(), array.begin(), [](char c) { return static_cast<std::byte>(c); });

    CHECK(repository.upload_blob(text).digest() == digest);
    CHECK(repository.upload_blob(std::string_view(text)).digest() == digest);
    CHECK(repository.upload_blob(vector).digest() == digest);
    CHECK(repository.upload_blob(array).digest() == digest);
    CHECK(repository.upload_blob(ocireg::byte_view(vector.data(), vector.size())).digest() == digest);
    CHECK(repository.upload_blob(ocireg::source::bytes(text)).size() == 12);
#if __cplusplus >= 202002L
    CHECK(repository.upload_blob(std::span(array)).digest() == digest);
    CHECK(repository.upload_blob(std::u8string_view(u8"text")).digest() == digest_of("text"));
#endif
    CHECK(repository.upload_blob("").digest() == digest_of(""));
    CHECK(repository.upload_blob(std::vector<std::uint8_t>()).size() == 0);
}

void files_and_streams_give_the_same_blob(const ocireg::repository &repository, const fs::path &directory)
{
    const std::string content(300000, 'x');
    const auto digest = digest_of(content);
    const auto file = directory / "content";
    std::ofstream(file, std::ios::binary) << content;

    CHECK(repository.upload_blob(file).digest() == digest);
    CHECK(repository.upload_blob(fs::path(file)).digest() == digest);
    CHECK(repository.upload_blob(ocireg::source::file(file.string())).digest() == digest);

    std::ifstream stream(file, std::ios::binary);
    stream.exceptions(std::ios::failbit | std::ios::badbit | std::ios::eofbit);
    CHECK(repository.upload_blob(stream).digest() == digest);
    CHECK(stream.good() && stream.tellg() == 300000);

    std::istringstream middle("head" + content);
    std::string head(4, '\0');
    middle.read(head.data(), 4);
    CHECK(head == "head" && repository.upload_blob(middle).digest() == digest);

    pipe_buffer buffer(content);
    std::istream pipe(&buffer);
    CHECK(repository.upload_blob(pipe).digest() == digest);

    std::istringstream nothing;
    CHECK(repository.upload_blob(nothing).size() == 0);
}

void callables_give_the_same_blob(const ocireg::repository &repository)
{
    const std::string content(300000, 'y');
    const auto digest = digest_of(content);
    pieces unknown(content);
    CHECK(repository.upload_blob(ocireg::source::reader(reading(unknown))).digest() == digest);
    pieces sized(content);
    CHECK(repository.upload_blob(ocireg::source::sized_reader(reading(sized), content.size())).digest() == digest);

    const std::string fresh = content + repository.address();
    pieces seekable(fresh);
    const auto source = ocireg::source::seekable(
        reading(seekable), [&](std::uint64_t offset) { seekable.seek(offset); }, fresh.size());
    CHECK(repository.upload_blob(source).digest() == digest_of(fresh));
    // A layout is written while the blob is read, and needs no second pass.
    CHECK(is_layout(repository) || seekable.seeks > 0);
}

void options_are_obeyed(const ocireg::repository &repository)
{
    const std::string content = "known content";
    ocireg::blob_options known;
    known.known = {digest_of(content), content.size()};
    CHECK(repository.upload_blob(content, known).digest() == known.known->first);
    int reads = 0;
    const auto unread = ocireg::source::sized_reader(
        [&](std::uint8_t *, std::size_t) -> std::size_t {
            ++reads;
            throw std::logic_error("read");
        },
        content.size());
    CHECK(repository.upload_blob(unread, known).digest() == known.known->first);
    CHECK(reads == 0);

    ocireg::blob_options wide;
    wide.algorithm = ocireg::algorithm::sha512;
    wide.mount_from = "other/repository";
    const auto blob = repository.upload_blob("wide", wide);
    CHECK(blob.digest() == ocireg::hasher(ocireg::algorithm::sha512).update("wide").digest());

    ocireg::client_options all;
    all.user_agent = "test/1";
    all.connect_timeout = all.read_timeout = all.write_timeout = std::chrono::seconds(20);
    all.commit_timeout = std::chrono::minutes(1);
    all.trust_roots = ocireg::trust_roots::bundled;
    all.basic_auth = {"user", "password"};
    all.chunk_size = 100000;
    all.attempts = 2;
    const std::string large(250000, 'z');
    CHECK(ocireg::client(all).repository(repository.address()).upload_blob(large).digest() == digest_of(large));
#if __cplusplus >= 202002L
    const ocireg::client designated({.user_agent = "test/2", .attempts = 1});
    CHECK(designated.repository(repository.address()).upload_blob("x", {.mount_from = "a/b"}).size() == 1);
#endif
}

void progress_tells_how_far_it_is(const ocireg::repository &repository)
{
    std::uint64_t last = 0;
    ocireg::blob_options watched;
    watched.progress = [&](const ocireg::progress &progress) {
        CHECK(progress.attempt() == 1);
        CHECK(progress.total() == 14U);
        CHECK(progress.phase() == ocireg::phase::hashing || progress.phase() == ocireg::phase::uploading);
        CHECK(!progress.digest() || progress.digest() == digest_of("never seen yet"));
        last = progress.bytes_done();
        return true;
    };
    (void)repository.upload_blob("never seen yet", watched);
    CHECK(last == 14);

    pieces unknown(std::string(6 * 1024 * 1024, 'u'), 1024 * 1024);
    int without_total = 0;
    watched.progress = [&](const ocireg::progress &progress) {
        without_total += progress.total() ? 0 : 1;
        last = progress.bytes_done();
        return true;
    };
    (void)repository.upload_blob(ocireg::source::reader(reading(unknown)), watched);
    CHECK(without_total > 0 && last == 6 * 1024 * 1024);
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

    const auto logic = [](auto &&...) -> std::size_t { throw std::logic_error("mine"); };
    for (const auto &source : {ocireg::source::reader(logic), ocireg::source::sized_reader(logic, 5)}) {
        try {
            (void)repository.upload_blob(source);
            CHECK(false);
        } catch (const std::logic_error &it) {
            CHECK(std::string(it.what()) == "mine");
        }
    }

    pieces from("a reader that cannot go back, of " + repository.address());
    const auto stuck = ocireg::source::seekable(
        reading(from), [](std::uint64_t) { throw std::out_of_range("stuck"); }, 33 + repository.address().size());
    try {
        (void)repository.upload_blob(stuck);
        CHECK(is_layout(repository));
    } catch (const std::out_of_range &it) {
        CHECK(std::string(it.what()) == "stuck");
    }

    // The library may be called from inside a callback, and what that throws leaves through it.
    ocireg::blob_options nested;
    nested.progress = [&](const ocireg::progress &) { return repository.blob_exists("nonsense"); };
    CHECK_ERROR(repository.upload_blob("nested", nested), OCIREG_E_INVALID_DIGEST, "nonsense");

    ocireg::blob_options ending;
    ending.progress = [](const ocireg::progress &) { return false; };
    CHECK_ERROR(repository.upload_blob("ended by progress", ending), OCIREG_E_ABORTED, "progress");
    try {
        (void)repository.upload_blob("ended by progress", ending);
    } catch (const ocireg::error &error) {
        CHECK(error.callback_result() != 0 && !error.is_retryable());
    }
    CHECK(!repository.blob_exists(digest_of("ended by progress")));
}

} // namespace

void sources(const ocireg::repository &repository, const fs::path &directory)
{
    bytes_come_in_many_types(repository);
    files_and_streams_give_the_same_blob(repository, directory);
    callables_give_the_same_blob(repository);
    options_are_obeyed(repository);
    progress_tells_how_far_it_is(repository);
    what_callbacks_throw_arrives_unchanged(repository);
}
