// Small attributes of datasets and files: what conventions such as CF are told by.
#pragma once

#include <string>
#include <vector>

#include "base/whole.hpp"
#include "h5/handle.hpp"
#include "h5/types.hpp"

namespace headrace::h5 {

/// Numbers as double (integers of 64 bits also as they are), texts as they are. Attributes of more than 64 values, or of other types, are left out.
struct Attribute {
  std::string name;
  TypeInfo type;  ///< as it is stored
  std::vector<double> numbers;
  std::vector<std::string> texts;
  std::vector<Whole> wholes{};  ///< the numbers, where they are integers of 64 bits
  bool operator==(const Attribute&) const = default;
};

/// Those of an open object, by name.
std::vector<Attribute> attributes_of(hid_t object);
/// Those of a file's root group.
std::vector<Attribute> root_attributes(const File& file);

}  // namespace headrace::h5
