#include "condition/rules.hpp"

namespace headrace::condition {

void need_logical(std::string_view text, const Expression& part) {
  if (part.worth == Worth::logical || part.worth == Worth::column) return;
  const auto what = words(text, part.place);
  throw error_at(text, part.place,
                 "'" + what + "' is a value, not a condition; compare it with something, as in " + what +
                     (part.worth == Worth::text ? " == ..." : " != 0"));
}

void need_number(std::string_view text, const Expression& part) {
  if (part.worth == Worth::number || part.worth == Worth::column) return;
  throw error_at(text, part.place,
                 "'" + words(text, part.place) + "' is a " + (part.worth == Worth::text ? "text" : "condition") +
                     ", and there is nothing to compute with; a number or a column of numbers can stand here");
}

void need_comparable(std::string_view text, const Expression& left, const Expression& right, Operation operation,
                     Place place) {
  const bool equality = operation == Operation::equal || operation == Operation::unequal;
  for (const auto* side : {&left, &right})
    if (!equality && (side->worth == Worth::text || side->worth == Worth::logical))
      throw error_at(text, side->place,
                     std::string(side->worth == Worth::text ? "a text" : "a condition") +
                         " has no order; compare it with == or !=" +
                         (side->worth == Worth::text ? " or in" : ", or join conditions with && or ||"));
  const auto is_text = [](const Expression& side) { return side.worth == Worth::text; };
  const auto is_column = [](const Expression& side) { return side.worth == Worth::column; };
  if (is_text(left) != is_text(right) && !is_column(left) && !is_column(right))
    throw error_at(text, place, "a text is never equal to a number; remove the quotes, or name a column of texts");
}

void need_one_kind(std::string_view text, const Expression& left, const Set& set, Place list) {
  if (left.worth == Worth::column || set.texts.empty() == (left.worth != Worth::text)) return;
  throw error_at(text, list,
                 "texts and numbers are never equal; the list and the value before 'in' must be of one kind");
}

}  // namespace headrace::condition
