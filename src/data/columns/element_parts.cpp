#include "data/columns/element_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.hpp"

namespace headrace::data::columns {

namespace {

using h5::Kind;
using h5::TypeInfo;
using Numbers = std::vector<std::uint64_t>;

constexpr std::uint64_t most_parts = 1u << 20;

const TypeInfo& byte_type() {
  static const TypeInfo type{.kind = Kind::integer, .size = 1, .is_signed = false};
  return type;
}

std::string_view first_word(std::string_view text) {
  return text.substr(0, text.find('.'));
}
std::string_view after(std::string_view text, std::string_view word) {
  return word.size() < text.size() ? text.substr(word.size() + 1) : std::string_view();
}

/// An array of arrays is one of all their axes.
struct Array {
  Numbers dims;
  const TypeInfo* element;

  explicit Array(const TypeInfo& type) : element(&type) {
    for (; element->kind == Kind::array; element = element->base.data())
      dims.insert(dims.end(), element->dims.begin(), element->dims.end());
  }
  std::uint64_t count() const {
    std::uint64_t n = 1;
    for (const auto extent : dims)
      if (__builtin_mul_overflow(n, extent, &n) || n > most_parts)
        throw UsageError(fmt::format("has an array of more than {} elements in each element", most_parts));
    return n;
  }
};

Part member_of(const Part& whole, std::size_t i) {
  const auto& member = whole.type->members[i];
  const bool complex = h5::complex_part(*whole.type) != nullptr;
  const auto word = complex ? (i == 0 ? "real" : "imag") : member.name;
  Part part{whole.name.empty() ? word : whole.name + "." + word, whole.path.empty() ? word : whole.path + "." + word,
            whole.steps, whole.offset + member.offset, &member.type};
  part.steps.push_back(complex ? std::to_string(i) : member.name);
  return part;
}

Part element_of(const Part& whole, const Array& array, std::uint64_t i) {
  const auto number = std::to_string(i);
  Part part{whole.name.empty() ? number : whole.name + "_" + number,
            whole.path.empty() ? number : whole.path + "." + number, whole.steps,
            whole.offset + i * h5::memory_size(*array.element), array.element};
  part.steps.push_back(number);
  return part;
}

std::vector<std::string> names_of(const TypeInfo& compound) {
  std::vector<std::string> names;
  for (const auto& member : compound.members) names.push_back(member.name);
  return names;
}

/// The member whose name `text` is, or begins with before a dot; of several the longest. Names may hold dots.
std::optional<std::size_t> member_named(const TypeInfo& compound, std::string_view text) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < compound.members.size(); ++i) {
    const auto& name = compound.members[i].name;
    if (!text.starts_with(name) || (text.size() > name.size() && text[name.size()] != '.')) continue;
    if (!found || name.size() > compound.members[*found].name.size()) found = i;
  }
  return found;
}

class Walk {
 public:
  explicit Walk(const std::string& text) : text_(text) {}

  void from(const Part& here, std::string_view rest) {
    if (rest.empty()) {
      found.push_back(here);
    } else if (here.type->kind == Kind::compound) {
      into_compound(here, rest);
    } else if (here.type->kind == Kind::array) {
      into_array(here, rest);
    } else {
      throw UsageError(
          fmt::format("has no column '{}'{}", text_,
                      here.path.empty() ? "" : fmt::format(" ('{}' is {})", here.path, h5::text_of(*here.type))));
    }
  }

  std::vector<Part> found;

 private:
  void into_compound(const Part& here, std::string_view rest) {
    const auto& type = *here.type;
    if (const auto member = member_named(type, rest))
      return from(member_of(here, *member), after(rest, type.members[*member].name));
    const auto word = first_word(rest);
    if (h5::complex_part(type) && (word == "real" || word == "imag"))
      return from(member_of(here, word == "real" ? 0 : 1), after(rest, word));
    const auto numbers = numbers_meant(word, type.members.size(), about(here));
    if (!numbers)
      throw UsageError(fmt::format("has no column '{}'", text_) + did_you_mean(std::string(rest), names_of(type)));
    for (const auto number : *numbers) from(member_of(here, number), after(rest, word));
  }

  void into_array(const Part& here, std::string_view rest) {
    const Array array(*here.type);
    const auto words = number_words(rest);
    if (words.empty())
      throw UsageError(fmt::format("has no column '{}' ('{}' is {}; its elements go by number, as in '{}.0')", text_,
                                   here.path, h5::text_of(*here.type), here.path));
    if (words.size() < array.dims.size() || array.dims.size() == 1) {
      if (words.size() > 1 && array.dims.size() > 1) throw_axes(here, array);
      const auto numbers = numbers_meant(words[0], array.count(), about(here)).value();
      for (const auto i : numbers) from(element_of(here, array, i), after(rest, words[0]));
      return;
    }
    Numbers places{0};
    for (std::size_t axis = 0; axis < array.dims.size(); ++axis) {
      Numbers further;
      const auto numbers = numbers_meant(words[axis], array.dims[axis], about(here)).value();
      for (const auto place : places)
        for (const auto i : numbers) further.push_back(place * array.dims[axis] + i);
      places = std::move(further);
      rest = after(rest, words[axis]);
    }
    for (const auto place : places) from(element_of(here, array, place), rest);
  }

  /// The numbers and lists that `rest` begins with.
  static std::vector<std::string_view> number_words(std::string_view rest) {
    std::vector<std::string_view> words;
    while (!rest.empty()) {
      const auto word = first_word(rest);
      if (word.empty() || word.find_first_not_of("0123456789-:") != word.npos) break;
      words.push_back(word);
      rest = after(rest, word);
    }
    return words;
  }

  std::string about(const Part& here) const {
    return here.path.empty() ? fmt::format("'{}'", text_) : fmt::format("'{}' of '{}'", text_, here.path);
  }

  [[noreturn]] void throw_axes(const Part& here, const Array& array) const {
    throw UsageError(
        fmt::format("has no column '{}' ('{}' has {} axes; give the number of an element, 0 to {}, or one "
                    "number for each axis)",
                    text_, here.path, array.dims.size(), array.count() - 1));
  }

  const std::string& text_;
};

/// A border of a list as Python counts: from the end where it is negative.
std::optional<std::int64_t> border(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<Numbers> numbers_meant(std::string_view text, std::uint64_t n, const std::string& about) {
  const auto last = static_cast<std::int64_t>(n);
  const auto refuse = [&](const char* why) {
    throw UsageError(fmt::format("has no column {} ({}numbers go from 0 to {})", about, why, last - 1));
  };
  const auto colon = text.find(':');
  const auto given = [&](std::string_view part, std::int64_t otherwise) {
    return part.empty() ? otherwise : border(part);
  };
  if (colon == text.npos) {
    auto number = border(text);
    if (!number) return std::nullopt;
    if (*number < 0) *number += last;
    if (*number < 0 || *number >= last) refuse("");
    return Numbers{static_cast<std::uint64_t>(*number)};
  }
  auto begin = given(text.substr(0, colon), std::int64_t{0}), end = given(text.substr(colon + 1), last);
  if (!begin || !end) return std::nullopt;
  if (*begin < 0) *begin += last;
  if (*end < 0) *end += last;
  if (*begin < 0 || *end > last) refuse("");
  if (*begin >= *end) refuse("the list is empty; ");
  Numbers numbers;
  for (auto i = *begin; i < *end; ++i) numbers.push_back(static_cast<std::uint64_t>(i));
  return numbers;
}

std::vector<Part> parts_named(const TypeInfo& type, const std::string& text) {
  Walk walk(text);
  walk.from({"", "", {}, 0, &type}, text);
  return std::move(walk.found);
}

std::optional<Part> part_at(const TypeInfo& type, const std::vector<std::string>& steps) {
  Part here{"", "", {}, 0, &type};
  for (const auto& step : steps) {
    if (here.type->kind == Kind::array) {
      const Array array(*here.type);
      const auto number = border(step);
      if (!number || static_cast<std::uint64_t>(*number) >= array.count()) return std::nullopt;
      here = element_of(here, array, static_cast<std::uint64_t>(*number));
    } else if (h5::complex_part(*here.type)) {
      if (step != "0" && step != "1") return std::nullopt;
      here = member_of(here, step == "0" ? 0 : 1);
    } else {
      const auto names = names_of(*here.type);
      const auto at = std::find(names.begin(), names.end(), step);
      if (at == names.end()) return std::nullopt;
      here = member_of(here, static_cast<std::size_t>(at - names.begin()));
    }
  }
  return here;
}

std::vector<Part> leaves_of(const Part& part) {
  std::vector<Part> leaves;
  const auto take = [&](const Part& inner) {
    for (auto& leaf : leaves_of(inner)) leaves.push_back(std::move(leaf));
  };
  if (part.type->kind == Kind::array) {
    const Array array(*part.type);
    for (std::uint64_t i = 0, n = array.count(); i < n; ++i) take(element_of(part, array, i));
  } else if (part.type->kind == Kind::compound) {
    for (std::size_t i = 0; i < part.type->members.size(); ++i) take(member_of(part, i));
  } else {
    leaves.push_back(part);
  }
  return leaves;
}

std::vector<Part> bytes_of(const Part& part) {
  std::vector<Part> bytes;
  for (std::uint64_t i = 0; i < part.type->size; ++i) {
    const auto number = std::to_string(i);
    auto& byte = bytes.emplace_back(part);
    byte.name += (byte.name.empty() ? "" : "_") + number;
    byte.path += (byte.path.empty() ? "" : ".") + number;
    byte.offset += i;
    byte.type = &byte_type();
  }
  return bytes;
}

}  // namespace headrace::data::columns
