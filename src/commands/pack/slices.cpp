#include "commands/pack/slices.hpp"

#include <utility>

#include "service/loading/fill_store.hpp"

namespace headrace::commands::pack {

Slices::Slices(catalog::Contents contents, data::fields::FieldPlans plans, reader::LoadOptions options)
    : topology_(job::Topology::discover(mpi::Comm::self(), false)),
      contents_(std::move(contents)),
      options_(std::move(options)) {
  options_.more_to_come = true;
  blueprint_.catalog = data::fields::catalog_of(contents_, plans.fields);
  blueprint_.schema = std::move(plans.schema);
  blueprint_.fields = std::move(plans.fields);
}

void Slices::on_progress(std::function<void(double share)> told) {
  options_.progress = [told = std::move(told)](std::uint64_t done, std::uint64_t total) {
    told(total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1);
  };
}

void Slices::load(std::uint64_t first, std::uint64_t last, const reader::Refused& refused) {
  const std::vector<plan::Slab> slabs{{0, samples()}};
  const plan::Range range{first, last};
  blueprint_.placement = plan::Placement(slabs, plan::Members(plan::Selection::of({&range, 1}), slabs));
  auto& slice = slices_[latest_ = 1 - latest_];
  if (slice.room < last - first) {
    slice.store.reset();
    slice.room = last - first;
    const store::Layout layout(blueprint_.schema, std::vector{slice.room});
    slice.store = std::make_unique<store::NodeStore>(layout);
    slice.store->reserve(0, options_.threads);
  }
  slice.first = first;
  options_.refused = refused;
  service::loading::fill_store({blueprint_, topology_, contents_, options_}, *slice.store);
}

std::vector<const std::byte*> Slices::rows(std::uint64_t sample) const {
  const auto& slice = slices_[latest_];
  std::vector<const std::byte*> rows;
  for (std::size_t f = 0; f < blueprint_.schema.size(); ++f)
    rows.push_back(std::as_const(*slice.store).column(0, f) +
                   (sample - slice.first) * blueprint_.schema[f].row_bytes());
  return rows;
}

}  // namespace headrace::commands::pack
