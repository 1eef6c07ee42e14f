// Constants of a condition. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "transform/condition_lexer.hpp"
#include "transform/condition_tree.hpp"

namespace headrace::transform::condition {

/// The token's constant; nothing where it is none (a column, a sign). Throws UsageError for numbers that cannot be.
std::optional<Constant> constant(std::string_view text, const Token& token);

/// Adds a constant to a set. Texts and numbers do not mix: false.
bool insert(Set& set, const Constant& constant);
/// Sorts, after the last one.
void finish(Set& set);

}  // namespace headrace::transform::condition
