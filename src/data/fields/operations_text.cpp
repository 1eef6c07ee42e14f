// What is done to the values of a field, in words.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "data/fields/report.hpp"

namespace headrace::data::fields {

namespace {

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

std::string scaling_text(const config::FieldConfig& f) {
  const auto with = f.norm_over == config::NormOver::field ? " of the whole field" : "";
  if (!f.scale_file.empty()) {
    const auto how =
        f.norm == config::Norm::none || f.norm == config::Norm::tanh_log ? "scale" : std::string(config::word(f.norm));
    return fmt::format("{}{} by '{}'", how, with, file_name(f.scale_file));
  }
  std::string text;
  if (!f.shift.empty()) text += fmt::format("shift {}", fmt::join(f.shift, ", "));
  if (!f.scale.empty()) text += fmt::format("{}scale {}", text.empty() ? "" : "; ", fmt::join(f.scale, ", "));
  return text;
}

std::string nonfinite_text(const config::NonfinitePolicy& policy) {
  using Kind = config::NonfinitePolicy::Kind;
  switch (policy.kind) {
    case Kind::unsaid:
      return "";
    case Kind::error:
      return "NaN is an error";
    case Kind::keep:
      return "NaN kept";
    case Kind::variable_default:
      return "NaN to the variable's default";
    case Kind::value:
      return fmt::format("NaN to {}", policy.value);
  }
  return "";
}

std::string encoding_text(const config::FieldConfig& f, const ResolvedField& resolved) {
  if (f.encode == config::Encode::none) return "";
  if (resolved.needs_label_values) return std::string(config::word(f.encode));
  const auto& classes = resolved.field.classes;
  constexpr std::size_t listed = 8;
  if (classes.size() > listed) return fmt::format("{} of {} classes", config::word(f.encode), classes.size());
  return fmt::format("{} of {}", config::word(f.encode), fmt::join(classes, ", "));
}

std::string validity_text(const config::FieldConfig& f, const ResolvedField& resolved) {
  switch (resolved.validity.from) {
    case ValiditySource::From::items:
    case ValiditySource::From::dataset:
      if (f.valid.empty()) return fmt::format("invalid elements are {}", f.fill.value_or(0));
      return fmt::format("valid by {}{}", f.valid, f.fill ? fmt::format(", others are {}", *f.fill) : "");
    case ValiditySource::From::join:
      return f.fill ? fmt::format("padding is {}", *f.fill) : "";
    case ValiditySource::From::nowhere:
      return "";
  }
  return "";
}

std::string type_text(const config::FieldConfig& f) {
  if (!f.dtype) return "";
  return fmt::format("as {}{}{}", name_of(*f.dtype), truncates(f.overflow) ? ", fractions cut" : "",
                     saturates(f.overflow) ? ", saturating" : "");
}

}  // namespace

std::vector<std::string> operations(const config::FieldConfig& f, const ResolvedField& resolved) {
  const auto any_packing = [&](const auto& what) {
    return std::any_of(resolved.packings.begin(), resolved.packings.end(), [&](const Packings& all) {
      return std::any_of(all.begin(), all.end(), [&](const Packing& one) { return what(one, all[0]); });
    });
  };
  const bool layouts_differ = std::any_of(resolved.over_files.begin(), resolved.over_files.end(),
                                          [](const ItemOverFiles& item) { return !item.raw.empty(); });
  const bool decoded_apart = any_packing([&](const Packing& one, const Packing& first) {
    return one.cf != first.cf || (!layouts_differ && one.cell != first.cell);  // read as unsigned in one file only
  });
  const bool decoded =
      decoded_apart || any_packing([](const Packing& one, const Packing&) { return one.cf.has_value(); });
  const auto pad =
      f.pad ? fmt::format("pad to {}{}", *f.pad, f.overlong == config::Overlong::truncate ? ", longer ones cut" : "")
            : std::string();
  std::vector<std::string> all{f.join.empty() ? "" : fmt::format("join by {}", f.join),
                               pad,
                               layouts_differ ? "types or layouts of the files brought together" : "",
                               !decoded        ? ""
                               : decoded_apart ? "CF decoding (packed per file)"
                                               : "CF decoding",
                               validity_text(f, resolved),
                               nonfinite_text(f.nonfinite),
                               f.log.empty() ? "" : fmt::format("log of {}", fmt::join(f.log, ", ")),
                               f.norm == config::Norm::tanh_log ? "tanh-log" : "",
                               f.plugin.empty() ? "" : fmt::format("plugin '{}'", file_name(f.plugin)),
                               scaling_text(f),
                               f.raw.empty() ? "" : fmt::format("{} raw", fmt::join(f.raw, ", ")),
                               encoding_text(f, resolved),
                               f.missing ? fmt::format("{} where absent", *f.missing) : "",
                               type_text(f),
                               f.shape ? "reshaped" : ""};
  std::erase(all, "");
  return all;
}

}  // namespace headrace::data::fields
