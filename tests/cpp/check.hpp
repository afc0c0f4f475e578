// Checks that print where they fail and count.
#ifndef CHECK_HPP
#define CHECK_HPP

#include <iostream>
#include <string>

inline int failures = 0;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            std::cerr << __FILE__ << ":" << __LINE__ << ": " #condition "\n";                                          \
            ++failures;                                                                                                \
        }                                                                                                              \
    } while (false)

/// That the statement throws `ocireg::error` with this status, and a message that contains the text.
#define CHECK_ERROR(statement, expected, part)                                                                         \
    do {                                                                                                               \
        try {                                                                                                          \
            (void)(statement);                                                                                         \
            std::cerr << __FILE__ << ":" << __LINE__ << ": nothing thrown by " #statement "\n";                        \
            ++failures;                                                                                                \
        } catch (const ocireg::error &error) {                                                                         \
            if (error.status() != (expected) || std::string(error.what()).find(part) == std::string::npos) {           \
                std::cerr << __FILE__ << ":" << __LINE__ << ": " << error.status_name() << ": " << error.what()        \
                          << "\n";                                                                                     \
                ++failures;                                                                                            \
            }                                                                                                          \
        }                                                                                                              \
    } while (false)

/// In another translation unit, which includes the header too.
std::string digest_elsewhere(const std::string &text);

#endif
