#include "catalog/examiner_messages.hpp"

#include <nlohmann/json.hpp>
#include <set>

namespace headrace::catalog {

namespace {

using nlohmann::json;

std::string to_bytes(const json& j) {
  std::string bytes;
  json::to_cbor(j, bytes);
  return bytes;
}

}  // namespace

std::string to_text(const ExamineRequest& request) {
  if (const auto* file = std::get_if<ExamineFile>(&request)) return to_bytes(json::array({file->path}));
  if (const auto* trial = std::get_if<Trial>(&request)) return to_bytes(json::array({trial->path, trial->datasets}));
  const auto& ask = std::get<Ask>(request);
  return to_bytes(json::array({ask.home, ask.name, ask.datasets}));
}

ExamineRequest to_request(const std::string& text) {
  const auto j = json::from_cbor(text);
  if (j.size() == 1) return ExamineFile{j.at(0).get<std::string>()};
  if (j.size() == 2) return Trial{j.at(0).get<std::string>(), j.at(1).get<std::vector<std::string>>()};
  return Ask{j.at(0).get<std::string>(), j.at(1).get<std::string>(), j.at(2).get<std::set<std::string>>()};
}

std::string to_text(const Answer& answer) {
  // The long text stands beside the rest, not in it: it is not copied once more.
  const auto head = to_bytes(json::array({static_cast<int>(answer.outcome), answer.outside, answer.last}));
  return std::to_string(head.size()) + " " + head + answer.text;
}

Answer to_answer(const std::string& text) {
  std::size_t digits = 0;
  const auto length = std::stoul(text, &digits);
  const auto j = json::from_cbor(text.substr(digits + 1, length));
  Answer answer;
  answer.outcome = static_cast<Outcome>(j.at(0).get<int>());
  j.at(1).get_to(answer.outside);
  j.at(2).get_to(answer.last);
  answer.text = text.substr(digits + 1 + length);
  return answer;
}

}  // namespace headrace::catalog
