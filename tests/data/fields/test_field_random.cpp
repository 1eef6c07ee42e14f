// Random fields over the fixture's datasets: each is refused in words, or what is resolved holds together.
#include <random>

#include "config/check.hpp"
#include "data/fields/field_fixture.hpp"
#include "transform/field_transform.hpp"

namespace headrace::data::fields {

using namespace headrace::config;
using namespace headrace::data::columns;

namespace {

class RandomField {
 public:
  explicit RandomField(std::uint64_t seed) : random_(seed) {}

  FieldConfig operator()() {
    FieldConfig f{.name = "x"};
    static const std::vector<std::string> items{
        "jets[pt, eta]",   "jets.flavour", "jets",  "tracks[d0]", "tracks.valid", "tracks",   "ECAL",
        "weight",          "OneHot",       "truth", "g/hits.x",   "ragged",       "ragged.e", "table",
        "table.x",         "hid",          "kind",  "cells[cov]", "cells",        "packed",   "absent.w",
        "jets[pt, absent]"};
    for (auto n = 1 + below(3); n > 0; --n) f.source.push_back(items[below(items.size())]);
    if (rarely()) f.scale = {2};
    if (rarely()) f.scale = {1, 2, 3};
    if (rarely()) f.shift = {1};
    if (rarely()) f.log = {pick({"pt", "jet_pt", "d0", "weight", "x"})};
    if (rarely()) f.norm = Norm::tanh_log;
    if (rarely()) f.raw = {pick({"pt", "eta", "d0"})};
    if (rarely()) f.dtype = static_cast<DType>(below(13));
    if (rarely()) f.encode = below(2) ? Encode::one_hot : Encode::index;
    if (rarely()) f.classes = {"a:1", "b:2|3"};
    if (rarely()) f.valid = pick({"tracks.valid", "jets.ok", "truth", "weight", "hid", "tracks"});
    if (rarely()) f.mask = "m";
    if (below(3) == 0) f.pad = 1 + below(50);
    if (rarely()) f.join = pick({"hid", "weight", "nowhere"});
    if (rarely()) f.missing = 1.5;
    if (rarely()) f.shape = {{below(3) + 1, below(40) + 1}};
    f.cf = static_cast<CfMode>(below(3));
    return f;
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  bool rarely() { return below(6) == 0; }
  std::string pick(std::vector<std::string> all) { return all[below(all.size())]; }

  std::mt19937_64 random_;
};

/// Sizes, places and names of a resolved field fit each other.
void check(const ResolvedField& x, const FieldFixture& files) {
  const auto& spec = x.spec;
  std::uint32_t columns = 0;
  for (const auto& item : spec.items) {
    BOOST_TEST_REQUIRE(item.first_column == columns);
    columns += static_cast<std::uint32_t>(item.columns.size());
    if (item.constant) continue;
    const auto* dataset = files.datasets.find(item.dataset);
    BOOST_TEST_REQUIRE(dataset != nullptr);
    for (const auto& column : item.columns)
      BOOST_TEST_REQUIRE(column.cell.offset + column.cell.bytes <= item.raw.record_bytes);
    if (!item.raw.ragged) {
      std::uint64_t bytes = dataset->type.size == 0 ? sizeof(char*) : dataset->type.size;
      for (const auto extent : dataset->row_shape) bytes *= extent;
      BOOST_TEST_REQUIRE(item.raw.row_bytes() == bytes);
    }
    BOOST_TEST_REQUIRE((item.repeated || item.raw.ragged || item.raw.records == spec.records ||
                        x.validity.from == ValiditySource::From::join));
  }
  if (!spec.labels) BOOST_TEST_REQUIRE(columns == spec.columns);
  BOOST_TEST_REQUIRE(spec.row_bytes() == x.field.row_bytes());
  BOOST_TEST_REQUIRE((x.field.columns.empty() || x.field.columns.size() == x.field.shape.back()));
  if (x.mask) BOOST_TEST_REQUIRE(x.mask->elements() == spec.records);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(field_random, FieldFixture)

BOOST_AUTO_TEST_CASE(every_field_is_refused_or_holds_together) {
  RandomField random(7);
  at("packed").cf = {.scale_factor = AttributeNumber{0.5, DType::float32}, .fill_values = {-1}, .netcdf = true};
  int resolved = 0, refused = 0, possible = 0;
  for (int i = 0; i < 30'000; ++i) {
    Config config;
    config.fields = {random()};
    try {
      Mistakes mistakes;
      check_fields(config, mistakes);
      mistakes.throw_if_any();
      const auto x = resolve(config.fields[0]);
      check(x, *this);
      ++resolved;
      if (x.needs_label_values) continue;
      transform::FieldTransform{x.spec};
      ++possible;
    } catch (const UsageError& error) {
      BOOST_TEST_REQUIRE(std::string(error.what()).size() > 10u);
      ++refused;
    }
  }
  BOOST_TEST_MESSAGE(resolved << " resolved, " << possible << " of them compiled, " << refused << " refused");
  BOOST_TEST(possible > 2000);
  BOOST_TEST(refused > 2000);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::data::fields
