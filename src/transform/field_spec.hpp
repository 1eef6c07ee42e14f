// What is done to the values of one field, with every name resolved: no configuration, no files, only numbers. Made by
// the service from the configuration and what the files hold; compiled by FieldTransform.
//
// Order of operations, per item:
//   1 byte order, CF decoding          4 log, tanh-log, plugin
//   2 which records are valid          5 (x - shift) / scale
//   3 nonfinite                        6 still not finite: error unless keep; then the cast
//                                      7 invalid records become `fill`
// Computed in float32, but in float64 where the source or what is delivered has more than its 24 bits: computed_wide().
// Steps 3 - 6 skip invalid records. `labels` stand in place of 3 - 6.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/dtype.hpp"
#include "base/whole.hpp"
#include "transform/label_map.hpp"
#include "transform/numbers/overflow.hpp"
#include "transform/raw.hpp"

namespace headrace::transform {

class Plugin;

/// What becomes of NaN and infinities of valid records.
struct Nonfinite {
  enum class Kind { error, keep, replace } kind = Kind::keep;
  double value = 0;  ///< the replacement
  bool operator==(const Nonfinite&) const = default;
};

using numbers::Overflow;

/// NetCDF's conventions (CF), as xarray decodes them: fill values become NaN, then raw * factor + offset, in `dtype`.
struct CfDecoding {
  std::vector<double> fill_values;
  std::vector<Whole> whole_fills{};  ///< more of them, where a double would stand for several integers
  double scale_factor = 1, add_offset = 0;
  bool scaled = false;             ///< there is a factor or an offset
  DType dtype = DType::float32;    ///< float32 or float64: what the decoded values are
  std::optional<DType> read_as{};  ///< the integer type of the same size that _Unsigned asks for; fill values are of it
  bool operator==(const CfDecoding&) const = default;
};

/// One column of an item, and what happens to it.
struct ColumnSpec {
  std::string name;  ///< for messages: "pt"; "" where the dataset has no named columns
  Cell cell;
  std::optional<CfDecoding> cf{};
  Nonfinite nonfinite{};
  bool log = false, tanh_log = false;
  bool scaled = false;  ///< step 5 happens
  double shift = 0, scale = 1;
  bool raw = false;  ///< neither normalised nor scaled, as the user said: for statistics
  bool operator==(const ColumnSpec&) const = default;
};

/// Where an item's validity comes from.
struct ValidSpec {
  enum class From {
    nowhere,  ///< all records are valid
    record,   ///< a cell of the record: nonzero is valid
    length,   ///< ragged rows: records below the row's length
    outside,  ///< another dataset or a join: the caller passes it
  } from = From::nowhere;
  Cell cell{};
};

/// One item of a field's source: columns of one dataset.
struct ItemSpec {
  std::string dataset;  ///< for messages
  RawRows raw;
  std::vector<ColumnSpec> columns;
  ValidSpec valid{};
  bool repeated = false;             ///< it has one record a row, that is repeated over all records of the field
  std::uint32_t first_column = 0;    ///< of the field
  std::optional<double> constant{};  ///< the dataset or column is absent: every value is this one; no raw rows come
  std::shared_ptr<Plugin> plugin{};  ///< step 4, over all columns of the item
};

struct FieldSpec {
  std::string name;
  std::vector<ItemSpec> items;
  std::uint64_t records = 1;  ///< per row of the field; ragged rows and joins are padded to it
  std::uint32_t columns = 1;  ///< of all items (classes, where labels are one-hot)
  bool truncate = false;      ///< rows with more records than that: cut them, instead of an error
  DType dtype = DType::float32;
  Overflow overflow = Overflow::error;
  double fill = 0;                           ///< every value of a record that is not valid
  std::shared_ptr<const LabelMap> labels{};  ///< encode: the single column of the single item is a label
  bool one_hot = false;

  std::uint64_t elements() const { return records * columns; }
  std::uint64_t row_bytes() const { return elements() * size_of(dtype); }
};

/// The type that several sources combine to, as NumPy's result_type does (float32 with int32: float64). bfloat16 with
/// an integer of 8 bits or itself stays, with float16 is float32, with anything larger as float16 would be.
DType result_type(DType a, DType b);

/// The type of an item's finished values where no dtype is given: that of the file; the float that CF decoding makes;
/// float32 (float64 for sources of 64 bits) where an operation makes floats of integers; int64 or, one-hot, float32 of
/// labels.
DType natural_dtype(const ColumnSpec& column, bool has_plugin);

}  // namespace headrace::transform
