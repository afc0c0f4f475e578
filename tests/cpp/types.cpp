// What the types promise, checked by the compiler; and a translation unit that uses the header without calling it.
#include <filesystem>
#include <string>
#include <type_traits>
#include <vector>

#include "ocireg.hpp"

namespace {

template <class T>
constexpr bool is_value = std::is_copy_constructible_v<T> && std::is_copy_assignable_v<T>
                          && std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>;
template <class T>
constexpr bool moves_only = !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>
                            && std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>;

static_assert(is_value<ocireg::descriptor> && is_value<ocireg::manifest> && is_value<ocireg::index>);
static_assert(moves_only<ocireg::client> && moves_only<ocireg::repository>);
static_assert(moves_only<ocireg::hasher> && moves_only<ocireg::reference>);

// A copy is made by the library and can fail; that of an error, which may be in flight, cannot.
static_assert(!std::is_nothrow_copy_constructible_v<ocireg::manifest>);
static_assert(!std::is_nothrow_copy_assignable_v<ocireg::manifest>);
static_assert(std::is_nothrow_copy_constructible_v<ocireg::error>);
static_assert(std::is_base_of_v<std::runtime_error, ocireg::error>);

// Only what is meant as content becomes a source by itself.
template <class T>
constexpr bool is_source = std::is_convertible_v<T, ocireg::source>;
static_assert(is_source<const char *> && is_source<std::string> && is_source<std::vector<unsigned char>>);
static_assert(is_source<std::filesystem::path> && is_source<std::istream &>);
static_assert(!is_source<std::vector<int>> && !is_source<std::vector<bool>> && !is_source<int>);
static_assert(!is_source<std::wstring> && !is_source<ocireg::source::read_function>);

} // namespace
