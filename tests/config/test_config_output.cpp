// [premix] and [export]: sections that stand once.
#include <filesystem>
#include <fstream>

#include "config/config_fixture.hpp"
#include "config/load.hpp"

namespace headrace::config {

namespace {

struct OutputFixture : ConfigFixture {
  /// What a file and flags say; throws what is wrong with them.
  Outputs outputs(const std::string& text, const std::vector<std::string>& flags = {}) const {
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "c.toml") << text;
    Command command{"premix", "", "", "", true, {}};
    auto args = flags;
    args.insert(args.end(), {"-c", (folder / "c.toml").string()});
    Mistakes mistakes;
    const auto arguments = parse_arguments(command, args, mistakes);
    const auto found = read_outputs(arguments, {}, mistakes);
    mistakes.throw_if_any();
    return found;
  }
  std::string wrong(const std::string& text) const {
    try {
      outputs(text);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(config_output, OutputFixture)

BOOST_AUTO_TEST_CASE(they_stand_in_file_and_flags) {
  const auto config = outputs("[premix]\nfile = \"out/all.h5\"\ncompression = \"gzip:4\"\nfile-samples = 100\n",
                           {"--premix.file-samples", "200", "--premix.provenance", "--export.names=umami"});
  BOOST_TEST(config.premix.file == (folder / "out/all.h5").string());
  BOOST_TEST((config.premix.compression == Compression{Compression::How::gzip, 4}));
  BOOST_TEST(config.premix.file_samples == 200u);
  BOOST_TEST(config.premix.provenance);
  BOOST_TEST((config.exported.names == FeatureNames::umami));
}

BOOST_AUTO_TEST_CASE(datasets_by_name_in_the_order_given) {
  const std::vector<std::pair<std::string, std::string>> expected{{"jets/inputs", "jets"}, {"a", "b"}};
  BOOST_TEST((outputs("[premix.dataset]\n\"jets/inputs\" = \"jets\"\n\"/a\" = \"b\"\n").premix.datasets == expected));
  BOOST_TEST((outputs("", {"--premix.dataset", "jets/inputs=jets", "--premix.dataset", "a=b"}).premix.datasets == expected));
  BOOST_TEST(has(wrong("[premix.dataset]\na = 3\n"), "a table of texts in quotes"));
  BOOST_TEST(has(wrong("[premix]\ndataset = \"x\"\n"), "a table of texts"));
  BOOST_TEST(has(wrong("[premix.dataset]\na = \"x\"\n\"/a\" = \"y\"\n"), "'a' twice"));
}

BOOST_AUTO_TEST_CASE(compression_is_a_word_with_a_level) {
  using How = Compression::How;
  const auto of = [&](const std::string& text) { return outputs("", {"--premix.compression", text}).premix.compression; };
  BOOST_TEST((of("none") == Compression{}));
  BOOST_TEST((of("gzip") == Compression{How::gzip, 4}));
  BOOST_TEST((of("zstd") == Compression{How::zstd, 3}));
  BOOST_TEST((of("zstd:19") == Compression{How::zstd, 19}));
  BOOST_TEST((of("lzf") == Compression{How::lzf, 0}));
  for (const std::string word : {"gzip:10", "gzip:", "gzip:0", "lz4:3", "none:1", "brotli", ""})
    BOOST_TEST(has(wrong("[premix]\ncompression = \"" + word + "\"\n"), "gzip:1 to gzip:9"), word);
}

BOOST_AUTO_TEST_CASE(mistakes_name_section_and_key) {
  BOOST_TEST(has(wrong("[premix]\nfiel = \"x\"\n"), "[premix] unknown key 'fiel'; did you mean 'file'?"));
  BOOST_TEST(has(wrong("premix = 3\n"), "premix is not a value; begin a section with [premix]"));
  BOOST_TEST(has(wrong("[export]\nchunk-size = 0\n"), "chunk-size"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::config
