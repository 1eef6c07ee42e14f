// What fields are resolved against: the datasets of the files, as their raw rows stand in memory. Plain values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/dtype.hpp"
#include "h5/types.hpp"

namespace headrace::service {

/// A number of an attribute, and the type that it has there (which decides the type of decoded values).
struct AttributeNumber {
  double value = 0;
  DType dtype = DType::float64;
  bool operator==(const AttributeNumber&) const = default;
};

/// NetCDF's attributes of a dataset, as far as they are there.
struct CfAttributes {
  std::optional<AttributeNumber> scale_factor, add_offset;
  std::vector<double> fill_values;  ///< _FillValue, and all of missing_value; NaN among them does no harm
  std::optional<bool> is_unsigned;  ///< _Unsigned
  bool conventions = false;         ///< the file's root has Conventions = "CF-..."
  bool netcdf = false;              ///< the file's root has _NCProperties: the NetCDF library wrote it
  /// What the file says must be done to the values; the marks of the file itself are none of it.
  bool any() const { return scale_factor || add_offset || !fill_values.empty() || is_unsigned; }
  bool operator==(const CfAttributes&) const = default;
};

/// The type of a dataset in one file; none: the file has no such dataset.
struct TypeInFile {
  std::string file;
  std::optional<h5::TypeInfo> type;
  bool operator==(const TypeInFile&) const = default;
};

struct RawDataset {
  std::string path;                        ///< without the leading slash
  h5::TypeInfo type;                       ///< of an element, in the first file that has it; sizes are those in memory
  std::vector<std::uint64_t> row_shape;    ///< without the sample axis (of a joined table: without its row axis)
  CfAttributes cf{};                       ///< of the first file
  std::vector<CfAttributes> cf_of_file{};  ///< of each file, where they say different things; else empty
  std::vector<std::string> classes{};  ///< an attribute that names the labels 0, 1, 2, ... (of texts: is their list)
  std::string labelled_otherwise{};    ///< a file whose attributes name the labels otherwise; "": none
  std::vector<TypeInFile> type_in_file{};  ///< in each file, where it is not the same in all; else empty
};

/// All datasets that a field may use, by path.
struct RawDatasets {
  std::vector<RawDataset> all;

  const RawDataset* find(const std::string& path) const {
    const auto at = std::find_if(all.begin(), all.end(), [&](const auto& dataset) { return dataset.path == path; });
    return at == all.end() ? nullptr : &*at;
  }
  std::vector<std::string> paths() const {
    std::vector<std::string> names;
    for (const auto& dataset : all) names.push_back(dataset.path);
    return names;
  }
};

}  // namespace headrace::service
