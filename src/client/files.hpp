// The table of files as the service told it, and as hr_files() shows it. Immutable; neither moved nor copied, because
// the caller was given addresses.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "headrace/headrace.h"
#include "ipc/memory.hpp"
#include "ipc/socket.hpp"
#include "ring/file_table.hpp"

namespace headrace::client {

class Files {
 public:
  /// Of the answer that carries it; Error where that is not as announced.
  explicit Files(const ipc::Message& answer) {
    require(answer.fds.size() == 1, "the service told its files with " + std::to_string(answer.fds.size()) +
                                        " descriptors instead of 1; use libheadrace of the service's version");
    spans_ = ring::decode_files(ipc::text_of_memfd(answer.fds.front()));
    for (const auto& span : spans_)
      files_.push_back({sizeof(hr_file), span.path.c_str(), span.first_sample, span.samples});
    for (const auto& file : files_) view_.push_back(&file);
  }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;
  const std::vector<const hr_file*>& view() const { return view_; }

 private:
  std::vector<ring::FileSpan> spans_;
  std::vector<hr_file> files_;
  std::vector<const hr_file*> view_;
};

}  // namespace headrace::client
