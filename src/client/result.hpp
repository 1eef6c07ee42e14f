// How a call of the C API ended: its code, and what hr_error() will say. Values for what is to be expected; Failure for
// what ends a call from deep inside.
#pragma once

#include <string>
#include <utility>

#include "base/error.hpp"
#include "headrace/headrace.h"

namespace headrace::client {

struct Result {
  int code = HR_OK;
  std::string text;
};

inline Result closed() {
  return {HR_CLOSED, "the stream was closed by another thread; connect again"};
}

class Failure : public Error {
 public:
  Failure(int code, const std::string& text) : Error(text), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

}  // namespace headrace::client
