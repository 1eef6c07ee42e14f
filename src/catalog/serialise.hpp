// Descriptions of files as bytes, so that ranks can exchange them.
#pragma once

#include <string>

#include "reader/catalog.hpp"

namespace headrace::reader {

std::string pack(const FileContents& file);
FileContents unpack(const std::string& bytes);

}  // namespace headrace::reader
