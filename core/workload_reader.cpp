#include "core/workload_reader.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/json_guard.h"
#include "embedded/CoreWorkloads.h"
#include "embedded/LargeWorkloads.h"

namespace gpuassay {
namespace {

using nlohmann::json;

constexpr std::int64_t kFormat = 1;
constexpr std::int64_t kLargestNumber = std::int64_t{1} << 40U;  ///< of one cell; a terabyte or a trillion elements

[[noreturn]] void wrong(const std::string& pointer, std::string_view expected) {
  throw Error(ErrorCode::unreadable_input, fmt::format("not a trace of a workload: {} must be {}", pointer, expected));
}

std::int64_t integer(const json& value, const std::string& pointer, std::int64_t smallest = 0) {
  const std::int64_t number = value.is_number_integer() ? value.get<std::int64_t>() : -1;
  if (number < smallest || number > kLargestNumber) wrong(pointer, fmt::format("an integer of at least {}", smallest));
  return number;
}

std::string text(const json& value, const std::string& pointer) {
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) wrong(pointer, "a text");
  return value.get<std::string>();
}

template <class E>
E known_name(const json& value, const std::string& pointer) {
  const auto found = value.is_string() ? from_name<E>(value.get_ref<const std::string&>()) : std::nullopt;
  if (!found) wrong(pointer, "one of the known names");
  return *found;
}

/// Refuses all but an object that has these keys and no others.
void require_keys(const json& value, const std::string& pointer, std::initializer_list<const char*> keys) {
  const auto is_known = [&](const auto& item) {
    return std::any_of(keys.begin(), keys.end(), [&](const char* key) { return item.key() == key; });
  };
  const auto items = value.items();
  if (!value.is_object() || value.size() != keys.size() || !std::all_of(items.begin(), items.end(), is_known)) {
    wrong(pointer.empty() ? "/" : pointer, fmt::format("an object with the keys {}", fmt::join(keys, ", ")));
  }
}

/// The cells of one row of a table, from the first to the last.
class Row {
 public:
  Row(const json& cells, std::string pointer) : cells_(cells), pointer_(std::move(pointer)) {}

  std::int64_t next_integer(std::int64_t smallest = 0) { return integer(next(), pointer_, smallest); }
  template <class E>
  E next_name() {
    return known_name<E>(next(), pointer_);
  }
  /// True for `yes`, false for `no`; nothing else.
  bool next_is(std::string_view yes, std::string_view no) {
    const json& cell = next();
    if (cell == yes) return true;
    if (cell != no) wrong(pointer_, fmt::format("{} or {}", no, yes));
    return false;
  }

 private:
  const json& next() { return cells_[at_++]; }

  const json& cells_;
  std::string pointer_;
  std::size_t at_ = 0;
};

/// Calls read(Row&) for each row of {"columns": [...], "rows": [[...]]}, whose columns must be these.
template <class F>
void read_table(const json& value, const std::string& pointer, std::initializer_list<const char*> columns,
                const F& read) {
  require_keys(value, pointer, {"columns", "rows"});
  if (value["columns"] != json(columns)) {
    wrong(pointer + "/columns", fmt::format("{}", fmt::join(columns, ", ")));
  }
  if (!value["rows"].is_array()) wrong(pointer + "/rows", "an array");
  for (std::size_t i = 0; i < value["rows"].size(); ++i) {
    const json& cells = value["rows"][i];
    const std::string place = fmt::format("{}/rows/{}", pointer, i);
    if (!cells.is_array() || cells.size() != columns.size()) wrong(place, "an array with a cell for each column");
    Row row(cells, place);
    read(row);
  }
}

TracedOperation read_gemm(Row& row) {
  TracedGemm gemm;
  gemm.direction = row.next_name<ConvDirection>();
  const auto role = row.next_name<TracedRole>();
  gemm.a_transposed = row.next_is("t", "n");
  gemm.b_transposed = row.next_is("t", "n");
  for (std::int64_t* size : {&gemm.m, &gemm.n, &gemm.k, &gemm.batch}) *size = row.next_integer(1);
  return {gemm, role, row.next_integer(1)};
}

TracedOperation read_conv(Row& row) {
  TracedConv conv;
  conv.direction = row.next_name<ConvDirection>();
  const auto role = row.next_name<TracedRole>();
  conv.channels_last = row.next_is("nhwc", "nchw");
  for (std::int64_t* size : {&conv.n, &conv.c, &conv.h, &conv.w, &conv.k, &conv.r, &conv.s, &conv.stride}) {
    *size = row.next_integer(1);
  }
  conv.pad = row.next_integer();
  return {conv, role, row.next_integer(1)};
}

TracedOperation read_attention(Row& row) {
  TracedAttention attention;
  attention.backward = row.next_is("backward", "forward");
  const auto role = row.next_name<TracedRole>();
  for (std::int64_t* size : {&attention.batch, &attention.heads, &attention.kv_heads, &attention.query_length,
                             &attention.key_length, &attention.head_size}) {
    *size = row.next_integer(1);
  }
  attention.causal = row.next_integer() != 0;
  attention.launches = row.next_integer(1);
  return {attention, role, row.next_integer(1)};
}

MemoryTraffic read_traffic(Row& row) {
  MemoryTraffic traffic;
  traffic.kind = row.next_name<TrafficKind>();
  for (ElementCounts* elements : {&traffic.read, &traffic.written}) {
    for (std::int64_t* number : {&elements->half, &elements->fp32, &elements->int64}) *number = row.next_integer();
  }
  traffic.launches = row.next_integer(1);
  traffic.count = row.next_integer(1);
  return traffic;
}

TracedMemory read_memory(const json& value, const std::string& pointer) {
  require_keys(value, pointer, {"activations", "inputs", "optimizer", "peak", "weights"});
  const auto bytes = [&](const char* key) { return integer(value[key], pointer + "/" + key); };
  const TracedMemory memory{bytes("weights"), bytes("optimizer"), bytes("inputs"), bytes("activations"), bytes("peak")};
  if (memory.peak_bytes !=
      memory.weights_bytes + memory.optimizer_bytes + memory.inputs_bytes + memory.activations_bytes) {
    wrong(pointer + "/peak", "the sum of the others");
  }
  return memory;
}

TracedPrecision read_precision(const json& value, const std::string& pointer) {
  require_keys(value, pointer, {"launches", "memory_bytes", "traffic"});
  TracedPrecision precision;
  read_table(value["traffic"], pointer + "/traffic",
             {"kind", "read_half", "read_fp32", "read_int64", "written_half", "written_fp32", "written_int64",
              "launches", "count"},
             [&](Row& row) { precision.traffic.push_back(read_traffic(row)); });
  precision.launches = integer(value["launches"], pointer + "/launches", 1);
  precision.memory = read_memory(value["memory_bytes"], pointer + "/memory_bytes");
  return precision;
}

/// One kind of operation: its rows, and the FLOPs that they must have together.
void read_operations(const json& document, const char* kind, std::initializer_list<const char*> columns,
                     TracedOperation (*read)(Row&), std::vector<TracedOperation>& operations) {
  const std::string pointer = std::string("/") + kind;
  double flops = 0;
  read_table(document[kind], pointer, columns, [&](Row& row) {
    operations.push_back(read(row));
    flops += static_cast<double>(operations.back().count) * flop_count(operations.back());
  });
  const json& stated = document["flops"][kind];
  if (!stated.is_number_integer() || stated.get<double>() != flops)
    wrong("/flops" + pointer, "what its rows add up to");
}

std::vector<TracedOperation> read_all_operations(const json& document) {
  require_keys(document["flops"], "/flops", {"attention", "conv", "gemm"});
  std::vector<TracedOperation> operations;
  read_operations(document, "gemm", {"direction", "role", "a", "b", "m", "n", "k", "batch", "count"}, read_gemm,
                  operations);
  read_operations(document, "conv",
                  {"direction", "role", "layout", "n", "c", "h", "w", "k", "r", "s", "stride", "pad", "count"},
                  read_conv, operations);
  read_operations(document, "attention",
                  {"direction", "role", "batch", "heads", "kv_heads", "query_length", "key_length", "head_size",
                   "causal", "launches", "count"},
                  read_attention, operations);
  return operations;
}

std::map<std::string, std::int64_t> read_shape(const json& value) {
  if (!value.is_object() || !value.contains("parameters")) wrong("/shape", "an object with parameters");
  std::map<std::string, std::int64_t> shape;
  for (const auto& [name, size] : value.items()) shape[name] = integer(size, "/shape/" + name, 1);
  return shape;
}

/// The text that cmake/pack_json.py packed.
std::string unpacked(std::string_view packed) {
  constexpr std::size_t kSizeBytes = 8, kMostBytes = std::size_t{1} << 20U;
  constexpr unsigned kBitsPerByte = 8;
  std::uint64_t size = 0;
  for (std::size_t i = 0; i < kSizeBytes && i < packed.size(); ++i) {
    size |= std::uint64_t{static_cast<unsigned char>(packed[i])} << (kBitsPerByte * i);
  }
  std::string text(std::min<std::size_t>(size, kMostBytes), '\0');
  uLongf written = text.size();
  packed.remove_prefix(std::min(kSizeBytes, packed.size()));
  const int status = ::uncompress(reinterpret_cast<Bytef*>(text.data()), &written,
                                  reinterpret_cast<const Bytef*>(packed.data()), static_cast<uLong>(packed.size()));
  if (status != Z_OK || written != size) {
    throw Error(ErrorCode::internal, "the workloads of this program are damaged; install it again");
  }
  return text;
}

TracedWorkload read_document(const json& document) {
  require_keys(document, "",
               {"attention", "class", "command", "conv", "flops", "format", "gemm", "id", "network", "precisions",
                "samples", "shape", "torch", "unit"});
  if (integer(document["format"], "/format") != kFormat) wrong("/format", fmt::format("{}", kFormat));
  TracedWorkload workload;
  workload.id = text(document["id"], "/id");
  workload.workload_class = known_name<WorkloadClass>(document["class"], "/class");
  workload.network = text(document["network"], "/network");
  workload.command = text(document["command"], "/command");
  workload.torch_version = text(document["torch"], "/torch");
  workload.shape = read_shape(document["shape"]);
  workload.samples = integer(document["samples"], "/samples", 1);
  workload.unit = text(document["unit"], "/unit");
  workload.operations = read_all_operations(document);
  const json& precisions = document["precisions"];
  require_keys(precisions, "/precisions", {"full", "mixed"});
  workload.full = read_precision(precisions["full"], "/precisions/full");
  workload.mixed = read_precision(precisions["mixed"], "/precisions/mixed");
  for (const WorkloadPrecision precision : {WorkloadPrecision::full, WorkloadPrecision::mixed}) {
    if (totals_of(workload, precision).launches != workload.in(precision).launches) {
      wrong("/precisions/*/launches", "what operations and traffic add up to");
    }
  }
  return workload;
}

std::vector<TracedWorkload> read_packed(std::string_view packed) {
  std::vector<TracedWorkload> workloads;
  for (const json& document : parse_untrusted_json(unpacked(packed))) workloads.push_back(read_document(document));
  return workloads;
}

}  // namespace

TracedWorkload read_workload(std::string_view json_text) { return read_document(parse_untrusted_json(json_text)); }

const std::vector<TracedWorkload>& core_workloads() {
  static const std::vector<TracedWorkload> kWorkloads = read_packed(embedded::kCoreWorkloads);
  return kWorkloads;
}

const std::vector<TracedWorkload>& large_workloads() {
  static const std::vector<TracedWorkload> kWorkloads = read_packed(embedded::kLargeWorkloads);
  return kWorkloads;
}

const TracedWorkload* find_workload(std::string_view id) {
  for (const auto* workloads : {&core_workloads(), &large_workloads()}) {
    const auto found = std::find_if(workloads->begin(), workloads->end(), [&](const auto& w) { return w.id == id; });
    if (found != workloads->end()) return &*found;
  }
  return nullptr;
}

}  // namespace gpuassay
