#include "base/crash.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstddef>

#include "base/reading_note.hpp"

namespace headrace {

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

constexpr std::array crashes{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
std::array<char, 65> host;
alignas(16) std::array<std::byte, 1 << 16> stack_for_handler;

/// A line put together by a signal handler: no allocation, no locale, no stdio.
class Line {
 public:
  Line& operator<<(const char* text) noexcept {
    for (; *text != '\0'; ++text) add(*text);
    return *this;
  }
  Line& operator<<(long number) noexcept {
    std::array<char, 24> digits{};
    std::size_t n = 0;
    do digits[n++] = static_cast<char>('0' + number % 10);
    while ((number /= 10) > 0);
    while (n > 0) add(digits[--n]);
    return *this;
  }
  /// A name from outside: it can neither steer a terminal nor begin a line of its own.
  Line& name(const char* text) noexcept {
    constexpr std::size_t longest = 1500;
    for (std::size_t i = 0; i < longest && text[i] != '\0'; ++i) {
      const auto c = static_cast<unsigned char>(text[i]);
      if (c >= ' ' && c != 0x7f) {
        add(text[i]);
      } else {
        constexpr const char* hex = "0123456789abcdef";
        *this << "\\x";
        add(hex[c >> 4]), add(hex[c & 15]);
      }
    }
    return *this;
  }
  void write() noexcept { [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text_.data(), size_); }

 private:
  void add(char c) noexcept {
    if (size_ < text_.size()) text_[size_++] = c;
  }
  std::array<char, 12000> text_;
  std::size_t size_ = 0;
};

void tell_file(Line& line, const Reading& reading) noexcept {
  line << " while it read ";
  if (reading.dataset != nullptr) (line << "dataset '").name(reading.dataset) << "' in ";
  line.name(reading.file)
      << "; the file is damaged, or what decodes it is at fault (HDF5, a filter's plug-in): look at "
         "it with 'h5dump";
  if (reading.dataset != nullptr) (line << " -d '/").name(reading.dataset) << "'";
  (line << " ").name(reading.file) << "', copy it anew, or leave it out\n";
}

void tell(int signal, const siginfo_t& info) noexcept {
  Line line;
  line << "headrace: on " << host.data() << ": process " << static_cast<long>(getpid());
  const bool sent = info.si_code <= 0 && info.si_pid != getpid();
  if (sent) {
    line << " was ended by " << name_of_crash(signal) << ", which process " << static_cast<long>(info.si_pid)
         << " sent\n";
  } else {
    line << " crashed (" << name_of_crash(signal)
         << (signal == SIGBUS ? ": what lies behind its memory is gone, as when a file is cut short" : "") << ")";
    const auto reading = ReadingNote::of_this_thread();
    if (reading.file != nullptr)
      tell_file(line, reading);
    else
      line << "; this is a fault of the program or of a library that it uses: please report it, with the command\n";
  }
  line.write();
}

void handle(int signal, siginfo_t* info, void*) noexcept {
  tell(signal, *info);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);  // also where a program takes the cores
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  sigaction(signal, &usual, nullptr);
  raise(signal);  // it comes when it is no longer blocked: as this returns
}

}  // namespace

const char* name_of_crash(int signal) noexcept {
  switch (signal) {
    case SIGSEGV:
      return "SIGSEGV";
    case SIGBUS:
      return "SIGBUS";
    case SIGFPE:
      return "SIGFPE";
    case SIGILL:
      return "SIGILL";
    case SIGABRT:
      return "SIGABRT";
    default:
      return nullptr;
  }
}

void tell_crashes() noexcept {
  if (sanitized) return;
  gethostname(host.data(), host.size() - 1);
  stack_t stack{};
  stack.ss_sp = stack_for_handler.data();
  stack.ss_size = stack_for_handler.size();
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (const int signal : crashes) sigaction(signal, &action, nullptr);
}

}  // namespace headrace
