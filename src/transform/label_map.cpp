#include "transform/label_map.hpp"

#include <charconv>
#include <set>

#include "base/error.hpp"

namespace headrace::transform {
namespace {

constexpr const char* example = "write classes as \"b:5\", \"other:0|4|15\", or \"b\" where the name is the value";

constexpr std::string_view blanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// The first value of a list parted by bars: what stands between double quotes, or all but the blanks around it; none
/// where it is missing. `rest` is what follows its bar, and `more` whether there is one.
std::optional<std::string> take_value(std::string_view& rest, bool& more) {
  const auto cut = [&](std::size_t bar) {
    more = bar != rest.npos;
    rest = more ? rest.substr(bar + 1) : std::string_view();
  };
  const auto first = rest.find_first_not_of(blanks);
  const bool quoted = first != rest.npos && rest[first] == '"';
  if (const auto close = quoted ? rest.find('"', first + 1) : rest.npos; close != rest.npos) {
    const auto after = rest.find_first_not_of(blanks, close + 1);
    if (after == rest.npos || rest[after] == '|') {
      std::string value(rest.substr(first + 1, close - first - 1));
      cut(after);
      return value;
    }
  }
  const auto bar = rest.find('|');
  std::string value(trimmed(rest.substr(0, bar)));
  cut(bar);
  if (value.empty()) return std::nullopt;
  return value;
}

/// The code that `value` has from now on; UsageError where it already has another.
template <class Codes, class Value>
void assign(Codes& codes, const Value& value, std::uint32_t code, const std::string& text,
            const std::vector<LabelMap::Class>& classes) {
  const auto [at, fresh] = codes.emplace(value, code);
  if (!fresh && at->second != code)
    throw UsageError("classes: value '" + text + "' belongs to '" + classes[at->second].name + "' and to '" +
                     classes[code].name + "' (a label has one class); keep it in one of them");
}

}  // namespace

std::optional<Whole> whole_number(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const auto end = text.data() + text.size();
  const auto read = [&](auto& value) {
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    return error == std::errc{} && stop == end;
  };
  std::int64_t value = 0;
  if (read(value)) return Whole(value);
  std::uint64_t beyond = 0;
  if (read(beyond)) return Whole(beyond);
  double real = 0;
  return read(real) && text.find_first_of(".eE") != text.npos ? Whole::of(real) : std::nullopt;
}

LabelMap::Class LabelMap::parse(std::string_view text) {
  const auto fail = [&](const std::string& why) -> UsageError {
    return UsageError("class '" + std::string(text) + "': " + why + "; " + example);
  };
  const auto colon = text.find(':');  // the first: values may hold colons
  Class result;
  result.name = trimmed(text.substr(0, colon));
  if (result.name.empty()) throw fail("there is no name");
  if (colon == text.npos) {
    result.values.push_back(result.name);
    return result;
  }
  auto rest = text.substr(colon + 1);
  for (bool more = true; more;) {
    const auto value = take_value(rest, more);
    if (!value) throw fail("a value is missing (after ':' or beside '|')");
    result.values.push_back(*value);
  }
  return result;
}

LabelMap::LabelMap(std::vector<Class> classes) : classes_(std::move(classes)) {
  if (classes_.empty()) throw UsageError(std::string("classes: the list is empty; ") + example);
  std::set<std::string_view> names;
  std::uint32_t code = 0;
  for (const auto& [name, values] : classes_) {
    if (!names.insert(name).second)
      throw UsageError("classes: '" + name + "' comes twice; join its values with '|' or rename one");
    for (const auto& value : values) {
      assign(by_text_, value, code, value, classes_);
      if (const auto n = whole_number(value)) assign(by_number_, *n, code, value, classes_);
    }
    ++code;
  }
}

std::optional<std::uint32_t> LabelMap::code(Whole value) const {
  const auto at = by_number_.find(value);
  return at == by_number_.end() ? std::nullopt : std::optional(at->second);
}

std::optional<std::uint32_t> LabelMap::code(std::string_view text) const {
  const auto at = by_text_.find(text);
  return at == by_text_.end() ? std::nullopt : std::optional(at->second);
}

}  // namespace headrace::transform
