// What loads of the same files know of them from each other.
#pragma once

#include "reader/chunk_book.hpp"
#include "reader/file_marks.hpp"

namespace headrace::reader {

struct KnownFiles {
  FileMarks marks;
  ChunkBook chunks;
};

}  // namespace headrace::reader
