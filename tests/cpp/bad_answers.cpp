// What a registry, and the way to it, can get wrong: each has its own status, and the client goes on to work.
#include "checks.hpp"
#include "ocireg.hpp"

namespace {

/// A client that tries once, so that no test waits.
ocireg::client once(ocireg::client_options options = {})
{
    options.attempts = 1;
    options.connect_timeout = std::chrono::seconds(20);
    return ocireg::client(options);
}

ocireg::descriptor upload(const ocireg::client &client, const std::string &address)
{
    return client.repository(address).upload_blob("Sample layer");
}

void a_registry_that_cannot_be_reached(const ocireg::client &client, const std::string &plain)
{
    CHECK_ERROR(upload(client, "http://no-such-host.invalid/x"), OCIREG_E_DNS, "no-such-host.invalid");
    CHECK_ERROR(upload(client, "http://127.0.0.1:1/x"), OCIREG_E_CONNECT, "refuses connections");
    CHECK_ERROR(upload(client, plain + "/broken"), OCIREG_E_CONNECTION, "");
    CHECK_ERROR(upload(client, "https" + plain.substr(4) + "/x"), OCIREG_E_TLS, "http://");
    try {
        (void)upload(client, "http://127.0.0.1:1/x");
    } catch (const ocireg::error &error) {
        CHECK(error.operation() == "upload blob" && error.target() == "http://127.0.0.1:1/x");
        CHECK(error.is_retryable() && error.http_status() == 0 && error.callback_result() == 0);
        CHECK(error.registry_errors().empty() && error.registry_code().empty() && !error.retry_after());
        CHECK(error.request() == "POST http://127.0.0.1:1/v2/x/blobs/uploads/");
    }
}

void answers_that_are_none(const ocireg::client &client, const std::string &plain)
{
    CHECK_ERROR(upload(client, plain + "/page"), OCIREG_E_PROTOCOL, "HTML page");
    CHECK_ERROR(upload(client, plain + "/large"), OCIREG_E_REJECTED, "65536");
    CHECK_ERROR(upload(client, plain + "/redirect"), OCIREG_E_REDIRECT, "");
    CHECK_ERROR(client.repository(plain + "/renamed").upload_manifest(ocireg::manifest::artifact("a/b"), {"x"}),
                OCIREG_E_DIGEST_MISMATCH, "sha256:000000");
}

void every_http_status_has_its_own(const ocireg::client &client, const std::string &plain)
{
    const std::pair<const char *, ocireg_status> answers[] = {
        {"401", OCIREG_E_UNAUTHORIZED}, {"403", OCIREG_E_DENIED},       {"404", OCIREG_E_NOT_FOUND},
        {"413", OCIREG_E_TOO_LARGE},    {"418", OCIREG_E_REJECTED},     {"429", OCIREG_E_RATE_LIMITED},
        {"500", OCIREG_E_REGISTRY_FAILED}, {"503", OCIREG_E_REGISTRY_FAILED},
    };
    for (const auto &[number, status] : answers) {
        CHECK_ERROR(upload(client, plain + "/" + number), status, "what it means");
        try {
            (void)upload(client, plain + "/" + number);
        } catch (const ocireg::error &error) {
            const ocireg::error copy = error;
            CHECK(std::to_string(copy.http_status()) == number);
            CHECK(copy.registry_code() == "CODE");
            CHECK(copy.registry_errors().size() == 1 && copy.registry_errors()[0].message == "what it means");
            CHECK(copy.registry_errors().at(0).detail == std::string("{\"number\":") + number + "}");
            CHECK(copy.retry_after() == std::chrono::seconds(7));
            CHECK(std::string(copy.what()) == error.what());
        }
    }
}

} // namespace

void bad_answers(const std::string &plain)
{
    const auto client = once();
    a_registry_that_cannot_be_reached(client, plain);
    answers_that_are_none(client, plain);
    every_http_status_has_its_own(client, plain);
    CHECK(upload(client, plain + "/x").size() == 12);
}

void bad_certificates(const std::string &secure, const std::filesystem::path &ca_file)
{
    CHECK_ERROR(upload(once(), secure + "/x"), OCIREG_E_TLS, "certificate");
    ocireg::client_options options;
    options.trust_roots = ocireg::trust_roots::given;
    options.ca_files = {ca_file};
    const auto trusting = once(options);
    CHECK(upload(trusting, secure + "/x").size() == 12);
    CHECK_ERROR(upload(trusting, secure + "/downgrade"), OCIREG_E_REDIRECT, "http");
    try {
        (void)upload(trusting, secure + "/downgrade");
    } catch (const ocireg::error &error) {
        CHECK(std::string(error.what()).find("secret") == std::string::npos);
    }
    options = {};
    options.danger_accept_invalid_certificates = true;
    CHECK(upload(once(options), secure + "/x").size() == 12);
}
