// The fields of the configuration against the files: what becomes of which datasets.
#pragma once

#include "config/config.hpp"
#include "data/fields/field_plan.hpp"
#include "mpi/comm.hpp"
#include "reader/load.hpp"

namespace headrace::data::fields {

/// Collective: where labels have no classes, their values are read. Where the configuration names no field, all
/// datasets of the most common length are fields. Throws one UsageError with the mistakes of all fields together,
/// and of the streams where there are any.
/// measuring: for statistics, so that nothing is scaled and scale files are not read.
FieldPlans plan_fields(const config::Config& config, const catalog::Contents& contents, const mpi::Comm& comm,
                       const reader::LoadOptions& options, bool measuring = false);

/// The datasets with one row per sample that fields are made of.
catalog::Catalog catalog_of(const catalog::Contents& contents, const std::vector<FieldPlan>& fields);

/// Datasets that could not be fields where none is named, with the reasons.
std::vector<catalog::LeftOut> left_out_datasets(const config::Config& config, const catalog::Contents& contents);

}  // namespace headrace::data::fields
