// What becomes of the data directory when any call to the disk fails, or the power fails between any two of them?
#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>

#include "agent/spool.h"
#include "core/error.h"
#include "core/key_file.h"
#include "tests/support/disk_calls.h"
#include "tests/support/scratch_root.h"

namespace gpuassay {
namespace {

namespace fs = std::filesystem;
using test::PowerLoss;

constexpr const char* kFormer = "0190b5a4-7c1d-7b3e-9f00-000000000001.json";
constexpr const char* kRun = "0190b5a4-7c1d-7b3e-9f00-000000000002.json";
constexpr std::size_t kMoreCallsThanAny = 100;
const std::string kBody(100'000, 'x');

/// A data directory that is new for each try.
class Tries {
 public:
  [[nodiscard]] fs::path next() { return scratch_.path() / std::to_string(++count_) / "share" / "gpuassay"; }

 private:
  test::ScratchRoot scratch_;
  int count_ = 0;
};

std::string content(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Tries `action` in a child that ends at the first call, the second and so on until it ends by itself, each time on
/// what `prepare` made, and looks with `check(finished)` at what a loss of power leaves.
void at_every_call(const std::function<void()>& prepare, const std::function<void()>& action,
                   const std::function<void(bool finished)>& check) {
  for (const PowerLoss kind : {PowerLoss::nothing_unsynced, PowerLoss::names_without_content}) {
    bool finished = false;
    std::size_t end_at = 0;
    for (; !finished && end_at < kMoreCallsThanAny; ++end_at) {
      SCOPED_TRACE(testing::Message() << "before call " << end_at << ", power loss " << static_cast<int>(kind));
      prepare();
      const test::CutShort cut = test::in_a_child_that_ends_at(end_at, action);
      finished = !cut.ended;
      test::lose_power(cut.calls, kind);
      check(finished);
    }
    ASSERT_TRUE(finished);
    EXPECT_GT(end_at, 3U) << "no call was seen: the disk is not watched";
  }
}

TEST(SpoolFaults, ALossOfPowerLeavesARunWholeOrNotAtAll) {
  Tries tries;
  fs::path dir;
  at_every_call(
      [&] {
        dir = tries.next();
        fs::create_directories(dir.parent_path().parent_path());
      },
      [&] { Spool(dir).save(kRun, kBody); },
      [&](bool finished) {
        const fs::path file = dir / "runs" / kRun;
        EXPECT_TRUE(!fs::exists(file) || content(file).size() == kBody.size()) << "a piece under its name";
        EXPECT_TRUE(fs::exists(file) || !finished) << "reported as saved, and lost";
      });
}

TEST(SpoolFaults, ALossOfPowerLeavesEarlierRunsAlone) {
  Tries tries;
  fs::path dir;
  at_every_call(
      [&] {
        dir = tries.next();
        Spool(dir).save(kFormer, "{}");
      },
      [&] { Spool(dir).save(kRun, kBody); }, [&](bool) { EXPECT_EQ(content(dir / "runs" / kFormer), "{}"); });
}

TEST(SpoolFaults, ALossOfPowerLeavesTheJournalsCompleteLines) {
  Tries tries;
  fs::path dir;
  const std::string run_id = std::string(kRun).substr(0, 36);
  at_every_call(
      [&] {
        dir = tries.next();
        Spool(dir).save(kFormer, "{}");
      },
      [&] { Spool(dir).start_journal(run_id).append("first"); },
      [&](bool finished) {
        const auto left = Spool(dir).left_journals();
        const bool whole = left.size() == 1 && left[0].lines == std::vector<std::string>{"first"};
        EXPECT_TRUE(whole || !finished) << "a finished case was lost";
      });
}

TEST(SpoolFaults, ALossOfPowerLeavesAWholeKeyOrNone) {
  Tries tries;
  fs::path dir;
  at_every_call(
      [&] {
        dir = tries.next();
        fs::create_directories(dir);
      },
      [&] { load_or_create_key((dir / "key").string()); },
      [&](bool finished) {
        const bool there = fs::exists(dir / "key");
        EXPECT_TRUE(there || !finished);
        EXPECT_NO_THROW(load_or_create_key((dir / "key").string())) << "a piece under its name";
      });
}

TEST(SpoolFaults, ALossOfPowerLeavesTheOldKeyOrTheNewOne) {
  Tries tries;
  fs::path dir;
  std::string old_key, new_key;
  at_every_call(
      [&] {
        dir = tries.next();
        fs::create_directories(dir);
        load_or_create_key((dir / "key").string());
        load_or_create_key((dir / "key.next").string());
        old_key = content(dir / "key");
        new_key = content(dir / "key.next");
      },
      [&] { replace_key_file((dir / "key").string(), (dir / "key.next").string(), (dir / "key.replaced").string()); },
      [&](bool finished) {
        const std::string now = content(dir / "key");
        EXPECT_TRUE(now == new_key || (!finished && now == old_key));
        EXPECT_TRUE(now == new_key || content(dir / "key.next") == new_key) << "the new key is never lost";
      });
}

/// What saving says while one call fails.
std::optional<Error> failure_of(const fs::path& dir, std::size_t fail_at, int error_number) {
  std::optional<Error> failure;
  test::with_failing_disk_call(fail_at, error_number, [&] {
    try {
      Spool(dir).save(kRun, kBody);
    } catch (const Error& error) {
      failure = error;
    }
  });
  return failure;
}

TEST(SpoolFaults, AnyCallThatFailsIsNotReportedAsSavedAndTheNextTrySucceeds) {
  for (const int error_number : {EIO, ENOSPC, EDQUOT, EROFS}) {
    Tries tries;
    bool clean = false;
    for (std::size_t fail_at = 0; !clean && fail_at < kMoreCallsThanAny; ++fail_at) {
      SCOPED_TRACE(testing::Message() << "call " << fail_at << ": " << strerror(error_number));
      const fs::path dir = tries.next();
      fs::create_directories(dir.parent_path().parent_path());
      const auto failure = failure_of(dir, fail_at, error_number);
      clean = !failure;
      if (clean) break;
      EXPECT_EQ(failure->code(), ErrorCode::not_saved);
      EXPECT_NE(std::string(failure->what()).find(strerror(error_number)), std::string::npos) << failure->what();
      EXPECT_FALSE(fs::exists(dir / "runs" / kRun)) << "said not to be saved";
      const Spool again(dir);
      again.save(kRun, kBody);
      EXPECT_EQ(again.read(kRun), kBody);
      again.remove_stale_temporaries();
    }
    EXPECT_TRUE(clean);
  }
}

}  // namespace
}  // namespace gpuassay
