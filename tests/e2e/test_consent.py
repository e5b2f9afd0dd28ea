"""The question after a run, asked on a real pseudo-terminal."""

import json
import os
import pty
import select
import signal
import time

from conftest import TIME_SCALE, on_one_cpu
from servers import ScriptedCollector, receipt_for

# A case or two, with other tests beside it; under the sanitizers stretched to more than that.
SECONDS = "6" if TIME_SCALE == 1 else "3"
PROMPT = "contribute it? [y/N] "


class Terminal:
    """A run of the agent whose standard streams are a terminal, read as a person would."""

    def __init__(self, agent, *arguments, collector=None, redirect=None):
        self.output = ""
        variables = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        variables.update(TERM="xterm", NO_COLOR="1")
        if collector:
            variables["GPUASSAY_COLLECTOR"] = collector
        command = agent.command("run", "--device", "cpu", "--profile", "quick", "--max-seconds", SECONDS, *arguments)
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            for descriptor in redirect or ():
                os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
            on_one_cpu()
            os.execve(command[0], command, variables)

    def read_until(self, text, seconds=100):
        """False when the program ended without saying `text`."""
        limit = time.monotonic() + seconds
        while text not in self.output:
            assert time.monotonic() < limit, f"never said {text!r}: {self.output}"
            if not select.select([self.descriptor], [], [], 1)[0]:
                continue
            try:
                data = os.read(self.descriptor, 65536)
            except OSError:  # the other side is closed
                return False
            if not data:
                return False
            self.output += data.decode(errors="replace")
        return True

    def type(self, text):
        os.write(self.descriptor, text.encode())

    def end(self):
        """The exit code, and everything that was said, on one line."""
        self.read_until("\0never", seconds=100)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.descriptor)
        return os.waitstatus_to_exitcode(status), " ".join(self.output.split())  # however the lines were broken


def accepting(request):
    if request.command == "POST":
        return 201, {"Content-Type": "application/json"}, receipt_for(request.body)
    return 404, {}, b""


def answered(agent, answer, **kwargs):
    terminal = Terminal(agent, **kwargs)
    assert terminal.read_until(PROMPT), terminal.output
    terminal.type(answer)
    return terminal.end()


def remembered(agent):
    return json.loads((agent.data_dir / "consent.json").read_text())


def test_yes_sends_this_run_and_the_next_ones_without_asking(agent):
    collector = ScriptedCollector(accepting)
    code, said = answered(agent, "y\n", collector=collector.url)
    assert code == 4, said  # cut off by its six seconds
    run_id = agent.results()[0]["run_id"]
    assert said.index("score") < said.index("contribute this result"), "after the result"
    assert "CC BY 4.0" in said and f"{collector.url}/r/{run_id}" in said and f"upload --delete {run_id}" in said
    assert "uploaded: " in said
    assert [post.body for post in collector.of("POST")] == [agent.files()[0].read_bytes()]
    consent = remembered(agent)
    assert consent["granted"] is True and consent["collector"] == collector.url and consent["question_version"] == 1
    assert consent["answered_at"].startswith("20")
    assert (agent.data_dir / "consent.json").stat().st_mode & 0o777 == 0o600

    code, said = Terminal(agent, collector=collector.url).end()
    assert code == 4 and "[y/N]" not in said and "uploaded: " in said
    assert len(collector.of("POST")) == 2

    # What is remembered is an answer at a terminal: unattended, only --upload sends.
    unattended = agent("run", "--device", "cpu", "--profile", "quick", "--max-seconds", SECONDS, preexec_fn=on_one_cpu, env=dict(os.environ, GPUASSAY_COLLECTOR=collector.url))
    assert unattended.returncode == 4 and len(collector.of("POST")) == 2


def test_no_is_the_default_and_is_remembered_until_the_question_changes(agent):
    collector = ScriptedCollector(accepting)
    code, said = answered(agent, "\n", collector=collector.url)
    assert code == 4 and "not sent" in said
    assert remembered(agent)["granted"] is False
    code, said = Terminal(agent, collector=collector.url).end()
    assert code == 4 and "[y/N]" not in said

    # A question of another version, or about another collector, is another question.
    old = dict(remembered(agent), granted=True, question_version=0)
    (agent.data_dir / "consent.json").write_text(json.dumps(old))
    answered(agent, "n\n", collector=collector.url)
    assert remembered(agent)["question_version"] == 1
    other = ScriptedCollector(accepting)
    answered(agent, "no\n", collector=other.url)
    assert remembered(agent)["collector"] == other.url
    assert collector.requests == [] and other.requests == []


def test_what_was_typed_while_measuring_answers_nothing(agent):
    collector = ScriptedCollector(accepting)
    terminal = Terminal(agent, collector=collector.url)
    assert terminal.read_until("measuring"), terminal.output
    terminal.type("y\n")
    assert terminal.read_until(PROMPT), terminal.output
    terminal.type("\x04")  # end of input: no answer
    code, said = terminal.end()
    assert code == 4 and "no answer" in said
    assert not (agent.data_dir / "consent.json").exists() and collector.requests == []


def test_interrupting_the_question_keeps_the_result_and_sends_nothing(agent):
    collector = ScriptedCollector(accepting)
    terminal = Terminal(agent, collector=collector.url)
    assert terminal.read_until(PROMPT), terminal.output
    terminal.type("\x03")
    code, _ = terminal.end()
    assert code == -signal.SIGINT
    assert len(agent.results()) == 1 and collector.requests == []
    assert not (agent.data_dir / "consent.json").exists()


def test_a_consent_that_cannot_be_acted_upon_fails_the_command_but_keeps_the_result(agent):
    collector = ScriptedCollector(lambda request: (503, {"Retry-After": "300"}, b""))
    code, said = answered(agent, "yes\n", collector=collector.url)
    assert code == 6 and "NOT UPLOADED" in said and "upload --collector" in said
    assert len(collector.requests) == 1 and len(agent.results()) == 1


def test_nothing_is_asked_where_it_is_decided_or_nobody_sits(agent):
    collector = ScriptedCollector(accepting)
    for arguments in (["--offline"], ["--json"], ["--quiet"]):
        _, said = Terminal(agent, *arguments, collector=collector.url).end()
        assert "contribute" not in said, arguments
    for descriptor in (0, 2):
        _, said = Terminal(agent, collector=collector.url, redirect=[descriptor]).end()
        assert "contribute" not in said, descriptor
    _, said = Terminal(agent).end()
    assert "contribute" not in said, "no collector is configured"
    assert collector.requests == []
    assert {result["status"] for result in agent.results()} == {"partial"}, "there was something to ask about"
    _, said = Terminal(agent, "--upload", collector.url).end()
    assert "contribute" not in said and len(collector.of("POST")) == 1


def test_an_unusable_collector_is_told_before_anything_is_measured(agent):
    code, said = Terminal(agent, collector="ftp://x").end()
    assert code == 2 and "http" in said and agent.results() == []
