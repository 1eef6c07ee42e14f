// A program that this process starts and waits for, as a launcher would: signals sent here reach it, and it does not
// outlive this process.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace headrace::commands {

class Child {
 public:
  /// Blocks the signals that are handed on, and the child's end. First thing in the process, before other threads.
  static void block_signals();

  /// Starts command[0], found on PATH, with this environment ("NAME=value"). Error where it cannot be started.
  Child(const std::vector<std::string>& command, const std::vector<std::string>& environment);
  /// Sleeps until the program has ended, and hands signals on. Its exit code; 128 and the number of the signal that
  /// ended it.
  int wait();
  /// Whether a signal was handed on that asks a program to end.
  bool was_asked_to_end() const { return asked_to_end_; }
  /// From now on signals do to this process what they do by default.
  static void unblock_signals();

 private:
  pid_t pid_ = -1;
  bool asked_to_end_ = false;
};

}  // namespace headrace::commands
