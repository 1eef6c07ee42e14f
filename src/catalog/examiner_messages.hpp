// What is said between a process and the one that looks at files for it. Not for other rooms.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "catalog/source.hpp"

namespace headrace::catalog {

struct ExamineFile {
  std::string path;
};
using ExamineRequest = std::variant<ExamineFile, Trial, Ask>;

enum class Outcome { done, failed, usage };

struct Answer {
  Outcome outcome = Outcome::done;
  std::string text;                  ///< what was asked for, packed; or the error
  std::vector<std::string> outside;  ///< h5::files_outside()
  bool last = false;                 ///< the process is not fit for another file
};

std::string to_text(const ExamineRequest& request);
ExamineRequest to_request(const std::string& text);
std::string to_text(const Answer& answer);
/// Throws what it likes where the text is none.
Answer to_answer(const std::string& text);

}  // namespace headrace::catalog
