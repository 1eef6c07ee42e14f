// What tests ask of texts: parts of them, and the message of what must fail.
#pragma once

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>

#include "base/error.hpp"

inline bool has(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

/// For BOOST_CHECK_EXCEPTION: an error whose message has this part.
inline auto says(const std::string& part) {
  return [part](const headrace::Error& error) {
    const bool found = has(error.what(), part);
    if (!found) BOOST_TEST_MESSAGE("'" << error.what() << "' lacks '" << part << "'");
    return found;
  };
}

/// The message of a call that must fail; nothing where it does not.
template <class Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const headrace::Error& error) {
    return error.what();
  }
  return "";
}
