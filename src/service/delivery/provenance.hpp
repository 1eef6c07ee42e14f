// In which files samples are, for trainers that ask. Any thread.
#pragma once

#include "catalog/catalog.hpp"
#include "ipc/fd.hpp"

namespace headrace::service::delivery {

/// The table of files (ring/file_table.hpp), paths absolute, in a sealed memfd for any number of trainers.
ipc::Fd table_of_files(const catalog::Catalog& catalog);

}  // namespace headrace::service::delivery
