// Which datasets a file has: those of the layout, made of the fields. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/schema.hpp"
#include "config/outputs.hpp"
#include "formats/table.hpp"
#include "h5/made/create.hpp"

namespace headrace::commands::premix {

struct Layout {
  std::vector<formats::Table> tables;
  std::vector<h5::NewAttribute> attributes;  ///< of datasets and groups

  std::uint64_t row_bytes() const;
};

}  // namespace headrace::commands::premix
