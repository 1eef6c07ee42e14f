// A dataset of a file: what it holds, and how it lies there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "h5/attribute.hpp"
#include "h5/filters.hpp"
#include "h5/types.hpp"
#include "h5/virtual_map.hpp"

namespace headrace::h5 {

enum class Layout { contiguous, chunked, compact, other };  ///< other: virtual, or kept in other files

struct DatasetInfo {
  std::vector<std::string> aliases;  ///< other links to it in this file
  std::string path;                  ///< without the leading slash, as in "jets/inputs"
  std::vector<std::uint64_t> dims;   ///< empty: one value, or none at all
  TypeInfo type;
  Layout layout = Layout::other;
  std::vector<std::uint64_t> chunk;  ///< dims of a chunk, where chunked
  std::vector<Filter> filters;
  bool partial_chunks_unfiltered = false;  ///< chunks that overlap the border are stored as they are
  std::uint64_t stored_bytes = 0;          ///< in the file, after filters
  std::vector<Attribute> attributes;       ///< numbers and texts, by name
  std::string problem;                     ///< why this HDF5 cannot open it; nothing else but the names is known then
  std::optional<std::uint64_t> offset;     ///< of the first byte in the file, where contiguous and written
  std::vector<VirtualPart> parts;          ///< where it is virtual: what it is made of
  std::string home;                        ///< where it is virtual: the file that it lies in, behind links of this one
  std::string other_file;                  ///< that it really lies in, behind an external link; "": this one
  std::string stored_as;                   ///< its path in the file, where that is another than `path`
  std::string lost;                        ///< why some of its values are not there to be read; "": as far as is known
  std::vector<std::string> raw_files;      ///< that its values lie in, where they lie in raw files beside

  /// The path to open it by.
  const std::string& place() const { return stored_as.empty() ? path : stored_as; }
  std::uint64_t rows() const { return dims.empty() ? 0 : dims[0]; }
  std::uint64_t row_elements() const;  ///< elements per index of axis 0
  std::uint64_t row_bytes() const { return row_elements() * memory_size(type); }
  const Attribute* attribute(std::string_view name) const;  ///< or nullptr
  std::uint64_t bytes() const { return rows() * row_bytes(); }
  bool operator==(const DatasetInfo&) const = default;
};

/// "contiguous", "chunked", "compact", "virtual or external".
std::string_view text_of(Layout layout);
/// "(1797, 8, 8)", "(5,)", "()": as NumPy writes shapes.
std::string shape_text(const std::vector<std::uint64_t>& dims);

}  // namespace headrace::h5
