#include "agent/watch_rule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include "core/stats.h"

namespace gpuassay {
namespace {

using Speeds = std::vector<double>;

/// Ten probes of an even machine: 100, give or take one.
const Speeds kEven{100, 101, 99, 100, 101, 99, 100, 100, 101, 99};

Baseline earlier_run() {
  return {BaselineSource::earlier_run, 100, {98, 99, 99.5, 99.8, 99.9, 100.1, 100.2, 100.5, 101, 102}};
}

/// What the last probe of `speeds` changes; nothing may have changed before.
std::optional<SpeedChange> last_change(WatchedFigure& figure, const Speeds& speeds) {
  std::optional<SpeedChange> change;
  for (const double speed : speeds) {
    EXPECT_FALSE(change);
    change = figure.add(speed);
  }
  return change;
}

TEST(WatchRule, AMachineThatWasFastAtBootIsToldAfterSixProbes) {
  WatchedFigure figure(earlier_run());
  const auto change = last_change(figure, {70, 71, 70.5, 69, 69.5, 70.2});
  ASSERT_TRUE(change);
  EXPECT_TRUE(change->slower && figure.is_slower());
  EXPECT_EQ(change->against, BaselineSource::earlier_run);
  EXPECT_DOUBLE_EQ(change->ratio, 0.701);
  EXPECT_EQ(change->since, 0U);
  EXPECT_EQ(change->probes, 6U);
  // Six below ten: one of the C(16,6) = 8008 ways, and the opposite one.
  EXPECT_NEAR(change->p, 2.0 / 8008, 1e-12);
}

TEST(WatchRule, WithoutARunTheFirstTenProbesAreTheBaseline) {
  WatchedFigure figure(std::nullopt);
  EXPECT_FALSE(last_change(figure, kEven));
  EXPECT_DOUBLE_EQ(figure.baseline()->level, 100);
  EXPECT_FALSE(last_change(figure, {100, 99, 101}));
  EXPECT_FALSE(figure.can_tell());
  const auto change = last_change(figure, {70, 71, 70, 69, 70, 70});
  ASSERT_TRUE(change && change->slower);
  EXPECT_EQ(change->against, BaselineSource::first_probes);
  EXPECT_EQ(change->since, 13U);
  EXPECT_TRUE(figure.can_tell());
}

TEST(WatchRule, ASlowProbeNowAndThenTellsNothing) {
  WatchedFigure figure(earlier_run());
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(last_change(figure, {60, 60, 60, 60, 60, 100}));
  EXPECT_FALSE(figure.is_slower());
}

TEST(WatchRule, LessThanATenthIsNoChange) {
  WatchedFigure figure(earlier_run());
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(figure.add(i % 2 == 0 ? 91 : 92));
}

TEST(WatchRule, AMachineWhoseProbesDifferALotMustFallFurther) {
  // Neighbouring probes differ by ln(110 / 90), which over 1.1503 and the square root of 2 is a spread of 12.3 %: with
  // the doubt of 16 probes a slow one is 2 * 1.25 * 12.3 % below 100 at least.
  const Speeds uneven{90, 110, 90, 110, 90, 110, 90, 110, 90, 110};
  EXPECT_NEAR(probe_spread(uneven), 0.12335, 1e-5);
  WatchedFigure moderately(std::nullopt), far(std::nullopt);
  EXPECT_FALSE(last_change(moderately, uneven));
  EXPECT_FALSE(last_change(moderately, {60, 75, 60, 75, 60, 75}));
  EXPECT_FALSE(last_change(far, uneven));
  EXPECT_TRUE(last_change(far, {50, 62, 50, 62, 50, 62}));
}

TEST(WatchRule, ABaselineThatWasSlowItselfAccusesNobody) {
  WatchedFigure figure(std::nullopt);
  EXPECT_FALSE(last_change(figure, {100, 70, 100, 70, 101, 70, 100, 70, 100, 100}));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(figure.add(70));
}

TEST(WatchRule, ItIsToldOnceAndAgainWhenItIsAsFastAsBefore) {
  WatchedFigure figure(earlier_run());
  ASSERT_TRUE(last_change(figure, {70, 71, 70, 69, 70, 70}));
  EXPECT_FALSE(last_change(figure, {70, 70, 70, 100, 100, 100, 100, 100}));
  const auto again = figure.add(100);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->slower || figure.is_slower());
  EXPECT_EQ(again->since, 9U);
  EXPECT_DOUBLE_EQ(again->ratio, 1);
  EXPECT_TRUE(last_change(figure, {70, 71, 70, 69, 70, 70})->slower);
}

TEST(WatchRule, AFewStoredSamplesOfARunNeedMoreProbes) {
  WatchedFigure figure(Baseline{BaselineSource::earlier_run, 12, {12.1, 12, 11.9}});
  // All of m below all of three: 2 / C(m + 3, 3), which is 2 / 84 for six, but the test takes no more than twenty, and
  // 2 / 1771 is above a thousandth.
  for (int probe = 0; probe < 100; ++probe) EXPECT_FALSE(figure.add(8.0 + 0.001 * probe));
  WatchedFigure four(Baseline{BaselineSource::earlier_run, 12, {12.1, 12, 11.9, 12.2}});
  // 2 / C(14,4) = 0.002, 2 / C(17,4) = 0.00084: the first with thirteen.
  std::size_t probes = 1;
  while (!four.add(8.0 + 0.001 * static_cast<double>(probes))) ASSERT_LT(++probes, 100U);
  EXPECT_EQ(probes, 13U);
}

TEST(WatchRule, TheSpreadIsNotThatOfAChange) {
  EXPECT_EQ(probe_spread({}), 0);
  EXPECT_EQ(probe_spread({5}), 0);
  Speeds changed = kEven;
  for (const double speed : kEven) changed.push_back(speed * 0.7);
  EXPECT_LT(probe_spread(changed), 0.02);
}

/// How a machine's probes come about that nothing has happened to.
struct Honest {
  double spread = 0;     ///< from probe to probe, of the logarithm
  double disturbed = 0;  ///< share of probes that lose 20 to 50 % to a neighbour
};

class Simulated {
 public:
  Simulated(Honest machine, unsigned seed) : machine_(machine), random_(seed) {}

  double probe() {
    const double speed = 100 * std::exp(machine_.spread * normal());
    return uniform() < machine_.disturbed ? speed * (0.5 + 0.3 * uniform()) : speed;
  }
  /// A run of the same machine: its figure is a draw like any probe, its samples are closer together.
  Baseline run() {
    Baseline run{BaselineSource::earlier_run, 0, {}};
    const double level = probe();
    for (int i = 0; i < 14; ++i) run.group.push_back(level * std::exp(machine_.spread / 3 * normal()));
    run.level = median(run.group);
    return run;
  }

 private:
  double uniform() { return (static_cast<double>(random_()) + 0.5) / 4294967296.0; }
  /// Of the library's own every implementation draws other numbers.
  double normal() { return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform()); }

  Honest machine_;
  std::mt19937 random_;
};

constexpr int kWatches = 10'000;
/// What 1 % of a day has place for.
constexpr int kProbesOfADay = 432;

int false_alarms(Honest machine, bool with_run) {
  int alarms = 0;
  Simulated simulated(machine, 20261128);
  for (int watch = 0; watch < kWatches; ++watch) {
    WatchedFigure figure(with_run ? std::optional(simulated.run()) : std::nullopt);
    for (int probe = 0; probe < kProbesOfADay && !figure.is_slower(); ++probe) figure.add(simulated.probe());
    alarms += figure.is_slower() ? 1 : 0;
  }
  return alarms;
}

TEST(WatchRule, HonestMachinesGiveNoFalseAlarmInTenThousandDays) {
  for (const Honest machine : {Honest{0.02, 0.02}, Honest{0.05, 0.05}, Honest{0.10, 0.02}})
    EXPECT_EQ(false_alarms(machine, false), 0) << machine.spread;
  EXPECT_EQ(false_alarms({0.02, 0.02}, true), 0);
}

TEST(WatchRule, OneRunOfANoisyMachineMayHaveBeenLucky) { EXPECT_LE(false_alarms({0.05, 0.05}, true), 10); }

TEST(WatchRule, AThirdLessIsToldWithinAFewProbes) {
  for (const double spread : {0.005, 0.02, 0.05}) {
    Simulated simulated({spread, 0.02}, 7);
    Speeds needed;
    for (int watch = 0; watch < 500; ++watch) {
      WatchedFigure figure(std::nullopt);
      for (int probe = 0; probe < 30; ++probe) EXPECT_FALSE(figure.add(simulated.probe()));
      double probes = 1;
      while (!figure.add(0.7 * simulated.probe()) && probes < 100) ++probes;
      needed.push_back(probes);
    }
    EXPECT_EQ(median(needed), 6) << spread;
    EXPECT_LE(quantile(needed, 0.95), 12) << spread;
  }
}

}  // namespace
}  // namespace gpuassay
