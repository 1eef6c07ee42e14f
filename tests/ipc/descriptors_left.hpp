// A moment in which this process finds no more than a few descriptors.
#pragma once

#include <fcntl.h>
#include <sys/resource.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "base/file_limit.hpp"
#include "ipc/fd.hpp"

/// Leaves room for so many descriptors more, until the end of its life.
class DescriptorsLeft {
 public:
  explicit DescriptorsLeft(std::uint64_t more) {
    getrlimit(RLIMIT_NOFILE, &before_);
    // Numbers count, and there may be gaps: all below the limit are taken.
    rlimit limit = before_;
    limit.rlim_cur = headrace::open_files() + more + 64;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (;;) {
      headrace::ipc::Fd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
      if (!fd) break;
      taken_.push_back(std::move(fd));
    }
    taken_.resize(taken_.size() - more);
  }
  DescriptorsLeft(const DescriptorsLeft&) = delete;
  DescriptorsLeft& operator=(const DescriptorsLeft&) = delete;
  ~DescriptorsLeft() {
    taken_.clear();
    setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  std::vector<headrace::ipc::Fd> taken_;
};
