#include "mpi/agree.hpp"

#include <algorithm>
#include <new>
#include <string>
#include <vector>

#include "base/host_name.hpp"

namespace headrace::mpi {

namespace {

enum class Outcome : char { fine = 'f', error = 'e', usage = 'u' };

struct Verdict {
  Outcome outcome = Outcome::fine;
  std::string host, message;
};

Verdict verdict(const std::exception_ptr& mine) {
  if (!mine) return {Outcome::fine, host_name(), ""};
  try {
    std::rethrow_exception(mine);
  } catch (const UsageError& e) {
    return {Outcome::usage, host_name(), e.what()};
  } catch (const std::bad_alloc&) {
    return {Outcome::error, host_name(), "out of memory"};
  } catch (const std::exception& e) {
    return {Outcome::error, host_name(), e.what()};
  } catch (...) {
    return {Outcome::error, host_name(), "unknown failure"};
  }
}

// outcome, host, zero, message: host names hold no zero bytes.
std::string packed(const Verdict& v) {
  return static_cast<char>(v.outcome) + v.host + '\0' + v.message;
}

Verdict unpacked(const std::string& text) {
  const auto end = text.find('\0');
  return {static_cast<Outcome>(text.at(0)), text.substr(1, end - 1), text.substr(end + 1)};
}

std::string told_as(const std::vector<Verdict>& all, const Verdict& first) {
  const auto alike = [&](const Verdict& v) { return v.outcome != Outcome::fine && v.message == first.message; };
  if (std::all_of(all.begin(), all.end(), alike)) return first.message;
  const bool one_node = std::all_of(all.begin(), all.end(), [&](const Verdict& v) { return v.host == all[0].host; });
  const auto failed =
      std::count_if(all.begin(), all.end(), [](const Verdict& v) { return v.outcome != Outcome::fine; });
  std::string text = one_node ? first.message : "on " + first.host + ": " + first.message;
  if (failed > 1) text += " (and " + std::to_string(failed - 1) + " more)";
  return text;
}

}  // namespace

void agree(const Comm& comm, const std::exception_ptr& mine) {
  if (comm.max(std::uint64_t{mine ? 1u : 0u}) == 0) return;
  std::vector<Verdict> all;
  for (const auto& text : comm.allgather(packed(verdict(mine)))) all.push_back(unpacked(text));
  const auto first = std::find_if(all.begin(), all.end(), [](const Verdict& v) { return v.outcome != Outcome::fine; });
  const auto text = told_as(all, *first);
  if (first->outcome == Outcome::usage) throw UsageError(text);
  throw Error(text);
}

}  // namespace headrace::mpi
