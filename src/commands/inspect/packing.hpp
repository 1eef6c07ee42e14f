// What attributes say of packed values, and whether fields heed it. Pure.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.hpp"

namespace headrace::commands::inspect {

struct PackingNote {
  std::string dataset;
  bool decoded = false;  ///< by default: cf = auto
  std::string text;
};

/// One for each dataset with attributes that pack its values, by path.
std::vector<PackingNote> packing_notes(const catalog::Contents& contents);

}  // namespace headrace::commands::inspect
