#include "transform/label_map.hpp"

#include <boost/test/unit_test.hpp>

#include "base/error.hpp"

using namespace headrace;
using transform::LabelMap;

namespace {

using Class = LabelMap::Class;

std::string refusal(const std::vector<std::string>& texts) {
  try {
    std::vector<Class> classes;
    for (const auto& text : texts) classes.push_back(LabelMap::parse(text));
    LabelMap map(classes);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

bool has_all(const std::string& message, std::initializer_list<const char*> parts) {
  for (const auto part : parts)
    if (message.find(part) == message.npos) return false;
  return true;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(label_maps)

BOOST_AUTO_TEST_CASE(a_class_in_its_written_forms) {
  BOOST_TEST((LabelMap::parse("b:5") == Class{"b", {"5"}}));
  BOOST_TEST((LabelMap::parse("other:0|4|15") == Class{"other", {"0", "4", "15"}}));
  BOOST_TEST((LabelMap::parse("muon") == Class{"muon", {"muon"}}));
  BOOST_TEST((LabelMap::parse("-1") == Class{"-1", {"-1"}}));
  BOOST_TEST((LabelMap::parse(" light jet :\t0 | 4 ") == Class{"light jet", {"0", "4"}}));
  BOOST_TEST((LabelMap::parse("noon:12:00|12:01") == Class{"noon", {"12:00", "12:01"}}));
}

BOOST_AUTO_TEST_CASE(quotes_keep_what_stands_between_them) {
  BOOST_TEST((LabelMap::parse("padded:\"ab  \" | cd | \"a|b\"") == Class{"padded", {"ab  ", "cd", "a|b"}}));
  BOOST_TEST((LabelMap::parse("nothing:\"\"") == Class{"nothing", {""}}));
  BOOST_TEST((LabelMap::parse("inch:3\"|\"4\" of 5|\"") == Class{"inch", {"3\"", "\"4\" of 5", "\""}}));
}

BOOST_AUTO_TEST_CASE(values_of_floats_are_the_numbers_that_they_are) {
  const LabelMap map(
      {LabelMap::parse("signal:1.0"), LabelMap::parse("rest:0.0|-2.00|3e2"), LabelMap::parse("half:0.5")});
  BOOST_TEST(map.code(1).value() == 0u);
  BOOST_TEST(map.code(0).value() == 1u);
  BOOST_TEST(map.code(-2).value() == 1u);
  BOOST_TEST(map.code(300).value() == 1u);
  BOOST_TEST(map.code("3e2").value() == 1u);
  BOOST_TEST((Whole::of(-7.0) == Whole(std::int64_t{-7})));
  BOOST_TEST(!Whole::of(0.5));
  BOOST_TEST((Whole::of(0x1p63) == Whole(std::uint64_t{1} << 63)));
  BOOST_TEST(!Whole::of(0x1p64));
  BOOST_TEST((Whole::of(-0x1p63) == Whole(INT64_MIN)));
  BOOST_TEST(!Whole::of(std::numeric_limits<double>::quiet_NaN()));
  BOOST_TEST(!Whole::of(-std::numeric_limits<double>::infinity()));
}

BOOST_AUTO_TEST_CASE(codes_are_places_in_the_list) {
  const LabelMap map({LabelMap::parse("b:5"), LabelMap::parse("c:4|-4"), LabelMap::parse("other:0|15|tau")});
  BOOST_TEST(map.size() == 3u);
  BOOST_TEST(map.classes()[2].name == "other");
  BOOST_TEST(map.code(5).value() == 0u);
  BOOST_TEST(map.code(4).value() == 1u);
  BOOST_TEST(map.code(-4).value() == 1u);
  BOOST_TEST(map.code(0).value() == 2u);
  BOOST_TEST(map.code("tau").value() == 2u);
  BOOST_TEST(map.code("15").value() == 2u);
  BOOST_TEST(!map.code(1));
  BOOST_TEST(!map.code(-5));
  BOOST_TEST(!map.code("Tau"));
  BOOST_TEST(!map.code("b"));  // its name, not its value
  BOOST_TEST(!map.code(""));
}

BOOST_AUTO_TEST_CASE(numbers_are_what_they_mean_and_texts_what_they_read) {
  const LabelMap map({LabelMap::parse("a:+7|008"), LabelMap::parse("b:9223372036854775807|-9223372036854775808"),
                      LabelMap::parse("c:9223372036854775808|1.5|+-3|5x")});
  BOOST_TEST(map.code(7).value() == 0u);
  BOOST_TEST(map.code(8).value() == 0u);
  BOOST_TEST(map.code(INT64_MAX).value() == 1u);
  BOOST_TEST(map.code(INT64_MIN).value() == 1u);
  BOOST_TEST(map.code(Whole(std::uint64_t{1} << 63)).value() == 2u);
  BOOST_TEST(!map.code(Whole(UINT64_MAX)));
  BOOST_TEST(!map.code(1));
  BOOST_TEST(!map.code(5));
  BOOST_TEST(!map.code(-3));
  BOOST_TEST(map.code("008").value() == 0u);
  BOOST_TEST(!map.code("8"));
  BOOST_TEST(map.code("1.5").value() == 2u);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_refused_by_its_text) {
  BOOST_TEST(refusal({"b:5", "b2:5|6"}) ==
             "classes: value '5' belongs to 'b' and to 'b2' (a label has one class); keep "
             "it in one of them");
  BOOST_TEST(has_all(refusal({"b:5", "c:05"}), {"'05'", "'b'", "'c'"}));
  BOOST_TEST(has_all(refusal({"b:5", "c:4", "b:7"}), {"'b' comes twice"}));
  BOOST_TEST(has_all(refusal({}), {"list is empty", "write classes as"}));
  for (const auto text : {"", "  ", ":5", " : 5"}) BOOST_TEST(has_all(refusal({text}), {text, "no name"}));
  for (const auto text : {"b:", "b: ", "b:|5", "b:5|", "b:5||6"})
    BOOST_TEST(has_all(refusal({text}), {text, "missing"}));
  BOOST_TEST(refusal({"b:5|5"}).empty());  // says nothing that is wrong
}

BOOST_AUTO_TEST_SUITE_END()
