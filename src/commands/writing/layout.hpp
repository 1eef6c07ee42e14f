// Which datasets a file has: those of the layout, made of the fields. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/schema.hpp"
#include "formats/table.hpp"
#include "h5/made/create.hpp"

namespace headrace::commands::writing {

struct Layout {
  std::vector<formats::Table> tables;
  std::vector<h5::NewAttribute> attributes;  ///< of datasets and groups

  std::uint64_t row_bytes() const;
};

/// UsageError that names the field: a type or a shape that a file cannot hold.
void require_writable(const Schema& schema);
/// UsageError that names the dataset: two fields would become it, it would be a group as well, or its name has a line
/// break, which the file's list of them has between two.
void require_distinct(const std::vector<formats::Table>& tables);

/// A dataset per field, with its classes and columns. places: path in the file and field, for those that are not called
/// as the field.
Layout plain_layout(const std::vector<std::pair<std::string, std::string>>& places, const Schema& schema,
                    std::uint64_t samples);

}  // namespace headrace::commands::writing
