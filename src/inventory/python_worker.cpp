#include "inventory/python_worker.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/printable.hpp"
#include "inventory/decode_script.hpp"

namespace headrace::inventory {

namespace {

std::string decoder_text(const PythonOptions& options) {
  return fmt::format("decoder 'python:{}'", printable(options.name));
}

/// As the shell finds it.
std::string program_path(const PythonOptions& options) {
  if (options.program.find('/') != std::string::npos) return options.program;
  const char* path = std::getenv("PATH");
  std::string folders = path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path;
  for (std::size_t at = 0; at <= folders.size();) {
    const auto end = std::min(folders.find(':', at), folders.size());
    const auto candidate = folders.substr(at, end - at) + "/" + options.program;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    at = end + 1;
  }
  throw Error(fmt::format("{} needs the program '{}', which is not there; name another as python in [inventory]",
                          decoder_text(options), options.program));
}

std::vector<std::string> arguments_of(const PythonOptions& options, const Table& table) {
  const auto folder = std::filesystem::absolute(table.path()).parent_path().string();
  return {"-c", decode_script, options.name, folder};
}

}  // namespace

PythonWorker::PythonWorker(const PythonOptions& options, const Table& table)
    : options_(options), helper_(program_path(options), arguments_of(options, table), 4096), limit_(options.starting) {
  auto records = nlohmann::json::array(), infinite = nlohmann::json::array();  // which JSON has no numbers for
  for (std::size_t row = 0; row < table.rows(); ++row) {
    auto record = nlohmann::json::object();
    for (std::size_t c = 0; c < table.columns().size(); ++c) {
      const auto& name = table.columns()[c];
      if (table.kind(c) == ColumnKind::integer)
        record[name] = table.integer(row, c);
      else if (table.kind(c) == ColumnKind::text)
        record[name] = table.at(row, c);
      else if (const auto number = table.number(row, c); std::isfinite(number) || table.at(row, c).empty())
        record[name] = number;  // JSON's null where nothing stands
      else
        infinite.push_back({row, name, std::isnan(number) ? "nan" : number > 0 ? "inf" : "-inf"});
    }
    records.push_back(std::move(record));
  }
  const auto request = nlohmann::json{{"fit", std::move(records)}, {"infinite", std::move(infinite)}}.dump();
  std::optional<std::string> answer;
  if (give(request)) answer = receive();
  if (!answer) throw Error(fmt::format("{} cannot be used ({})", decoder_text(options_), why_no_answer()));
  const auto told = nlohmann::json::parse(*answer, nullptr, false);
  limit_ = options.silence;
  if (told.is_object() && told.empty()) return;
  const auto why = told.is_object() ? told.value("error", "it gives no reason") : "it answers nonsense";
  throw Error(fmt::format("{} cannot be used: {}", decoder_text(options_), printable(why)));
}

std::function<bool()> PythonWorker::patience() {
  return [this, since = Clock::now()] {
    silent_ = Clock::now() - since > limit_;
    return !silent_;
  };
}

bool PythonWorker::give(std::string_view text) {
  return helper_.send(text, patience());
}

std::optional<std::string> PythonWorker::receive() {
  return helper_.receive(patience());
}

std::string PythonWorker::why_no_answer() {
  const auto pid = helper_.pid();
  const int status = helper_.end();
  if (silent_)
    return fmt::format("its process {} has said nothing for {:g} s (more is allowed by decoder-timeout in [inventory])",
                       pid, std::chrono::duration<double>(limit_).count());
  if (WIFSIGNALED(status)) return fmt::format("its process {} was ended by signal {}", pid, WTERMSIG(status));
  return fmt::format("its process {} has ended with exit code {}", pid, WEXITSTATUS(status));
}

bool PythonWorker::send(const std::vector<PythonSample>& samples) {
  auto list = nlohmann::json::array();
  for (const auto& sample : samples)
    list.push_back({{"row", sample.row}, {"path", sample.path}, {"sent", !sample.in_file}});
  const auto request = nlohmann::json{{"samples", std::move(list)}};
  if (!give(request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))) return false;
  return std::all_of(samples.begin(), samples.end(),
                     [&](const auto& sample) { return sample.in_file || give(sample.content); });
}

std::size_t PythonWorker::decode(const std::vector<PythonSample>& samples, const PythonMade& made,
                                 const PythonFailed& failed) {
  if (!send(samples)) return 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto npy = receive();
    if (npy && !npy->empty()) {
      made(i, *npy);
      continue;
    }
    const auto why = npy ? receive() : std::nullopt;
    if (!why) return i;
    failed(i, fmt::format("{}: {}", decoder_text(options_), printable(*why)));
  }
  return samples.size();
}

std::string PythonWorker::end() {
  return fmt::format("{}: {}", decoder_text(options_), why_no_answer());
}

}  // namespace headrace::inventory
