// Constants of a condition. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "condition/lexer.hpp"
#include "condition/tree.hpp"

namespace headrace::condition {

/// The token's constant; nothing where it is none (a column, a sign). Throws UsageError for numbers that cannot be.
std::optional<Constant> constant(std::string_view text, const Token& token);

/// Adds a constant to a set. Texts and numbers do not mix: false.
bool insert(Set& set, const Constant& constant);
/// Sorts, after the last one.
void finish(Set& set);

}  // namespace headrace::condition
