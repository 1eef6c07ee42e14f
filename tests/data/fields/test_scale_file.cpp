// Scale files of every form, and what is wrong with them.
#include "data/fields/scale_file.hpp"

#include <cmath>

#include "config/config_fixture.hpp"

namespace headrace::data::fields {

using namespace headrace::config;

namespace {

template <class Step>
std::string mistake_of(Step&& step) {
  try {
    step();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no mistake";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scale_file)

BOOST_AUTO_TEST_CASE(every_form_says_the_same) {
  const VariableScale expected{.shift = 1, .scale = 2.5, .fallback = -3};
  for (const auto* text : {
           R"({"jets": {"pt": {"shift": 1, "scale": 2.5, "default": -3, "note": "x"}}, "extra": [1, 2]})",
           R"({"jets": [{"name": "pt", "shift": 1, "scale": 2.5, "default": -3}]})",
           R"({"pt": {"shift": 1, "scale": 2.5, "default": -3}})",
           "jets:\n  pt: {shift: 1, scale: 2.5, default: -3, name: pt}\n",
           "jets:\n- name: pt\n  shift: 1\n  scale: 2.5\n  default: -3\n",
           "pt:\n  shift: 1\n  scale: 25e-1\n  default: -3\n",
       }) {
    const auto file = ScaleFile::parse(text, "s");
    BOOST_TEST((file.at("jets", "pt") == expected), text);
  }
}

BOOST_AUTO_TEST_CASE(statistics_and_deeper_paths) {
  const auto file = ScaleFile::parse(
      "g/jets: {pt: {mean: 1, std: 2, min: -.inf, max: .nan}}\njets: {eta: {mean: 7}}\n"
      "whole: {mean: 3, std: 4}\n",
      "s.yaml");
  BOOST_TEST(file.at("g/jets", "pt").mean.value() == 1);
  BOOST_TEST(std::isinf(file.at("g/jets", "pt").min.value()));
  BOOST_TEST(std::isnan(file.at("g/jets", "pt").max.value()));
  BOOST_TEST(file.at("other/jets", "eta").mean.value() == 7);
  BOOST_TEST(file.at("whole").std.value() == 4);
  BOOST_TEST(!file.find("g/jets", "phi"));
}

BOOST_AUTO_TEST_CASE(a_number_in_quotes_is_none_and_not_passed_over) {
  const auto mistake = [](const char* text) { return mistake_of([&] { ScaleFile::parse(text, "s.json"); }); };
  BOOST_TEST(mistake(R"({"jets": {"pt": {"mean": "1", "std": 2}}})") ==
             "scale file 's.json': mean of 'pt' is a text; write it without quotes, or leave it out");
  BOOST_TEST(has(mistake(R"({"x": {"scale": 2, "shift": "0"}})"), "shift of 'x' is a text"));
  BOOST_TEST(mistake(R"({"x": {"scale": 2, "min": null, "kind": "energy"}, "note": {"scale": "in GeV"}})") ==
             "no mistake");
}

BOOST_AUTO_TEST_CASE(a_dataset_and_a_variable_may_share_a_name) {
  const auto file = ScaleFile::parse(R"({"jets": {"mean": 1, "std": 2, "pt": {"mean": 3, "std": 4}}})", "s.json");
  BOOST_TEST(file.at("jets").mean.value() == 1);
  BOOST_TEST(file.at("jets", "pt").mean.value() == 3);
}

BOOST_AUTO_TEST_CASE(unknown_variables_name_those_there_are) {
  const auto file = ScaleFile::parse(R"({"jets": {"pt": {"scale": 1}, "eta": {"scale": 2}}})", "s.json");
  BOOST_TEST(mistake_of([&] { file.at("jets", "ptt"); }) ==
             "scale file 's.json' says nothing about variable 'ptt' of dataset 'jets'; did you mean 'pt'? (available: "
             "eta, pt)");
  BOOST_TEST(has(mistake_of([&] { file.at("tracks", "d0"); }),
                      "has neither dataset 'tracks' nor variable 'd0'; available: jets"));
  BOOST_TEST(has(mistake_of([&] { file.at("field"); }), "has no entry 'field'; available: none"));
}

BOOST_AUTO_TEST_CASE(what_is_no_scale_file) {
  const auto wrong = [](const std::string& text, const std::string& path = "s.yaml") {
    return mistake_of([&] { ScaleFile::parse(text, path); });
  };
  BOOST_TEST(has(wrong("{\"a\": ", "s.json"), "'s.json' is not JSON"));
  BOOST_TEST(has(wrong("a: [1, 2"), "s.yaml:1:"));
  BOOST_TEST(has(wrong("[1, 2]"), "it holds no names"));
  BOOST_TEST(has(wrong(""), "it holds no names"));
  BOOST_TEST(has(wrong("a: {b: {c: {d: {shift: 1}}}}"), "no variable has a shift"));
  BOOST_TEST(has(wrong("a: {shift: \"1\"}"), "no variable has a shift"));
  BOOST_TEST(has(wrong(std::string(100000, '[')), "s.yaml:1:"));
  BOOST_TEST(has(mistake_of([] { ScaleFile::read("/nowhere/s.json"); }),
                      "scale file '/nowhere/s.json' cannot be read (no such file)"));
  BOOST_TEST(has(mistake_of([] { ScaleFile::read("/"); }), "is a directory"));
}

BOOST_AUTO_TEST_CASE(aliases_cannot_multiply_without_end) {
  std::string text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  std::string wide = "b: &b [";
  for (int i = 0; i < 1000; ++i) wide += "*a, ";
  text += wide + "x]\nc: [";
  for (int i = 0; i < 1000; ++i) text += "*b, ";
  BOOST_TEST(has(mistake_of([&] { ScaleFile::parse(text + "x]\n", "s.yaml"); }), "it holds more than"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::data::fields
