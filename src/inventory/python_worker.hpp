// One process that runs a decoder in Python (src/client/python/headrace/decode.py). One thread at a time.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "inventory/python_sample.hpp"
#include "inventory/table.hpp"
#include "ipc/helper.hpp"

namespace headrace::inventory {

class PythonWorker {
 public:
  /// Starts it, and has it fitted to the table. Error that names the decoder: no such program, what the module raised.
  PythonWorker(const PythonOptions& options, const Table& table);

  /// For how many there is an answer: less than all of them where it is dead or silent.
  std::size_t decode(const std::vector<PythonSample>& samples, const PythonMade& made, const PythonFailed& failed);
  /// Ends it. How it came to an end, for people.
  std::string end();

 private:
  std::function<bool()> patience();
  bool give(std::string_view text);
  std::optional<std::string> receive();
  bool send(const std::vector<PythonSample>& samples);
  std::string why_no_answer();

  const PythonOptions& options_;
  ipc::Helper helper_;
  std::chrono::milliseconds limit_;  ///< of its silence, now
  bool silent_ = false;
};

}  // namespace headrace::inventory
