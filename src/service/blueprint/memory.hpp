// How much memory this node can still give: the kernel's estimate, and the limit of every cgroup above this process.
#pragma once

#include <cstdint>
#include <string>

namespace headrace::service::blueprint {

struct MemoryLimit {
  std::uint64_t available = 0;  ///< bytes
  std::string by;               ///< "MemAvailable" or "cgroup /slurm/job_17 (memory.max)"
};

/// The tightest limit. root: where /proc and /sys are found (tests put files there).
MemoryLimit available_memory(const std::string& root = "");

/// What this process has taken of it without files or shared memory: heap and stacks, as they are in use now.
std::uint64_t own_memory(const std::string& root = "");

}  // namespace headrace::service::blueprint
