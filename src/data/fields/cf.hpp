// NetCDF's packing and fill values, decoded as xarray (2024 and later) decodes them:
//
//   * _Unsigned = "true" reads signed integers as unsigned, "false" the other way round; fill values go along.
//   * Fill values (_FillValue, missing_value) become NaN. Without packing the type is then float32 for integers of up
//     to 16 bits, float64 for larger ones, and floats stay (but float16, which becomes float32).
//   * Packed values are raw * scale_factor + add_offset. Where both are float32 or both are float64 that is the type,
//     but float64 for 32-bit integers; any other offset means float64; a factor alone gives its own type. (For factors
//     that are integers xarray yields integers; here they are float64.)
//
// Files may be packed each in its own way, as those of one year each often are: each is decoded by its own attributes,
// and the types of the decoded values combine over the files as those of several sources do. So do the types of values
// that stand in different types in the files.
//
// Pure functions.
#pragma once

#include <functional>
#include <string>

#include "config/config.hpp"
#include "data/columns/item.hpp"
#include "data/columns/raw_dataset.hpp"
#include "transform/field_spec.hpp"

namespace headrace::data::fields {

/// How the values of a column stand in a file, and how they are decoded.
struct Packing {
  transform::Cell cell;
  std::optional<transform::CfDecoding> cf;
  bool absent = false;          ///< the file has no such column
  std::optional<double> pad{};  ///< what stands there instead, where that is not `missing`
  bool operator==(const Packing&) const = default;
};
using Packings = std::vector<Packing>;

/// What `mode` means for a dataset with these attributes: auto decodes where the file names a convention that means
/// them (CF, COARDS, ACDD, ...), where the NetCDF library wrote it, and, where no convention is named at all, what can
/// be meant in no other way: integers with scale_factor or add_offset, a _FillValue of the dataset's own type,
/// _Unsigned.
bool decodes_cf(const columns::CfAttributes& attributes, config::CfMode mode);

/// "packed values are not decoded: scale_factor 0.01, add_offset 5 (cf = off)", where a dataset has such attributes and
/// `mode` leaves them alone; else "".
std::string left_packed(const columns::RawDataset& dataset, config::CfMode mode);

/// Whether the first file's dataset has something to decode, in words: "scale_factor 0.01, add_offset 5"; else "".
std::string packing_text(const columns::CfAttributes& attributes);

/// The decoding of the dataset's values, if any is left to do. Changes the cell where it is only read as another type.
std::optional<transform::CfDecoding> cf_decoding(const columns::CfAttributes& attributes, transform::Cell& cell);

/// How a column of the dataset is packed: one for each file, or a single one for all of them.
Packings packings_of(const columns::RawDataset& dataset, config::CfMode mode, const columns::ItemColumn& column);
/// The first that is not absent.
const Packing& first_of(const Packings& packings);

/// The type that `type_of` gives to the column, combined over its packings.
DType type_over_files(const transform::ColumnSpec& column, const Packings& packings,
                      const std::function<DType(const transform::ColumnSpec&)>& type_of);

}  // namespace headrace::data::fields
