#include "collector/line_writer.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace gpuassay {
namespace {

/// Two ends, both closed at the end.
struct Ends {
  Ends() = default;
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;
  ~Ends() {
    close_reader();
    ::close(writer);
  }
  void close_reader() {
    if (reader >= 0) ::close(reader);
    reader = -1;
  }
  [[nodiscard]] std::string read_some() const {
    std::string text(1U << 20U, '\0');
    const ssize_t bytes = ::read(reader, text.data(), text.size());
    text.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
    return text;
  }
  int reader = -1, writer = -1;
};

void open_pipe(Ends& ends) {
  std::array<int, 2> both{};
  ASSERT_EQ(::pipe(both.data()), 0);
  ends.reader = both[0];
  ends.writer = both[1];
}

void open_sockets(Ends& ends) {
  std::array<int, 2> both{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, both.data()), 0);
  ends.reader = both[0];
  ends.writer = both[1];
}

std::string told(std::uint64_t lines) { return "dropped " + std::to_string(lines); }

class LineWriterTest : public testing::TestWithParam<void (*)(Ends&)> {
 protected:
  void SetUp() override {
    (void)std::signal(SIGPIPE, SIG_IGN);
    GetParam()(ends_);
  }
  void TearDown() override { (void)std::signal(SIGPIPE, SIG_DFL); }
  Ends ends_;
};

TEST_P(LineWriterTest, NobodyWaitsForAReaderThatDoesNotRead) {
  LineWriter writer(ends_.writer, told);
  const std::string line(1'000, 'x');
  for (int i = 0; i < 5'000; ++i) writer.write(line);  // would stand still
  const std::uint64_t dropped = writer.dropped();
  EXPECT_GT(dropped, 0U);
  std::size_t read = 0;
  while (read < (5'000 - dropped) * 1'001) read += ends_.read_some().size();
  writer.write("last");
  EXPECT_EQ(ends_.read_some(), told(dropped) + "\nlast\n");
  writer.write("told once");
  EXPECT_EQ(ends_.read_some(), "told once\n");
}

TEST_P(LineWriterTest, AReaderThatIsGoneEndsNothing) {
  LineWriter writer(ends_.writer, told);
  ends_.close_reader();
  writer.write("x");
  writer.write("y");
  EXPECT_EQ(writer.dropped(), 2U);
}

TEST_P(LineWriterTest, LinesAreCutWhereAPipeWouldMixThem) {
  LineWriter writer(ends_.writer, told);
  writer.write(std::string(10'000, 'x'));
  EXPECT_EQ(ends_.read_some(), std::string(LineWriter::kMostBytes - 1, 'x') + "\n");
}

INSTANTIATE_TEST_SUITE_P(Ends, LineWriterTest, testing::Values(open_pipe, open_sockets),
                         [](const auto& kind) { return kind.index == 0 ? "Pipe" : "Socket"; });

}  // namespace
}  // namespace gpuassay
