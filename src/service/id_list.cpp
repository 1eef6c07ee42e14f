#include "service/id_list.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/error.hpp"
#include "base/printable.hpp"

namespace headrace::service {

namespace {

template <class T>
void sort_once(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

template <class T, class Value>
std::optional<std::size_t> place_of(const std::vector<T>& values, const Value& value) {
  const auto at = std::lower_bound(values.begin(), values.end(), value);
  if (at == values.end() || *at != value) return std::nullopt;
  return static_cast<std::size_t>(at - values.begin());
}

void read_numbers(const std::string& line, const std::string& place, std::vector<std::int64_t>& numbers) {
  for (std::size_t at = 0; (at = line.find_first_not_of(" \t,;\r", at)) != std::string::npos;) {
    const auto end = std::min(line.find_first_of(" \t,;\r", at), line.size());
    std::int64_t number = 0;
    const auto [rest, status] = std::from_chars(line.data() + at, line.data() + end, number);
    require(status == std::errc{} && rest == line.data() + end,
            place + ": '" + line.substr(at, end - at) + "' is not a whole number");
    numbers.push_back(number);
    at = end;
  }
}

}  // namespace

IdList IdList::parse(const std::string& content, const std::string& file, bool texts) {
  IdList list;
  std::istringstream lines(content);
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    if (line.starts_with('#')) continue;
    if (!texts) {
      read_numbers(line, file + ":" + std::to_string(number), list.numbers_);
      continue;
    }
    line.erase(line.find_last_not_of(" \t\r") + 1);
    line.erase(0, line.find_first_not_of(" \t"));
    const bool quoted = line.size() > 1 && line.front() == '"' && line.back() == '"';
    if (!line.empty()) list.texts_.push_back(quoted ? line.substr(1, line.size() - 2) : line);
  }
  sort_once(list.numbers_);
  sort_once(list.texts_);
  list.count_ = list.numbers_.size() + list.texts_.size();
  require(list.count_ > 0, file + " lists no sample");
  return list;
}

IdList IdList::read(const std::string& path, bool texts, const std::string& stream) try {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in) throw Error(errno_text("'" + path + "' cannot be read", errno) + "; give the path of a list of samples");
  return parse(text.str(), path, texts);
} catch (const Error& error) {
  throw Error("stream '" + stream + "': select: " + error.what());
}

void IdList::filter(const transform::ColumnValues& values, std::vector<std::uint8_t>& keep,
                    std::vector<std::uint8_t>& found) const {
  const auto check = [&](std::size_t i, const std::optional<std::size_t>& place) {
    if (keep[i] == 0) return;
    keep[i] = place.has_value();
    if (place) found[*place] = 1;
  };
  if (const auto* whole = std::get_if<std::vector<std::int64_t>>(&values)) {
    for (std::size_t i = 0; i < whole->size(); ++i) check(i, place_of(numbers_, (*whole)[i]));
  } else if (const auto* natural = std::get_if<std::vector<std::uint64_t>>(&values)) {
    for (std::size_t i = 0; i < natural->size(); ++i)
      check(i, (*natural)[i] > INT64_MAX ? std::nullopt : place_of(numbers_, static_cast<std::int64_t>((*natural)[i])));
  } else {
    const auto& words = std::get<std::vector<std::string>>(values);
    for (std::size_t i = 0; i < words.size(); ++i) check(i, place_of(texts_, words[i]));
  }
}

std::string IdList::value(std::size_t i) const {
  return texts_.empty() ? std::to_string(numbers_[i]) : printable(texts_[i]);
}

}  // namespace headrace::service
