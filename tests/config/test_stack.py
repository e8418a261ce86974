"""The set-up on a fresh machine: real servers, real processes, folders of the tests' own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config.stack.postgres import live_port
from config.stack.programs import copied_programs
from config.stack.state import CHECKOUT, last_port, listens, read_env, write_env

SECONDS = 180
SHOW_URLS = "import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL'])"
WRITE = "CREATE TABLE IF NOT EXISTS kept (n integer); INSERT INTO kept VALUES (1)"
TOUCH = (
    "import os, psycopg, redis\n"
    f"with psycopg.connect(os.environ['DATABASE_URL']) as c: c.execute('{WRITE}')\n"
    "redis.Redis.from_url(os.environ['REDIS_URL']).incr('kept')\n"
)
COUNT = (
    "import os, psycopg, redis\n"
    "print(psycopg.connect(os.environ['DATABASE_URL']).execute('SELECT count(*) FROM kept').fetchone()[0],"
    " int(redis.Redis.from_url(os.environ['REDIS_URL']).get('kept')))"
)

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state folder. For root its PostgreSQL lies elsewhere, since tests' folders are closed to other accounts."""
    folder = tmp_path / "state"
    yield folder
    home = folder / "pg"
    if home.is_symlink():
        shutil.rmtree(home.resolve())


@pytest.fixture
def start(state: Path) -> Iterator[Start]:
    """Start the supervisor: `start("run", "--", ...)`. What still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def call(verb: str, *words: str, **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.stack", verb, "--state", str(state), *words],
            cwd=CHECKOUT, env=_environment() | variables, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        return process

    yield call
    for process in started:
        process.kill()
        process.communicate()
    _wait_for(lambda: _nothing_listens(state))


def _environment() -> dict[str, str]:
    ours = ("DATABASE_URL", "REDIS_URL", "TIEOUT_STATE", "SECRET_KEY", "TIEOUT_URL")
    return {name: value for name, value in os.environ.items() if name not in ours}


def _finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, errors = process.communicate(timeout=SECONDS)
    return process.returncode, out.strip(), errors.strip()


def _wait_for(ready: Callable[[], object]) -> None:
    end = time.monotonic() + SECONDS
    while not ready():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.05)


def _nothing_listens(state: Path) -> bool:
    ports = (last_port(state, name) for name in ("DATABASE_URL", "REDIS_URL", "TIEOUT_URL"))
    return not any(port and listens(port) for port in ports)


def _waiting(start: Start, state: Path) -> subprocess.Popen[str]:
    """A `run` whose command has written one row and one key and now sleeps."""
    process = start(
        "run", "--", sys.executable, "-c", TOUCH + "print('there', flush=True)\nimport time; time.sleep(600)"
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    return process


def test_a_command_gets_both_servers_and_its_exit_code_comes_back(start: Start, state: Path) -> None:
    code, out, errors = _finish(start("run", "--", sys.executable, "-c", f"{TOUCH}\n{SHOW_URLS}; raise SystemExit(7)"))
    assert (code, errors) == (7, "")
    assert out.startswith("postgresql://app@127.0.0.1:")
    assert _nothing_listens(state)


def test_data_ports_and_key_outlive_a_restart(start: Start, state: Path) -> None:
    _finish(start("run", "--", sys.executable, "-c", TOUCH))
    before = read_env(state)
    assert _finish(start("run", "--", sys.executable, "-c", TOUCH + COUNT)) == (0, "2 2", "")
    assert read_env(state) == before
    assert (state / "env").stat().st_mode & 0o777 == 0o600


def test_words_after_a_second_dash_dash_reach_the_command(start: Start) -> None:
    echo = "import sys; print(sys.argv[1:])"
    assert _finish(start("run", "--", sys.executable, "-c", echo, "--", "-x"))[1] == "['--', '-x']"


def test_an_unknown_command_is_named(start: Start) -> None:
    assert _finish(start("run", "--", "no-such-program")) == (127, "", "There is no program no-such-program.")
    assert _finish(start("run"))[0] == 2


def test_a_second_command_uses_the_live_servers_and_leaves_them(start: Start, state: Path) -> None:
    first = _waiting(start, state)
    code, out, _ = _finish(start("run", "--", sys.executable, "-c", SHOW_URLS))
    env = read_env(state)
    assert (code, out) == (0, f"{env['DATABASE_URL']} {env['REDIS_URL']}")
    assert first.poll() is None
    with psycopg.connect(env["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1,)


def test_the_first_command_keeps_the_servers_until_the_second_is_done(start: Start, state: Path) -> None:
    first = _waiting(start, state)
    second = _waiting(start, state)
    first.terminate()
    assert first.stderr is not None
    assert first.stderr.readline().startswith("Other commands use these servers; waiting for them.")
    assert not _nothing_listens(state)
    second.terminate()
    assert _finish(second)[0] == _finish(first)[0] == 128 + signal.SIGTERM
    assert _nothing_listens(state)


def test_commands_that_start_at_once_share_one_pair_of_servers(start: Start) -> None:
    at_once = [start("run", "--", sys.executable, "-c", SHOW_URLS + "\nimport time; time.sleep(2)") for _ in range(3)]
    ends = [_finish(process) for process in at_once]
    assert [(code, errors) for code, _, errors in ends if code] == []
    assert len({out for _, out, _ in ends}) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_command_and_then_the_servers(start: Start, state: Path, number: signal.Signals) -> None:
    process = _waiting(start, state)
    process.send_signal(number)
    assert _finish(process)[0] == 128 + number
    assert _nothing_listens(state)
    assert not (state / "pg" / "data" / "postmaster.pid").exists()


def test_a_killed_supervisor_leaves_nothing_that_breaks_the_next_start(start: Start, state: Path) -> None:
    _waiting(start, state).kill()
    assert _finish(start("run", "--", sys.executable, "-c", COUNT)) == (0, "1 1", "")
    assert _nothing_listens(state)


def test_killed_servers_leave_nothing_that_breaks_the_next_start(start: Start, state: Path) -> None:
    process = _waiting(start, state)
    lock = state / "pg" / "data" / "postmaster.pid"
    port = last_port(state, "REDIS_URL")
    assert port is not None
    valkey = int(redis.Redis(port=port).info("server")["process_id"])
    os.kill(int(lock.read_text().split()[0]), signal.SIGKILL)
    os.kill(valkey, signal.SIGKILL)
    process.kill()
    assert _finish(start("run", "--", sys.executable, "-c", COUNT)) == (0, "1 1", "")


def test_a_lock_file_with_the_number_of_another_process_is_not_believed(start: Start, state: Path) -> None:
    _finish(start("run", "--", sys.executable, "-c", TOUCH))
    lock = state / "pg" / "data" / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{lock.parent}\n0\n1\n\n127.0.0.1\n\nready\n")
    assert live_port(lock.parent) is None
    assert _finish(start("run", "--", sys.executable, "-c", COUNT)) == (0, "1 1", "")


def test_a_half_made_cluster_is_made_again(start: Start, state: Path) -> None:
    _finish(start("run", "--", "true"))
    home = (state / "pg").resolve()
    (home / "data").rename(home / "fresh")
    assert _finish(start("run", "--", sys.executable, "-c", TOUCH))[0] == 0


def test_the_programs_run_from_a_copy_too(tmp_path: Path) -> None:
    """Root's PostgreSQL may not reach an installation below a closed folder."""
    for _ in range(2):
        program = copied_programs(tmp_path) / "postgres"
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("postgres (PostgreSQL) 18")


def test_a_taken_port_is_left_to_who_has_it(start: Start, state: Path) -> None:
    taken = threading.Event()
    other = _other_server(taken)
    write_env(
        state, DATABASE_URL=f"postgresql://app@127.0.0.1:{other}/tieout", REDIS_URL=f"redis://127.0.0.1:{other}/0"
    )
    assert _finish(start("run", "--", sys.executable, "-c", TOUCH))[0] == 0
    assert last_port(state, "DATABASE_URL") != other != last_port(state, "REDIS_URL")
    taken.set()


def _other_server(done: threading.Event) -> int:
    """A port where somebody accepts and says nothing that we know."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)

    def serve() -> None:
        while not done.is_set():
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            except TimeoutError:
                continue
        listener.close()

    threading.Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1])


@pytest.mark.parametrize(
    ("variable", "url", "absent", "there"),
    [
        ("DATABASE_URL", "postgresql://someone@db.example/ours", "pg", "redis"),
        ("REDIS_URL", "redis://cache.example:6379/3", "redis", "pg"),
    ],
)
def test_an_own_server_switches_the_embedded_one_off(
    start: Start, state: Path, variable: str, url: str, absent: str, there: str
) -> None:
    code, out, _ = _finish(start("run", "--", sys.executable, "-c", SHOW_URLS, **{variable: url}))
    assert code == 0
    assert url in out.split()
    assert not (state / absent).exists()
    assert (state / there).exists()


def test_up_obeys_once_then_serves_tells_of_a_lost_worker_and_stops_on_ctrl_c(start: Start, state: Path) -> None:
    then = f"{sys.executable} -c \"import os; print(os.environ['TIEOUT_URL']); raise SystemExit(3)\""
    code, out, _ = _finish(start("up", "--once", "--then", then))
    url = read_env(state)["TIEOUT_URL"]
    assert (code, out.splitlines()) == (3, [url, "Stopping."])
    assert not _processes_of(state, "")

    process = start("up", "--demo")
    assert process.stdout is not None
    assert process.stdout.readline().startswith(f"Serving at {url} until Ctrl-C.")
    door = read_env(state)["TIEOUT_API_URL"]
    assert process.stdout.readline() == f"Programs push to {door}, which gives way to people.\n"
    assert (_status(url), _status(door)) == (200, 200)
    with pytest.raises(urllib.error.HTTPError, match="401"):  # the carrier of the demo, who wants a token
        urllib.request.urlopen(read_env(state)["TIEOUT_DEMO_API"])
    assert _finish(start("up"))[::2] == (
        1, f"Tieout is up already, at {url}. Stop it there, or name another folder: --state DIR"
    )  # fmt: skip

    workers = _processes_of(state, "celery")
    assert len({group for _, group in workers}) == 5  # four workers and beat, each a group of its own
    os.kill(next(pid for pid, group in workers if pid == group and b"diff@tieout" in _words(pid)), signal.SIGTERM)
    assert process.stdout.readline().startswith("worker-diff ended by itself.")
    _wait_for(lambda: _status(url) == 200)

    process.send_signal(signal.SIGINT)
    said = process.stdout.read()
    assert process.wait(SECONDS) == 0
    assert f"config.stack run --state {state} -- " in said
    assert _nothing_listens(state)
    assert not _processes_of(state, "")


def _status(url: str) -> int:
    with urllib.request.urlopen(f"{url}/livez") as answer:
        return int(answer.status)


def _words(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _processes_of(state: Path, word: str) -> list[tuple[int, int]]:
    """Process and group ids of what runs with this state folder and has the word in its command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"TIEOUT_STATE={state}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                pid = int(folder.name)
                if word.encode() in _words(pid):
                    found.append((pid, os.getpgid(pid)))
        except OSError:
            continue
    return found
