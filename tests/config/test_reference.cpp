// What the pages of docs/reference are written from: every key and flag, each with a text.
#include "config/reference.hpp"

#include <nlohmann/json.hpp>
#include <set>

#include "config/config_fixture.hpp"

namespace headrace::config {

BOOST_FIXTURE_TEST_SUITE(reference_of_keys_and_flags, ConfigFixture)

BOOST_AUTO_TEST_CASE(every_key_is_there_with_a_text) {
  const auto found = reference("1.2.3", {})["keys"];
  BOOST_REQUIRE(found.size() == keys().size());
  std::set<std::pair<std::string, std::string>> places;
  for (const auto& key : found) {
    const auto name = key.at("name").get<std::string>();
    BOOST_TEST(!key.at("text").get<std::string>().empty(), name);
    BOOST_TEST(!key.at("group").get<std::string>().empty(), name);
    BOOST_TEST(!key.at("kind").get<std::string>().empty(), name);
    BOOST_TEST(key.at("value").get<std::string>().empty() == (key.at("kind") == "switch"), name);
    BOOST_TEST(!key.at("in").empty(), name);
    for (const auto& place : key.at("in")) BOOST_TEST(places.emplace(place, name).second, place << " " << name);
  }
}

BOOST_AUTO_TEST_CASE(a_key_of_each_scope) {
  const auto found = reference("1.2.3", {})["keys"];
  const auto key = [&](const std::string& name, const std::string& place) {
    for (const auto& one : found)
      if (one.at("name") == name && one.at("in").back() == place) return one;
    BOOST_FAIL("no key " + name);
    return nlohmann::json();
  };
  BOOST_TEST((key("trainers-per-node", "top").at("variable") == "HEADRACE_TRAINERS_PER_NODE"));
  BOOST_TEST((key("batch", "stream").at("in") == nlohmann::json{"top", "stream"}));
  BOOST_TEST((key("batch", "stream").at("variable") == "HEADRACE_BATCH"));
  BOOST_TEST((key("files", "stream").at("variable") == ""));
  BOOST_TEST((key("scale", "field").at("in") == nlohmann::json{"field"}));
  BOOST_TEST((key("quiet", "top").at("letter") == "q"));
}

BOOST_AUTO_TEST_CASE(a_command_with_its_flags) {
  const Command wait{"wait", "NAME", "Waits.", "Long.", false, {{"timeout", 't', "TIME", "60", "how long"}}};
  const auto found = reference("1.2.3", {wait});
  BOOST_TEST((found.at("version") == "1.2.3"));
  const nlohmann::json flag{
      {"name", "timeout"}, {"letter", "t"}, {"value", "TIME"}, {"default", "60"}, {"text", "how long"}};
  BOOST_TEST((found.at("commands") == nlohmann::json{{{"name", "wait"},
                                                      {"usage", "NAME"},
                                                      {"summary", "Waits."},
                                                      {"details", "Long."},
                                                      {"configured", false},
                                                      {"flags", {flag}}}}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::config
