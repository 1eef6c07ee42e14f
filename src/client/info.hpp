// hr_info and what it points to, made once from the welcome. Immutable but for the position; not copied, not moved.
#pragma once

#include <string>
#include <vector>

#include "headrace/headrace.h"
#include "ring/messages.hpp"

namespace headrace::client {

class Info {
 public:
  Info(ring::Welcome welcome, std::string text);
  Info(const Info&) = delete;
  Info& operator=(const Info&) = delete;

  const ring::Welcome& welcome() const { return welcome_; }
  /// Without ring and position.
  const hr_info& view() const { return info_; }
  std::size_t row_bytes() const { return row_bytes_; }
  /// "stager 0 (pid 4711 on node1)"
  const std::string& stager() const { return stager_; }

 private:
  ring::Welcome welcome_;
  std::string text_, stager_;
  std::vector<std::vector<const char*>> names_;  // columns and classes of each field
  std::vector<hr_field> fields_;
  std::vector<const hr_field*> field_pointers_;
  hr_info info_{};
  std::size_t row_bytes_ = 0;
};

}  // namespace headrace::client
