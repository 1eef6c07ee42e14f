#include "base/reading_note.hpp"

#include <algorithm>
#include <cstring>
#include <span>

namespace headrace {

namespace {

constinit thread_local Reading now;
constinit ReadingBoard* board = nullptr;

void copy(const char* text, std::span<char> to) noexcept {
  const auto length = text != nullptr ? strnlen(text, to.size() - 1) : 0;
  std::copy_n(text, length, to.begin());
  to[length] = '\0';
}

void set(const Reading& reading) noexcept {
  const auto before = now;
  now = reading;
  if (board == nullptr) return;
  // Names of one file hardly ever change.
  if (before.file != reading.file) copy(reading.file, board->file);
  copy(reading.dataset, board->dataset);
  note_progress();
}

}  // namespace

ReadingNote::ReadingNote(const char* file, const char* dataset) noexcept : before_(now) {
  set({file, dataset});
}

ReadingNote::~ReadingNote() {
  set(before_);
}

Reading ReadingNote::of_this_thread() noexcept {
  return now;
}

void note_progress() noexcept {
  // Nothing else is ordered by it: a watcher only compares it with what it was.
  if (board != nullptr) board->steps.store(board->steps.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void show_reading_on(ReadingBoard* shown) noexcept {
  board = shown;
}

}  // namespace headrace
