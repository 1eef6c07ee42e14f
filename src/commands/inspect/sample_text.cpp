#include "commands/inspect/sample_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "base/printable.hpp"

namespace headrace::commands::inspect {

namespace {

constexpr std::uint64_t whole_up_to = 100;  // elements of an array that is printed as it is
constexpr std::uint64_t edge = 3;           // of a longer one's last two axes, at each end; 1 of others

bool is_bool(const ValueArray& array) {
  return array.type == "bool";
}

std::string value_text(const ValueArray& array, std::uint64_t i) {
  return std::visit(
      [&](const auto& all) -> std::string {
        using T = typename std::decay_t<decltype(all)>::value_type;
        if constexpr (std::is_same_v<T, std::string>)
          return "'" + printable(all[i]) + "'";
        else if (is_bool(array))
          return all[i] != T{} ? "True" : "False";
        else if constexpr (std::is_floating_point_v<T>)
          return fmt::format("{:.6g}", all[i]);
        else
          return std::to_string(all[i]);
      },
      array.values);
}

/// Prints nested lists with columns of one width.
class Printer {
 public:
  Printer(const ValueArray& array, std::size_t indent) : array_(array), indent_(indent) {
    std::uint64_t elements = 1;
    for (const auto extent : array.shape) elements *= extent;
    shorten_ = elements > whole_up_to;
    visit(0, 0, [&](std::uint64_t at) { width_ = std::max(width_, value_text(array_, at).size()); });
  }

  std::string text() const { return array_.shape.empty() ? value_text(array_, 0) : list(0, 0); }

 private:
  std::uint64_t end_of(std::size_t axis) const { return axis + 2 < array_.shape.size() ? 1 : edge; }
  bool skipped(std::size_t axis, std::uint64_t i) const {
    return shorten_ && array_.shape[axis] > 2 * end_of(axis) && i >= end_of(axis) &&
           i < array_.shape[axis] - end_of(axis);
  }

  template <class F>
  void visit(std::size_t axis, std::uint64_t at, F&& f) const {
    if (axis == array_.shape.size()) return f(at);
    for (std::uint64_t i = 0; i < array_.shape[axis]; ++i) {
      if (skipped(axis, i)) i = array_.shape[axis] - end_of(axis);
      visit(axis + 1, at * array_.shape[axis] + i, f);
    }
  }

  std::string list(std::size_t axis, std::uint64_t at) const {
    const bool last = axis + 1 == array_.shape.size();
    const auto between = last ? std::string(" ") : "\n" + std::string(indent_ + axis + 1, ' ');
    std::string text = "[";
    std::size_t line = 0;
    for (std::uint64_t i = 0; i < array_.shape[axis]; ++i) {
      if (i > 0) text += between;
      if (skipped(axis, i)) {
        text += "..." + between;
        i = array_.shape[axis] - end_of(axis);
      }
      const auto piece = last ? fmt::format("{:>{}}", value_text(array_, at * array_.shape[axis] + i), width_)
                              : list(axis + 1, at * array_.shape[axis] + i);
      if (last && line + piece.size() > 100 - std::min<std::size_t>(60, indent_)) {
        text.back() = '\n';
        text += std::string(indent_ + axis + 1, ' ');
        line = 0;
      }
      line += piece.size() + 1;
      text += piece;
    }
    return text + "]";
  }

  const ValueArray& array_;
  std::size_t indent_;
  bool shorten_ = false;
  std::size_t width_ = 0;
};

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

/// What the shortened form hides: "0 to 31.5, mean 0.2; 3 of 65025 are NaN or infinite"; "" for others.
std::string summary(const ValueArray& array) {
  return std::visit(
      [](const auto& all) -> std::string {
        using T = typename std::decay_t<decltype(all)>::value_type;
        if constexpr (std::is_same_v<T, std::string>) {
          return "";
        } else {
          if (all.size() <= whole_up_to) return "";
          double least = INFINITY, greatest = -INFINITY, sum = 0;
          std::size_t finite = 0;
          for (const auto one : all) {
            const auto value = static_cast<double>(one);
            if (!std::isfinite(value)) continue;
            least = std::min(least, value);
            greatest = std::max(greatest, value);
            sum += value;
            ++finite;
          }
          const auto odd = all.size() - finite;
          const auto rest = odd == 0 ? "" : fmt::format("; {} of {} are NaN or infinite", odd, all.size());
          if (finite == 0) return rest.substr(2);
          return fmt::format("{:.6g} to {:.6g}, mean {:.6g}{}", least, greatest, sum / static_cast<double>(finite),
                             rest);
        }
      },
      array.values);
}

std::string listed(const std::vector<std::string>& names) {
  return printable(fmt::format("{}", fmt::join(names, ", "))) + "\n";
}

/// The array behind a heading, with what its shortened form hides.
std::string block(const ValueArray& array) {
  const auto more = summary(array);
  return text_of(array, 12) + (more.empty() ? "" : "\n            " + more) + "\n";
}

nlohmann::ordered_json nested(const ValueArray& array, std::size_t axis, std::uint64_t at) {
  if (axis == array.shape.size())
    return std::visit(
        [&](const auto& all) -> nlohmann::ordered_json {
          using T = typename std::decay_t<decltype(all)>::value_type;
          if constexpr (!std::is_same_v<T, std::string>)
            if (is_bool(array)) return all[at] != T{};
          return all[at];
        },
        array.values);
  auto list = nlohmann::ordered_json::array();
  for (std::uint64_t i = 0; i < array.shape[axis]; ++i)
    list.push_back(nested(array, axis + 1, at * array.shape[axis] + i));
  return list;
}

}  // namespace

std::string text_of(const ValueArray& array, std::size_t indent) {
  return Printer(array, indent).text();
}

std::string as_text(const SampleView& view) {
  auto text = fmt::format("sample {}: row {} of {}\n", view.sample, view.row, printable(view.file));
  for (const auto& [field, finished, raw, notes] : view.fields) {
    text += fmt::format("\n{}  {} {}\n", printable(field.name), finished.type, shape_text(finished.shape));
    if (!field.columns.empty()) text += "  columns   " + listed(field.columns);
    if (!field.classes.empty()) text += "  classes   " + listed(field.classes);
    for (const auto& array : raw) {
      text += fmt::format("  raw       {}  {} {}\n", printable(array.name), array.type, shape_text(array.shape));
      text += "            " + block(array);
    }
    text += "  finished  " + block(finished);
    for (const auto& note : notes) text += "  note      " + note + "\n";
  }
  return text;
}

nlohmann::ordered_json as_json(const SampleView& view) {
  const auto of_array = [](const ValueArray& array) {
    return nlohmann::ordered_json{
        {"name", array.name}, {"type", array.type}, {"shape", array.shape}, {"values", nested(array, 0, 0)}};
  };
  nlohmann::ordered_json json{
      {"sample", view.sample}, {"file", view.file}, {"row", view.row}, {"fields", nlohmann::ordered_json::array()}};
  for (const auto& [field, finished, raw, notes] : view.fields) {
    auto one = of_array(finished);
    one["columns"] = field.columns;
    one["classes"] = field.classes;
    one["raw"] = nlohmann::ordered_json::array();
    for (const auto& array : raw) one["raw"].push_back(of_array(array));
    one["notes"] = notes;
    json["fields"].push_back(std::move(one));
  }
  return json;
}

}  // namespace headrace::commands::inspect
