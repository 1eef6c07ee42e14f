#include "job/random_word.hpp"

#include <fmt/format.h>

#include <random>

namespace headrace::job {

std::string random_word() {
  std::random_device kernel;
  return fmt::format("{:08x}{:08x}", kernel(), kernel());
}

}  // namespace headrace::job
