// Which columns come from the result document, and which part of a run must not be told of a rare machine? Private to
// collector/export/run_tables.cpp.
#pragma once

#include <string_view>
#include <vector>

#include "collector/export/column.h"

namespace gpuassay {

/// Columns of a run, of a device, of a measurement that are taken from the document as it is.
std::vector<Column> run_document_columns();
std::vector<Column> device_document_columns();
std::vector<Column> measurement_document_columns();
/// gemm_tflop_per_s_fp16_sustained and so on, below `pointer`: a summary, "/summary/instance" or that of a device.
std::vector<Column> figure_columns(const std::string& pointer);

/// Left out where a run is suppressed.
bool tells_machines_apart(std::string_view column);

}  // namespace gpuassay
