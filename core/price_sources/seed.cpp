// The seed table (core/data/seed_prices.csv): prices read from documents of 2019 and 2022, each line with how it was
// read.
#include <fmt/format.h>

#include "core/ascii.h"
#include "core/csv_columns.h"
#include "core/error.h"
#include "core/gpu_aliases.h"
#include "core/price_names.h"
#include "core/price_sources/readers.h"
#include "core/provider_names.h"

namespace gpuassay {
namespace {

PriceBasis read_basis(std::string_view note) {
  constexpr std::string_view kToken = "basis=";
  if (note.starts_with(kToken)) {
    note.remove_prefix(kToken.size());
    if (const auto basis = from_name<PriceBasis>(note.substr(0, note.find(';')))) return *basis;
  }
  throw Error(ErrorCode::unreadable_input, "the note does not begin with a known basis= token");
}

PriceUnit read_unit(std::string_view text) {
  const auto unit = from_name<PriceUnit>(text);
  if (!unit || *unit == PriceUnit::term || *unit == PriceUnit::second)
    throw Error(ErrorCode::unreadable_input, fmt::format("'{}' is not a known unit; use hour, month or year", text));
  return *unit;
}

Confidence read_confidence(std::string_view note) {
  if (contains(note, "artefact") || contains(note, "mistranslat") || contains(note, "model lost"))
    return Confidence::garbled;
  const bool inferred = contains(note, "read as") || contains(note, "inferred") || contains(note, "assumed");
  return inferred ? Confidence::inferred : Confidence::exact;
}

/// Traps that the notes of the seed rows document.
void apply_documented_quirks(PriceRow& row) {
  // Two machines of one shape: the dearer has the fast network, which only the note says.
  if (contains(row.note, "the RDMA (InfiniBand) variant")) row.product_line = row.product_line.value_or("") + " RDMA";
  // A column headed memory that holds the size of the local disk.
  if (contains(row.note, "looks like local disk")) {
    row.local_disk_gb = row.memory_gib;
    row.memory_gib.reset();
  }
  if (contains(row.note, "VAT treatment not stated")) row.tax = TaxTreatment::unknown;
}

void read_gpu(const CsvColumns& file, PriceRow& row) {
  const auto count = file.read("gpu_count", quantity);
  if (!count || *count == 0) reject_line("no GPU count stated");
  row.gpu_count = *count;
  row.gpu_memory_gib_total = file.read("gpu_memory_gib_total", quantity);
  const auto mib = gpu_memory_mib(row);
  const std::optional<Micros> each = mib ? std::optional(*mib * 1'000'000 / 1024) : std::nullopt;
  const GpuName gpu = file.read("gpu_model", [&](std::string_view name) { return resolve_gpu_name(name, each); });
  row.gpu_model = gpu.model;
  row.gpu_variant = gpu.variant;
}

void read_line(const CsvColumns& file, PriceRow& row) {
  if (file.cell("provider").empty()) reject_line("no provider stated");
  if (file.cell("gpu_model").empty()) reject_line("no GPU stated: not the price of an offer");
  if (file.cell("as_of").empty()) reject_line("no date stated");
  row.provider = file.read("provider", provider_slug);
  row.product_line = file.optional_cell("product_line");
  row.instance_type = file.optional_cell("instance_type");
  read_gpu(file, row);
  row.vcpus = file.read("vcpus", quantity);
  row.memory_gib = file.read("memory_gib", quantity);
  row.pricing_model = file.read("pricing_model", read_pricing_model);
  if (row.pricing_model == "monthly") row.commitment_months = 1;
  row.amount = file.optional_cell("amount");
  if (row.amount) file.read("amount", parse_decimal);
  row.currency = file.read("currency", read_currency);
  row.unit = file.read("unit", read_unit);
  describe_catalog_row(row, file.read("as_of", read_as_of), file.cell("seed_file"), "document");
  row.source_ref = fmt::format("{} (seed line {})", row.source, file.line());
  row.note = file.cell("note");
  row.basis = file.read("note", read_basis);
  row.confidence = read_confidence(row.note);
  apply_documented_quirks(row);
}

}  // namespace

PriceImport read_seed_prices(ByteSource& source, const SourceContext& context) {
  CsvColumns file(source,
                  {"provider", "product_line", "instance_type", "gpu_model", "gpu_count", "gpu_memory_gib_total",
                   "vcpus", "memory_gib", "pricing_model", "amount", "currency", "unit", "as_of", "seed_file", "note"},
                  "seed price file");
  RowCollector rows(context);
  while (file.next()) rows.add(fmt::format("line {}", file.line()), [&](PriceRow& row) { read_line(file, row); });
  return rows.finish(false);
}

}  // namespace gpuassay
