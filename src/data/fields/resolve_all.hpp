// All fields of a configuration against the files: the one way that serve, bench, stats, inspect and plan go. Opens no
// data file: whoever owns MPI reads the values of labels, and hands them in. One thread.
//
//   1. Where the configuration names no field, the datasets of the most common length are fields.
//   2. What is wrong with fields is told together, and beside it why a dataset that they name is left out.
//   3. A field of which mistakes are known is not resolved: only whether its sources are there is looked at.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "config/config.hpp"
#include "config/value.hpp"
#include "data/fields/resolved_field.hpp"
#include "data/fields/scale_file.hpp"

namespace headrace::data::fields {

/// Loading a plugin runs its code.
enum class Plugins { load, look_at };

/// What fields are resolved for.
struct Purpose {
  Plugins plugins = Plugins::load;
  bool measuring = false;  ///< for statistics: nothing is scaled, and scale files are not read
};

class ResolvedFields {
 public:
  ResolvedFields(const config::Config& config, const catalog::Contents& contents, const Purpose& purpose);

  /// Resolves every field; what is wrong goes to `mistakes`.
  void resolve(config::Mistakes& mistakes);

  std::size_t size() const { return configs_.size(); }
  const config::FieldConfig& config(std::size_t f) const { return configs_[f]; }
  /// Nothing where it is wrong.
  const std::optional<ResolvedField>& field(std::size_t f) const { return fields_[f]; }
  ResolvedField take(std::size_t f) { return std::move(fields_[f].value()); }

  /// The dataset whose values are the classes of field f, where they must be read: then use_labels() is next.
  std::optional<std::string> labels_to_read(std::size_t f) const;
  /// Throws UsageError that names the field.
  void use_labels(std::size_t f, const std::vector<std::string>& values);

  /// The datasets with one row per sample, of the fields that are right; in their order, each as often as it is needed.
  std::vector<std::string> sample_paths() const;
  /// Those of them that some file may lack: the fields say what stands there then.
  std::set<std::string> may_lack() const;

 private:
  ResolvedField resolved(const config::FieldConfig& field, const std::vector<std::string>* labels);

  std::vector<config::FieldConfig> configs_;
  std::vector<config::ClassConfig> classes_;
  config::ResampleConfig resample_;
  Purpose purpose_;
  std::vector<catalog::LeftOut> left_out_;
  columns::RawDatasets datasets_;
  ScaleFiles scales_;
  std::vector<std::optional<ResolvedField>> fields_;
};

}  // namespace headrace::data::fields
