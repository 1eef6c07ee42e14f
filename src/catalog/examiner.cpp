#include "catalog/examiner.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "base/crash.hpp"
#include "base/error.hpp"
#include "base/reading_note.hpp"
#include "catalog/examiner_messages.hpp"
#include "catalog/serialise.hpp"
#include "h5/library.hpp"
#include "h5/outside.hpp"
#include "ipc/helper.hpp"

namespace headrace::catalog {

namespace {

std::optional<ExaminerProgram>& program() {
  static std::optional<ExaminerProgram> chosen;
  return chosen;
}

const ReadingBoard& board_of(const ipc::Helper& helper) {
  return *reinterpret_cast<const ReadingBoard*>(helper.shared());
}

template <std::size_t N>
std::string text_of(const std::array<char, N>& chars) {
  return {chars.begin(), std::find(chars.begin(), chars.end(), '\0')};
}

/// Whether the other process still gets ahead.
class Pace {
 public:
  explicit Pace(const ipc::Helper& helper) : helper_(helper) { step(); }

  bool circles() { return !steps() && helper_.cpu_time() - cpu_ > program()->processor; }
  bool silent() { return !steps() && Clock::now() - since_ > program()->silence; }

 private:
  bool steps() {
    if (board_of(helper_).steps.load(std::memory_order_relaxed) == steps_) return false;
    step();
    return true;
  }
  void step() {
    steps_ = board_of(helper_).steps.load(std::memory_order_relaxed);
    cpu_ = helper_.cpu_time();
    since_ = Clock::now();
  }

  const ipc::Helper& helper_;
  std::uint64_t steps_ = 0;
  std::chrono::nanoseconds cpu_{};
  Clock::time_point since_;
};

/// Where the other process was, as it showed on its board.
struct Place {
  std::string what;  ///< "its dataset 'x'", "dataset 'x' of /data/b.h5": seen from the file that it was asked about
  std::string file;
};

Place place_on(const ReadingBoard& board, const std::string& asked) {
  Place place{"its structure", text_of(board.file)};
  const auto dataset = text_of(board.dataset);
  if (place.file.empty()) place.file = asked;
  if (!dataset.empty()) place.what = fmt::format("its dataset '{}'", dataset);
  if (place.file != asked)
    place.what = dataset.empty() ? place.file : fmt::format("dataset '{}' of {}", dataset, place.file);
  return place;
}

std::string remedy(const std::string& file) {
  return fmt::format("; it is damaged: look at it with 'h5dump -H {}', copy it anew, or leave it out", file);
}

/// What a status of waitpid() means to whoever named the file.
std::string text_of_end(int status, const Place& place) {
  const auto& [what, file] = place;
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if (const char* crash = name_of_crash(signal))
    return fmt::format("HDF5 crashes on {}, with {}){}", what, crash, remedy(file));
  if (signal == SIGKILL)
    return fmt::format(
        "the process that looks at files was killed over {}; was there too little memory?); free memory, or leave the "
        "file out if it asks for more than it holds",
        what);
  if (signal != 0)
    return fmt::format("the process that looks at files was ended by signal {} over {}); try again", signal, what);
  if (WEXITSTATUS(status) != 0)
    return fmt::format("the process that looks at files left with exit code {} over {}){}", WEXITSTATUS(status), what,
                       remedy(file));
  return fmt::format("the process that looks at files gave no answer over {}){}", what, remedy(file));
}

}  // namespace

void examine_by(std::optional<ExaminerProgram> chosen) {
  program() = std::move(chosen);
}

Examiner::Examiner() = default;
Examiner::~Examiner() = default;

std::string Examiner::file(const std::string& path) {
  if (!program()) return pack(examine(path));
  return answer({to_text(ExamineFile{path}), path});
}

std::string Examiner::source(const Ask& ask) {
  if (!program()) return pack(look_for(ask));
  return answer({to_text(ask), ask.home});
}

void Examiner::try_virtual(const Trial& trial) {
  if (program()) answer({to_text(trial), trial.path});
}

std::string Examiner::answer(const Request& request) {
  std::string text;
  while (!ask(request.text, text)) {
    const auto before = asked_ - 1;
    const auto why = why_no_answer(request);
    helper_.reset();
    if (before == 0 || waiting_ != Waiting::no_more) throw Error(why);
  }
  Answer got;
  try {
    got = to_answer(text);
  } catch (const std::exception&) {  // whatever the parser throws
    helper_.reset();
    throw Error(fmt::format("cannot read {} (HDF5 made nonsense of it){}", request.file, remedy(request.file)));
  }
  h5::remember_outside(got.outside);
  if (got.last) helper_.reset();
  if (got.outcome == Outcome::usage) throw UsageError(got.text);
  if (got.outcome == Outcome::failed) throw Error(got.text);
  return std::move(got.text);
}

/// False: there is no answer, and never will be.
bool Examiner::ask(const std::string& text, std::string& answer) {
  if (!helper_) {
    h5::library();  // which tells what plug-ins are not loaded, in this process
    helper_ = std::make_unique<ipc::Helper>(program()->path, program()->arguments, sizeof(ReadingBoard));
    asked_ = 0;
  }
  ++asked_;
  waiting_ = Waiting::no_more;
  Pace pace(*helper_);
  const auto go_on = [&] {
    if (pace.circles())
      waiting_ = Waiting::circling;
    else if (pace.silent())
      waiting_ = Waiting::silent;
    return waiting_ == Waiting::no_more;
  };
  if (!helper_->send(text, go_on)) return false;
  auto got = helper_->receive(go_on);
  if (got) answer = std::move(*got);
  return got.has_value();
}

std::string Examiner::why_no_answer(const Request& request) {
  const int status = helper_->end();
  const auto place = place_on(board_of(*helper_), request.file);
  const auto begin = fmt::format("cannot read {} (", request.file);
  if (waiting_ == Waiting::circling)
    return begin + fmt::format("HDF5 has computed for {} s over {} and comes to no end){}",
                               program()->processor.count(), place.what, remedy(place.file));
  if (waiting_ == Waiting::silent)
    return begin + fmt::format("nothing has been heard of {} for {} s); does the file system answer?", place.what,
                               program()->silence.count());
  return begin + text_of_end(status, place);
}

}  // namespace headrace::catalog
