// The subcommands. Each takes its options and the environment and returns the exit code; errors are thrown.
#pragma once

#include "agent/environment.h"
#include "agent/options.h"

namespace gpuassay {

int execute(const RunOptions& options, const Environment& environment);
int execute(const ProbeOptions& options, const Environment& environment);
int execute(const DoctorOptions& options, const Environment& environment);
int execute(const ShowOptions& options, const Environment& environment);
int execute(const ScoreOptions& options, const Environment& environment);
int execute(const SchemaOptions& options, const Environment& environment);
int execute(const PriceImportOptions& options, const Environment& environment);
int execute(const PriceMatchOptions& options, const Environment& environment);
int execute(const PriceListOptions& options, const Environment& environment);
int execute(const UploadOptions& options, const Environment& environment);
int execute(const EstimateOptions& options, const Environment& environment);
int execute(const CompareOptions& options, const Environment& environment);
int execute(const WatchOptions& options, const Environment& environment);

}  // namespace gpuassay
