#include "data/selection/id_list.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "base/user_file.hpp"

namespace headrace::data::selection {

namespace {

/// Sorts. How many are there more than once, and the first of these.
template <class T>
std::pair<std::size_t, T> sort_out(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  std::pair<std::size_t, T> repeated{};
  for (std::size_t i = 1; i < values.size(); ++i)
    if (values[i] == values[i - 1] && (i == 1 || values[i] != values[i - 2]) && repeated.first++ == 0)
      repeated.second = values[i];
  return repeated;
}

/// Of sorted values each once; how often each was there.
template <class T>
std::vector<std::uint32_t> count_out(std::vector<T>& values) {
  std::vector<std::uint32_t> times;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0 && values[i] == values[kept - 1]) {
      ++times.back();
      continue;
    }
    if (kept != i) values[kept] = std::move(values[i]);
    ++kept;
    times.push_back(1);
  }
  values.resize(kept);
  return times;
}

template <class T, class Value>
std::optional<std::size_t> place_of(const std::vector<T>& values, const Value& value) {
  const auto at = std::lower_bound(values.begin(), values.end(), value);
  if (at == values.end() || *at != value) return std::nullopt;
  return static_cast<std::size_t>(at - values.begin());
}

/// f(line, its number) for those that count.
template <class F>
void for_each_line(const std::string& content, const F& f) {
  std::istringstream lines(content);
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number)
    if (!line.starts_with('#')) f(line, number);
}

/// The value of a line; none on one of blanks.
std::optional<std::string> text_in(const std::string& line) {
  const auto first = line.find_first_not_of(" \t\r");
  if (first == std::string::npos) return std::nullopt;
  const auto text = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
  const bool quoted = text.size() > 1 && text.front() == '"' && text.back() == '"';
  return quoted ? text.substr(1, text.size() - 2) : text;
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

/// Which lines hold the value is looked up now: a list of a billion has no place for the lines of all.
[[noreturn]] void refuse_repeats(const std::string& content, const std::string& file, bool texts,
                                 const std::string& value, std::size_t repeated) {
  std::vector<std::size_t> places;
  for_each_line(content, [&](const std::string& line, std::size_t number) {
    std::vector<std::int64_t> numbers;
    if (!texts) read_numbers(line, file, numbers);
    for (const auto here : numbers)
      if (std::to_string(here) == value) places.push_back(number);
    if (texts && text_in(line) == value) places.push_back(number);
  });
  throw Error(file + ":" + std::to_string(places.at(1)) + ": '" + value + "' is there already, in line " +
              std::to_string(places[0]) + " (" +
              (repeated == 1 ? "one value is" : std::to_string(repeated) + " values are") +
              " listed more than once); list each once, or set select-repeats = true to have it as often");
}

}  // namespace

IdList IdList::parse(const std::string& content, const std::string& file, bool texts, bool repeats) {
  IdList list;
  for_each_line(content, [&](const std::string& line, std::size_t number) {
    if (!texts) return read_numbers(line, file + ":" + std::to_string(number), list.numbers_);
    if (auto text = text_in(line)) list.texts_.push_back(std::move(*text));
  });
  const auto [numbers, a_number] = sort_out(list.numbers_);
  const auto [words, a_word] = sort_out(list.texts_);
  if (numbers + words > 0 && !repeats)
    refuse_repeats(content, file, texts, texts ? a_word : std::to_string(a_number), numbers + words);
  if (numbers + words > 0) list.times_ = texts ? count_out(list.texts_) : count_out(list.numbers_);
  list.count_ = list.numbers_.size() + list.texts_.size();
  require(list.count_ > 0, file + " lists no sample");
  return list;
}

IdList IdList::read(const std::string& path, bool texts, const std::string& stream, bool repeats) try {
  std::string why;
  const auto text = read_file_of_user(path, why);
  if (!text) throw Error("'" + path + "' cannot be read (" + why + "); give the path of a list of samples");
  return parse(*text, path, texts, repeats);
} catch (const Error& error) {
  throw Error("stream '" + stream + "': select: " + error.what());
}

void IdList::filter(const condition::ColumnValues& values, std::vector<std::uint8_t>& keep,
                    std::vector<std::uint8_t>& found, std::span<std::uint32_t> times) const {
  const auto check = [&](std::size_t i, const std::optional<std::size_t>& place) {
    if (keep[i] == 0) return;
    keep[i] = place.has_value();
    if (place) found[*place] = 1;
    if (place && !times.empty()) times[i] = this->times(*place);
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

}  // namespace headrace::data::selection
