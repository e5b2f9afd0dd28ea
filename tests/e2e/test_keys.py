"""The machine's key: replaced by a new one, or revoked, at a collector."""

from conftest import one_line
from servers import ScriptedCollector
from saved_runs import put_runs


def test_a_replaced_key_goes_on_as_the_same_machine(agent, make_collector):
    first, second = put_runs(agent, 2)
    collector = make_collector("--accept-simulated")
    assert agent("upload", "--collector", collector.url).returncode == 0
    old_key = (agent.data_dir / "key").read_bytes()

    # The answer does not come: nothing is sent meanwhile, as the collector may trust either key.
    busy = ScriptedCollector(lambda request: (503, {}, b""))
    undecided = agent("upload", "--replace-key", "--collector", busy.url)
    assert undecided.returncode == 6 and "upload --replace-key --collector" in one_line(undecided.stdout)
    new_key = (agent.data_dir / "key.next").read_bytes()
    assert (agent.data_dir / "key").read_bytes() == old_key
    stranger = make_collector("--accept-simulated", name="stranger")
    assert agent("upload", "--replace-key", "--collector", stranger.url).returncode == 6
    assert (agent.data_dir / "key.next").read_bytes() == new_key, "the first collector may trust it"
    waiting = agent("upload", "--all", "--collector", collector.url)
    assert waiting.returncode == 6 and "was begun and not finished" in waiting.stdout

    done = agent("upload", "--replace-key", "--collector", collector.url)
    assert done.returncode == 0 and "replaced" in one_line(done.stdout)
    assert (agent.data_dir / "key").read_bytes() == new_key, "the one that was begun with"
    assert (agent.data_dir / "key.replaced").read_bytes() == old_key
    assert not (agent.data_dir / "key.next").exists()
    assert (agent.data_dir / "key").stat().st_mode & 0o777 == 0o600
    assert agent("upload", "--delete", first, "--collector", collector.url).returncode == 0, "its machine sent it"

    (agent.data_dir / "key").unlink()
    (agent.data_dir / "key.replaced").rename(agent.data_dir / "key")  # the thief's copy
    thief = agent("upload", "--delete", second, "--collector", collector.url)
    assert thief.returncode == 6 and "NOT DELETED" in thief.stdout


def test_a_revoked_key_is_followed_by_a_new_machine(agent, make_collector):
    put_runs(agent)
    collector = make_collector("--accept-simulated")
    unknown = agent("upload", "--revoke-key", "--collector", collector.url)
    assert unknown.returncode == 6 and "nothing of this key" in one_line(unknown.stdout)
    assert agent("upload", "--collector", collector.url).returncode == 0
    key = (agent.data_dir / "key").read_bytes()
    assert agent("upload", "--revoke-key", "--collector", collector.url).returncode == 0
    assert (agent.data_dir / "key.revoked").read_bytes() == key and not (agent.data_dir / "key").exists()
    assert agent("upload", "--all", "--collector", collector.url).returncode == 0, "what was taken is known to anyone"
    assert (agent.data_dir / "key").read_bytes() != key
    assert agent("upload", "--revoke-key", "--replace-key", "--collector", collector.url).returncode == 2
