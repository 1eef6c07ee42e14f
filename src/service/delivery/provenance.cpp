#include "service/delivery/provenance.hpp"

#include <filesystem>

#include "ipc/memory.hpp"
#include "ring/file_table.hpp"

namespace headrace::service::delivery {

ipc::Fd table_of_files(const catalog::Catalog& catalog) {
  std::vector<ring::FileSpan> files;
  for (const auto& file : catalog.files)
    files.push_back({std::filesystem::absolute(file.path).string(), file.first_sample, file.samples});
  return ipc::make_memfd_of("headrace-files", ring::encode(files));
}

}  // namespace headrace::service::delivery
