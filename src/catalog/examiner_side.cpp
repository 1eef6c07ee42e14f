#include <unistd.h>

#include <algorithm>
#include <new>
#include <stdexcept>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/reading_note.hpp"
#include "catalog/examiner.hpp"
#include "catalog/examiner_messages.hpp"
#include "catalog/serialise.hpp"
#include "h5/describe.hpp"
#include "h5/outside.hpp"
#include "h5/trial.hpp"
#include "ipc/helper.hpp"

namespace headrace::catalog {

namespace {

/// A file may say that something in it takes any amount of memory: half of the machine's is more than what it takes to
/// describe millions of datasets, and so is this.
std::uint64_t most_memory() {
  constexpr std::uint64_t enough = std::uint64_t{32} << 30;
  const auto all =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return std::min(enough, all / 2);
}

std::string do_it(const ExamineRequest& request, const std::string*& about) {
  if (const auto* file = std::get_if<ExamineFile>(&request)) {
    about = &file->path;
    return pack(examine(file->path, h5::Depth::try_reading));
  }
  if (const auto* trial = std::get_if<Trial>(&request)) {
    about = &trial->path;
    const auto note = ReadingNote::of_file(trial->path);
    h5::try_virtual(h5::open_file(trial->path), trial->datasets);
    return "";
  }
  const auto& ask = std::get<Ask>(request);
  about = &ask.home;
  return pack(look_for(ask, h5::Depth::try_reading));
}

Error too_large(const std::string& file) {
  return Error("cannot read " + file + " (to describe it takes more memory than " +
               format_bytes(static_cast<double>(most_memory())) +
               "); it is damaged: look at it with 'h5dump -H', copy it anew, or leave it out");
}

Answer answer_to(const ExamineRequest& request) {
  Answer answer;
  const std::string* about = nullptr;
  try {
    try {
      answer.text = do_it(request, about);
    } catch (const std::bad_alloc&) {
      throw too_large(*about);
    } catch (const std::length_error&) {
      throw too_large(*about);
    }
    const auto note = ReadingNote::of_file(*about);
    try {
      h5::require_all_closed();
    } catch (const Error& error) {
      answer.last = true;
      throw Error("cannot read " + *about + " (" + error.what() + "); it is damaged: copy it anew, or leave it out");
    }
  } catch (const UsageError& error) {
    answer.outcome = Outcome::usage;
    answer.text = error.what();
  } catch (const std::exception& error) {
    answer.outcome = Outcome::failed;
    answer.text = error.what();
  }
  answer.outside = h5::files_outside();
  return answer;
}

}  // namespace

int examine_for_another(const std::vector<std::string>& arguments) {
  const auto starter = arguments.empty() ? 0 : std::atoi(arguments.back().c_str());
  const auto side = ipc::HelperSide::begin(starter, sizeof(ReadingBoard), most_memory());
  if (!side) return 1;
  show_reading_on(reinterpret_cast<ReadingBoard*>(side->shared()));
  while (const auto request = side->receive())
    if (!side->send(to_text(answer_to(to_request(*request))))) break;
  _exit(0);  // nothing of HDF5's own end, which the file before the last may have spoiled
}

}  // namespace headrace::catalog
