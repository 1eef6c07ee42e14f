// Which parts of a condition may stand where, as far as its text tells. Each throws UsageError that shows the part.
#pragma once

#include <string_view>

#include "condition/tree.hpp"

namespace headrace::condition {

/// Where a condition stands: at the top, in logic.
void need_logical(std::string_view text, const Expression& part);
/// Where something is computed.
void need_number(std::string_view text, const Expression& part);
/// On both sides of == and its kin; place: of the operator.
void need_comparable(std::string_view text, const Expression& left, const Expression& right, Operation operation,
                     Place place);
/// Before `in` and in its list.
void need_one_kind(std::string_view text, const Expression& left, const Set& set, Place list);

}  // namespace headrace::condition
