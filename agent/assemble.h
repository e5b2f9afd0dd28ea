// From what was planned and measured to the finished result document. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// What is known when a run starts.
struct RunStart {
  std::string run_id;
  std::string started_at;  ///< RFC 3339
  Profile profile = Profile::standard;
  AgentInfo agent;
  Trigger trigger = Trigger::user;
  bool simulated = false;
  std::optional<std::string> price_instance_hour_usd;  ///< --price, six places
};

/// This program, as a document names it.
AgentInfo this_agent();

/// The document before anything is measured: status failed, no measurements. The first line of a journal.
Result begin_result(const RunStart& start, const Inventory& inventory);

/// Puts the price that was looked up for `begun` into it, unless the user gave one.
void apply_price_match(Result& begun, const PriceMatch& match, const std::string& explanation);

/// What came of it.
struct RunEnd {
  std::vector<Measurement> raw_measurements;  ///< as the worker returned them, repeats as well
  std::vector<Reason> reasons;                ///< empty when every planned case was reached
  std::string finished_at;                    ///< RFC 3339
  double duration_s = 0;
  /// Of the cases, as TimeUse has them; empty where nobody knows.
  std::optional<double> measuring_s = {}, preparing_s = {};
  std::vector<Unknown> unknown = {};        ///< beyond what finish_result explains itself
  std::map<int, DeviceHealth> health = {};  ///< by device index
};

/// Pools repeats, normalizes, summarizes, scores, prices and judges: the whole document. status is complete when there
/// is no reason against it and every case is ok or skipped, failed when no case is ok, else partial.
Result finish_result(Result begun, RunEnd end);

}  // namespace gpuassay
