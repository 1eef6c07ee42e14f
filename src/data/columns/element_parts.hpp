// The numbers and texts within an element of a dataset, and how users name them. Pure functions; plain values.
//
//   compound   member, or the member's number where none is called like that; of one that is a compound itself: a.b
//   array      number of the element, row-major over all axes; or one number for each axis: cov.3, cov.1.0
//   complex    real, imag (or the names in the file)
//   lists      first:last as in Python, wherever a number may stand
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "h5/types.hpp"

namespace headrace::data::columns {

struct Part {
  std::string name;                ///< as a column is called: "pt", "cov_3", "z.real"
  std::string path;                ///< as users write it: "cov.3"
  std::vector<std::string> steps;  ///< from the element to it: members by name, elements and complex parts by number
  std::uint64_t offset = 0;        ///< within the element
  const h5::TypeInfo* type = nullptr;
};

/// What `text` names in an element of this type. Throws UsageError with the second half of a sentence about the dataset
/// ("has no column 'x'; did you mean ...").
std::vector<Part> parts_named(const h5::TypeInfo& type, const std::string& text);

/// The same part of another type, if it is there.
std::optional<Part> part_at(const h5::TypeInfo& type, const std::vector<std::string>& steps);

/// What a part that is an array, a complex number or a compound is made of, down to what is neither; of others itself.
std::vector<Part> leaves_of(const Part& part);

/// Its bytes, each by itself, of the same steps: of a text of fixed length, or of what is opaque.
std::vector<Part> bytes_of(const Part& part);

/// "4" or "4:8", ":8", "-1": the numbers that are meant of n; nothing where the text is none of these. Throws
/// UsageError with the second half of a sentence about `about` where there are not so many.
std::optional<std::vector<std::uint64_t>> numbers_meant(std::string_view text, std::uint64_t n,
                                                        const std::string& about);

}  // namespace headrace::data::columns
