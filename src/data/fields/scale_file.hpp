// Scales and statistics of variables, from a file that 'headrace stats' or another tool wrote. Immutable once read; any
// thread.
//
//   JSON or YAML. Each variable has some of: shift, scale, default, mean, std, min, max. Anything else is ignored.
//
//     jets: {pt: {shift: 1, scale: 2}}            by dataset, then variable
//     jets: [{name: pt, shift: 1, scale: 2}]      the same as a list (Umami's scale dictionary)
//     pt: {mean: 1, std: 2}                       flat; also for fields as a whole, under the field's name
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace headrace::data::fields {

/// What the file says about one variable. Nothing is promised about the numbers.
struct VariableScale {
  std::optional<double> shift, scale, fallback, mean, std, min, max;
  bool empty() const { return !shift && !scale && !fallback && !mean && !std && !min && !max; }
  bool operator==(const VariableScale&) const = default;
};

class ScaleFile {
 public:
  /// Throws UsageError where the file cannot be read or is neither JSON nor YAML of this form.
  static ScaleFile read(const std::string& path);
  /// The same from the text of a file; `path` is for messages, and tells JSON (.json) from YAML.
  static ScaleFile parse(std::string_view text, const std::string& path);

  const std::string& path() const { return path_; }
  /// The variable of the dataset (of its whole path, else of the last part of it), else the variable in the flat part.
  const VariableScale* find(const std::string& dataset, const std::string& variable) const;
  /// Whether the dataset has an entry of its own for the variable.
  bool has(const std::string& dataset, const std::string& variable) const;
  /// The entry of that name in the flat part.
  const VariableScale* find(const std::string& name) const;
  /// find(), or a UsageError that names file, dataset, variable and the variables there are.
  const VariableScale& at(const std::string& dataset, const std::string& variable) const;
  const VariableScale& at(const std::string& name) const;

 private:
  using Variables = std::map<std::string, VariableScale>;
  friend class ScaleFileBuilder;
  const Variables* dataset(const std::string& path) const;

  std::string path_;
  Variables flat_;
  std::map<std::string, Variables> datasets_;
};

/// Each file read once. One thread at a time.
class ScaleFiles {
 public:
  /// That of the field; null where it names none. Throws UsageError that names the field.
  const ScaleFile* of(const config::FieldConfig& field);

 private:
  std::map<std::string, ScaleFile> files_;
};

}  // namespace headrace::data::fields
