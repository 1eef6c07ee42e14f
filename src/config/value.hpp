// One value of the configuration as its source wrote it, and its reading as a number, a size, a choice. Pure functions.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "config/config.hpp"

namespace headrace::config {

/// What the user wrote. `shown` says it with its place, ready to begin a message:
///   lcd.toml:14: [stream.train] batch = "many"      HEADRACE_BATCH=many      --stream.train.batch many
struct Value {
  std::vector<std::string> texts;  ///< one, but for lists
  std::string shown;
  const std::string& text() const { return texts.front(); }
};

/// Throws UsageError: "SHOWN is not ALLOWED".
[[noreturn]] void reject(const Value& value, std::string_view allowed);
/// The same where only these words are allowed; names the nearest.
[[noreturn]] void reject_word(const Value& value, const std::vector<std::string>& allowed);

// Each reads the value or rejects it, saying what is allowed.
std::uint64_t whole(const Value& value, std::uint64_t least, std::uint64_t most = UINT64_MAX);
std::uint64_t bytes(const Value& value);
double seconds(const Value& value);  ///< "120", "2.5s", "20m", "2h", "20ms"
bool yes(const Value& value);        ///< true, yes, on, 1 and their opposites
/// A name that fits a socket's address: letters, digits, '.', '_' and '-', at most 64.
std::string service_name(const Value& value);
/// "2-5", or "2" for one.
std::pair<int, int> ranks(const Value& value);

std::int64_t integer(const Value& value);
/// The number that the whole text is; nothing for other texts and for what is not finite.
std::optional<double> number_in(const std::string& text);
double number(const Value& value);                       ///< finite
std::vector<double> numbers(const Value& value);         ///< all of them finite, at least one
std::vector<std::uint64_t> extents(const Value& value);  ///< of a shape: 1 or more each; none for a single value a row
DType dtype(const Value& value);
/// Names, each once, at least one, none empty; without the backquotes around them.
std::vector<std::string> names(const Value& value);
/// Its text, which may not be empty; `allowed` says what it may be.
std::string nonempty(const Value& value, std::string_view allowed);
/// Without blanks at both ends.
std::string trimmed(const std::string& text);
/// The items of a list on the command line: parted by commas, but not by those inside brackets or a name's quotes.
std::vector<std::string> split_items(std::string_view text);

/// The one of `choices` whose word() it is.
template <class Choice>
Choice choose(const Value& value, std::initializer_list<Choice> choices) {
  std::vector<std::string> words;
  for (const auto choice : choices) {
    if (value.text() == word(choice)) return choice;
    words.emplace_back(word(choice));
  }
  reject_word(value, words);
}

using Environment = std::map<std::string, std::string>;
/// The variables of this process.
Environment environment();
/// text with each ${NAME} replaced by the variable ("$${" stands for "${"). Throws UsageError for a variable that is
/// not set, beginning with `shown`.
std::string expand(std::string_view text, const Environment& variables, const std::string& shown);

/// A key of a section ("field", "batch" or "stream", "val" or, at the top level, twice ""). An empty key: the section.
struct KeyPlace {
  std::string kind, section, key;
  auto operator<=>(const KeyPlace&) const = default;
};

/// The mistakes of one configuration, told together; and where they are, so that what only follows from them is not
/// told as well.
class Mistakes {
 public:
  void add(std::string message);  ///< the same message counts once
  void add(std::string message, KeyPlace where);
  bool empty() const { return messages_.empty(); }
  std::size_t size() const { return messages_.size(); }
  /// Whether something is wrong there, or, without a key, anywhere in the section.
  bool wrong(const KeyPlace& where) const;
  /// Throws one UsageError with all of them, one per line, if there are any.
  void throw_if_any() const;
  /// Runs step and keeps the UsageError that it throws.
  template <class Step>
  void attempt(Step&& step) {
    try {
      step();
    } catch (const UsageError& mistake) {
      add(mistake.what());
    }
  }
  template <class Step>
  void attempt(KeyPlace where, Step&& step) {
    try {
      step();
    } catch (const UsageError& mistake) {
      add(mistake.what(), std::move(where));
    }
  }

 private:
  std::vector<std::string> messages_;
  std::set<KeyPlace> places_;
};

}  // namespace headrace::config
