#include "service/loading/fill_store.hpp"

#include "service/loading/join.hpp"
#include "service/loading/outside_validity.hpp"
#include "service/loading/store_sink.hpp"

namespace headrace::service::loading {

reader::LoadReport fill_store(const Filling& filling, store::NodeStore& store) {
  const auto& [blueprint, topology, contents, intervals, options] = filling;
  StoreSink sink(blueprint, topology, store);
  sink.fill_constants();
  sink.take_validity(read_outside_validity(
      blueprint.fields,
      {contents, blueprint.catalog.samples, blueprint.placement.stored(), topology, intervals, options}));
  auto report = reader::load(topology.all, blueprint.catalog, intervals, sink, options);
  load_joins(blueprint, topology, contents, sink, options);
  sink.finish(options.threads);
  return report;
}

}  // namespace headrace::service::loading
