// Descriptions of files as bytes, so that ranks can exchange them.
#pragma once

#include <string>

#include "catalog/catalog.hpp"

namespace headrace::catalog {

std::string pack(const FileContents& file);
FileContents unpack(const std::string& bytes);

}  // namespace headrace::catalog
