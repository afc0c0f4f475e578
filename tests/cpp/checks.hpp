// Checks that print where they fail, and the parts of the test program.
#ifndef CHECKS_HPP
#define CHECKS_HPP

#include <filesystem>
#include <iostream>
#include <string>

namespace ocireg {
class client;
class repository;
} // namespace ocireg

inline int failures = 0;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            std::cerr << __FILE__ << ":" << __LINE__ << ": " #condition "\n";                                          \
            ++failures;                                                                                                \
        }                                                                                                              \
    } while (false)

/// That the expression throws `ocireg::error` with this status, and a message that contains the text.
#define CHECK_ERROR(expression, expected, part)                                                                        \
    do {                                                                                                               \
        try {                                                                                                          \
            (void)(expression);                                                                                        \
            std::cerr << __FILE__ << ":" << __LINE__ << ": nothing thrown by " #expression "\n";                       \
            ++failures;                                                                                                \
        } catch (const ocireg::error &error) {                                                                         \
            if (error.status() != (expected) || std::string(error.what()).find(part) == std::string::npos) {           \
                std::cerr << __FILE__ << ":" << __LINE__ << ": " << error.status_name() << ": " << error.what()        \
                          << "\n";                                                                                     \
                ++failures;                                                                                            \
            }                                                                                                          \
        }                                                                                                              \
    } while (false)

/// sources.cpp: everything that a blob can be read from, and what callbacks do.
void sources(const ocireg::repository &repository, const std::filesystem::path &directory);
/// documents.cpp: descriptors, manifests, indexes, digests and references.
void documents(const ocireg::repository &repository);
/// bad_input.cpp: what a program can get wrong.
void bad_input(const ocireg::client &client, const ocireg::repository &repository,
               const std::filesystem::path &directory);
/// bad_answers.cpp: what a registry can get wrong. The URL of a double over HTTP.
void bad_answers(const std::string &plain);
/// bad_answers.cpp: whom to trust. The URL of a double over HTTPS, and the CA file that trusts it.
void bad_certificates(const std::string &secure, const std::filesystem::path &ca_file);

#endif
