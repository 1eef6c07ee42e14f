// The keys of fields, splits and conditions, from files and flags; and what contradicts.
#include "config/config_fixture.hpp"

namespace headrace::config {

BOOST_FIXTURE_TEST_SUITE(config_fields, ConfigFixture)

using Texts = std::vector<std::string>;
using Numbers = std::vector<double>;

BOOST_AUTO_TEST_CASE(every_key_of_a_field) {
  const auto f = toml(R"(
[field.x]
source = ["jets[pt, eta]", "tracks.d0"]
scale-file = "s.json"
norm = "standard"
norm-over = "field"
log = ["pt"]
raw = "eta"
nonfinite = "default"
dtype = "bfloat16"
overflow = "saturate"
valid = "tracks.valid"
mask = "m"
pad = 40
overlong = "truncate"
cf = "off"
missing = 1
fill = -1
shape = [4, 2]
plugin = "lib/p.so"
plugin-args = "a=1"
)")
                     .fields.at(0);
  FieldConfig expected{.name = "x", .source = {"jets[pt, eta]", "tracks.d0"}};
  expected.scale_file = (folder / "s.json").string();
  expected.norm = Norm::standard;
  expected.norm_over = NormOver::field;
  expected.log = {"pt"};
  expected.raw = {"eta"};
  expected.nonfinite = {NonfinitePolicy::Kind::variable_default};
  expected.dtype = DType::bfloat16;
  expected.overflow = Overflow::saturate;
  expected.valid = "tracks.valid";
  expected.mask = "m";
  expected.pad = 40;
  expected.overlong = Overlong::truncate;
  expected.cf = CfMode::off;
  expected.missing = 1.0;
  expected.fill = -1.0;
  expected.shape = {{4, 2}};
  expected.plugin = (folder / "lib/p.so").string();
  expected.plugin_args = "a=1";
  BOOST_TEST((f == expected));
}

BOOST_AUTO_TEST_CASE(numbers_stand_alone_or_in_lists) {
  BOOST_TEST(toml("[field.x]\nscale = 150\n").fields[0].scale == Numbers{150});
  BOOST_TEST(toml("[field.x]\nscale = [1, 2.5]\nshift = -1e3\n").fields[0].scale == (Numbers{1, 2.5}));
  BOOST_TEST(load({"--field.x.shift", "-1,2.5", "--field.x.scale=3"}).fields[0].shift == (Numbers{-1, 2.5}));
  BOOST_TEST(toml("[field.x]\nscale = \"${S}\"\n", {}, {{"S", "4"}}).fields[0].scale == Numbers{4});
  BOOST_TEST(toml("[field.x]\nnonfinite = -5\n").fields[0].nonfinite.value == -5.0);
  BOOST_TEST((load({"--field.x.nonfinite", "keep"}).fields[0].nonfinite.kind == NonfinitePolicy::Kind::keep));
  BOOST_TEST(load({"--field.x.shape", "3,1"}).fields[0].shape->size() == 2u);
  BOOST_TEST(toml("[field.x]\nshape = []\n").fields[0].shape->empty());
}

BOOST_AUTO_TEST_CASE(answers_to_what_does_not_fit) {
  const auto overflow = [&](const std::string& text) {
    return toml("[field.x]\noverflow = " + text).fields[0].overflow;
  };
  BOOST_TEST((overflow("\"error\"") == Overflow::error));
  BOOST_TEST((overflow("\"truncate\"") == Overflow::truncate));
  BOOST_TEST((overflow("[\"truncate\", \"saturate\"]") == Overflow::truncate_saturate));
  BOOST_TEST((load({"--field.x.overflow", "saturate,truncate"}).fields[0].overflow == Overflow::truncate_saturate));
  BOOST_TEST(has(toml_mistake("[field.x]\noverflow = \"saturat\""), "did you mean 'saturate'?"));
  BOOST_TEST(has(toml_mistake("[field.x]\noverflow = [\"error\", \"saturate\"]"), "drop 'error'"));
  BOOST_TEST(has(toml_mistake("[field.x]\noverflow = [\"round\", \"saturate\"]"), "or a list of the last two"));
}

BOOST_AUTO_TEST_CASE(whole_numbers_stay_what_they_are_or_are_refused) {
  BOOST_TEST(toml("[field.x]\nshift = 9007199254740992").fields[0].shift == Numbers{0x1p53});
  BOOST_TEST(toml("[field.x]\nshift = [4611686018427387904, -9223372036854775808]").fields[0].shift ==
             (Numbers{0x1p62, -0x1p63}));
  BOOST_TEST(load({"--field.x.shift", "100000000000000000000"}).fields[0].shift == Numbers{1e20});
  BOOST_TEST(toml("[field.x]\nshift = 1234567890123456789.0").fields[0].shift == Numbers{1234567890123456768.0});
  BOOST_TEST(toml("[field.x]\nshift = 1.5e18").fields[0].shift == Numbers{1.5e18});
  BOOST_TEST(has(toml_mistake("[field.x]\nshift = 1500000000000000123"),
                      "not a number that float64 holds (the nearest that it does is 1500000000000000000)"));
  BOOST_TEST(has(toml_mistake("[field.x]\nshift = [0, -9007199254740993]"), "is -9007199254740992)"));
  BOOST_TEST(has(flag_mistake({"--field.x.missing", "9223372036854775807"}), "is 9223372036854775808)"));
  BOOST_TEST(has(flag_mistake({"--field.x.nonfinite", "18446744073709551615"}), "is 18446744073709551616)"));
  BOOST_TEST(has(flag_mistake({"--field.x.scale", "100000000000000000001"}), "is 100000000000000000000)"));
}

BOOST_AUTO_TEST_CASE(lists_on_the_command_line_part_at_commas_outside_brackets) {
  BOOST_TEST(load({"--field.x.source", "jets[pt,eta],tracks[d0]"}).fields[0].source ==
             (Texts{"jets[pt,eta]", "tracks[d0]"}));
  BOOST_TEST(load({"--field.x.source", "`a[0], b`.c,d[`e,f`]"}).fields[0].source == (Texts{"`a[0], b`.c", "d[`e,f`]"}));
  BOOST_TEST(load({"--field.x.scale", "2", "--field.x.raw", "`a,b`,c"}).fields[0].raw == (Texts{"a,b", "c"}));
  BOOST_TEST(load({"--field.x.scale", "2", "--field.x.raw", "a, b"}).fields[0].raw == (Texts{"a", "b"}));
  BOOST_TEST(toml("[field.x]\nsource = \"jets[pt,eta]\"\n").fields[0].source == Texts{"jets[pt,eta]"});
}

BOOST_AUTO_TEST_CASE(columns_and_labels_that_are_numbers_need_no_quotes) {
  const auto f = toml(
      "[field.x]\nlog = [3, \"pt\", 10]\nraw = 2\nscale = 2\n[field.y]\nencode = \"index\"\nclasses = [5, -4, "
      "\"b:7\"]\n");
  BOOST_TEST(f.fields[0].log == (Texts{"3", "pt", "10"}));
  BOOST_TEST(f.fields[0].raw == (Texts{"2"}));
  BOOST_TEST(f.fields[1].classes == (Texts{"5", "-4", "b:7"}));
  BOOST_TEST(has(toml_mistake("[field.x]\nlog = [0.5]\n"), "is not a list of texts in quotes"));
}

BOOST_AUTO_TEST_CASE(labels_and_joins) {
  const auto f = toml(
      "[field.y]\nsource = \"jets.flavour\"\nencode = \"one-hot\"\nclasses = [\"b:5\", \"other:0|4\"]\n"
      "[field.z]\nsource = \"hits[x]\"\njoin = \"hid\"\njoin-base = -3\npad = 100\n");
  BOOST_TEST((f.fields[0].encode == Encode::one_hot));
  BOOST_TEST(f.fields[0].classes == (Texts{"b:5", "other:0|4"}));
  BOOST_TEST(f.fields[1].join == "hid");
  BOOST_TEST(f.fields[1].join_base == -3);
}

BOOST_AUTO_TEST_CASE(split_files_where_and_selections) {
  const auto c = toml(R"(
split = "train:0.8, val:0.2"
where = "jets.pt > 20e3"
files = ["data/*.h5"]
[stream.train]
select = "train"
files = ["data/a-*.h5"]
[stream.val]
select = { file = "ids.txt", by = "event/id" }
where = "jets.eta < 2"
)");
  const std::vector<SplitPart> split{{"train", 0.8}, {"val", 0.2}};
  BOOST_TEST((c.split == split));
  BOOST_TEST(c.where == "jets.pt > 20e3");
  BOOST_TEST(c.streams[0].files == Texts{(folder / "data/a-*.h5").string()});
  BOOST_TEST(c.streams[0].where.empty());
  BOOST_TEST(c.streams[1].select_file == (folder / "ids.txt").string());
  BOOST_TEST(c.streams[1].select_by == "event/id");
  BOOST_TEST(c.streams[1].select.empty());
  BOOST_TEST(c.streams[1].where == "jets.eta < 2");
  BOOST_TEST(c.streams[1].files.empty());
}

BOOST_AUTO_TEST_CASE(a_stronger_selection_replaces_a_weaker) {
  const std::string file = "[stream.v]\nselect = { file = \"i\", by = \"index\" }\n";
  const auto c = toml(file, {"--stream.v.select", ":5"});
  BOOST_TEST(c.streams[0].select == ":5");
  BOOST_TEST(c.streams[0].select_file.empty());
  const auto flagged =
      toml("[stream.v]\nselect = \":5\"\n", {"--stream.v.select-file", "ids", "--stream.v.select-by", "index"});
  BOOST_TEST(flagged.streams[0].select.empty());
  BOOST_TEST(flagged.streams[0].select_file == "ids");
  BOOST_TEST(has(toml_mistake("[stream.v]\nselect = \":5\"\nselect-file = \"i\"\nselect-by = \"index\"\n"),
                      "give one of select and select-file"));
}

BOOST_AUTO_TEST_CASE(top_level_where_is_no_default_of_streams) {
  const auto c = load({"--where", "a > 1", "--stream.v.where", "b > 1", "--stream.v.files", "x", "--stream.v.files=y"});
  BOOST_TEST(c.where == "a > 1");
  BOOST_TEST(c.streams[0].where == "b > 1");
  BOOST_TEST(c.streams[0].files == (Texts{"x", "y"}));
  BOOST_TEST(load({}, {{"HEADRACE_WHERE", "a > 2"}, {"HEADRACE_SPLIT", "t:0.5"}}).split.size() == 1u);
}

BOOST_AUTO_TEST_CASE(wrong_values_of_fields) {
  const auto wrong = [&](const std::string& line) { return toml_mistake("[field.x]\n" + line + "\n"); };
  BOOST_TEST(wrong("scale = 0") ==
             "lcd.toml:2: [field.x] scale = 0 is not a scale (values are divided by it); give numbers other than 0");
  BOOST_TEST(has(wrong("scale = [1, inf]"), "is not a finite number, or a list of such, one per column"));
  BOOST_TEST(has(wrong("scale = []"), "is not a finite number"));
  BOOST_TEST(has(wrong("scale = [true]"), "is not a list of numbers"));
  BOOST_TEST(has(wrong("scale = { a = 1 }"), "is not a number, or a list of numbers"));
  BOOST_TEST(has(wrong("source = [1]"), "is not a list of texts in quotes"));
  BOOST_TEST(has(wrong("source = 1"), "is not a text in quotes, or a list of such"));
  BOOST_TEST(has(wrong("source = []"), "is not an item or a list of items"));
  BOOST_TEST(has(wrong("source = \"jets[pt\""), "'jets[pt' is not a source (its brackets do not match; "));
  BOOST_TEST(has(wrong("log = [\"a\", \"a\"]"), "names 'a' twice"));
  BOOST_TEST(has(wrong("dtype = \"float\""), "is not one of float16, bfloat16, float32"));
  BOOST_TEST(has(wrong("dtype = \"flaot16\""), "uint64, bool; did you mean 'float16'?"));
  BOOST_TEST(has(wrong("nonfinite = \"zero\""), "is not one of error, keep, default, or a finite number"));
  BOOST_TEST(has(wrong("norm = \"max\""), "is not one of none, minmax, standard, tanh-log"));
  BOOST_TEST(has(wrong("shape = [0]"), "is not a shape"));
  BOOST_TEST(has(wrong("pad = 0"), "is not a whole number from 1"));
  BOOST_TEST(has(wrong("join-base = 1.5"), "is not a whole number"));
  BOOST_TEST(has(wrong("files = \"x\""), "unknown key 'files'"));
}

BOOST_AUTO_TEST_CASE(wrong_splits_and_selections) {
  BOOST_TEST(has(toml_mistake("split = \"a:0.8, b:0.3\"\n"), "adds up to more than 1"));
  BOOST_TEST(toml_mistake("split = \"a:0.1, b:0.2, c:0.7\"\n") == "no mistake");
  BOOST_TEST(has(toml_mistake("split = \"a:0.5, a:0.5\"\n"), "names 'a' twice"));
  for (const auto* text : {"a", "a:", ":0.5", "a:0", "a:-0.5", "a:1.5", "a:nan", "1:0.5", "a:0.5,", ""})
    BOOST_TEST(has(toml_mistake("split = \"" + std::string(text) + "\"\n"), "is not a split"), text);
  BOOST_TEST(has(toml_mistake("split = \"train:0.5\"\n[stream.a]\nselect = \"tran\"\n"),
                      "[stream.a] select = 'tran' is neither Python slices nor a part of the split; did you mean "
                      "'train'?"));
  BOOST_TEST(has(toml_mistake("[stream.a]\nselect = { file = \"x\" }\n"), "select-file needs select-by"));
  BOOST_TEST(has(toml_mistake("[stream.a]\nselect = { by = \"x\" }\n"), "select-by has no effect"));
  BOOST_TEST(has(toml_mistake("[stream.a]\nselect = { path = \"x\" }\n"), "select has no 'path'"));
  BOOST_TEST(has(toml_mistake("[stream.a]\nselect = {}\n"), "select = {} is empty"));
  BOOST_TEST(has(toml_mistake("select = [1]\n"), "is not a text in quotes"));
  BOOST_TEST(has(toml_mistake("where = \" \"\n"), "is not a condition"));
  BOOST_TEST(has(toml_mistake("[stream.a]\nwhere = \"a >\"\n"), "lcd.toml:2: [stream.a] where = 'a >': "));
}

BOOST_AUTO_TEST_CASE(contradictions_name_section_and_keys) {
  const auto wrong = [&](const std::string& lines) { return toml_mistake("[field.x]\n" + lines + "\n"); };
  BOOST_TEST(wrong("encode = \"index\"\nscale = 2") ==
             "[field.x] scale contradicts encode = 'index' (labels are not computed with); drop one of them");
  BOOST_TEST(has(wrong("encode = \"one-hot\"\nnorm = \"tanh-log\""), "norm contradicts encode = 'one-hot'"));
  BOOST_TEST(has(wrong("encode = \"one-hot\"\nsource = [\"a\", \"b\"]"), "takes one source, not 2"));
  BOOST_TEST(
      has(wrong("encode = \"index\"\nclasses = [\"a:1\", \"b:1|2\"]"), "[field.x] classes: value '1' belongs"));
  BOOST_TEST(has(wrong("encode = \"index\"\nclasses = [\"a:\"]"), "[field.x] class 'a:': a value is missing"));
  BOOST_TEST(has(wrong("classes = [\"a\"]"), "classes has no effect without encode"));
  BOOST_TEST(has(wrong("norm = \"minmax\""), "norm = 'minmax' needs the statistics of a scale-file"));
  BOOST_TEST(wrong("norm = \"tanh-log\"") == "no mistake");
  BOOST_TEST(has(wrong("scale = 1\nscale-file = \"s\""), "scale contradicts scale-file"));
  BOOST_TEST(has(wrong("norm-over = \"field\""), "norm-over has no effect without norm"));
  BOOST_TEST(has(wrong("nonfinite = \"default\""), "has no effect without scale-file"));
  BOOST_TEST(has(wrong("raw = \"a\""), "raw has no effect without scale"));
  BOOST_TEST(has(wrong("scale = [1, 2]\nshift = [1, 2, 3]"), "scale has 2 numbers and shift 3"));
  BOOST_TEST(has(wrong("join = \"hid\""), "join needs pad"));
  BOOST_TEST(has(wrong("join = \"hid\"\npad = 2\nvalid = \"a.b\""), "valid contradicts join"));
  BOOST_TEST(has(wrong("join-base = 0"), "join-base has no effect without join"));
  BOOST_TEST(has(wrong("overlong = \"truncate\""), "overlong has no effect without pad"));
  BOOST_TEST(has(wrong("plugin-args = \"a\""), "plugin-args has no effect without plugin"));
  BOOST_TEST(has(wrong("mask = \"x\""), "mask 'x' is the name of a field"));
  BOOST_TEST(has(wrong("mask = \"m\"\n[field.y]\nmask = \"m\""), "mask 'm' is already that of field 'x'"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::config
