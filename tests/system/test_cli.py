"""The command line as a user meets it: help, exit codes, one voice under mpirun."""

import os
import pathlib
import re
import subprocess

import pytest

HEADRACE = str(pathlib.Path(os.environ["HEADRACE_BUILD"]) / "bin" / "headrace")
COMMANDS = re.findall(r"^  (\w+) ", subprocess.run([HEADRACE, "help"], capture_output=True, text=True).stdout, re.M)


def headrace(*args, ranks=None, **variables):
    launch = ["mpirun", "-n", str(ranks)] if ranks else []
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HEADRACE_")}
    return subprocess.run([*launch, HEADRACE, *map(str, args)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env={**environment, **variables})


def refused(done, *parts, code=2):
    """Ended with that code, and said all of the parts, on stderr only."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    for part in parts:
        assert part in done.stderr
    return done


def test_commands_are_those_of_the_design():
    assert {"inspect", "serve", "bench", "stat", "wait", "stop"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command):
    done = headrace(command, "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert f"Usage: headrace {command}" in done.stdout
    assert "--help" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 120
    assert headrace(command, "-h").stdout == done.stdout


def test_version():
    done = headrace("--version")
    assert re.fullmatch(r"headrace \d+\.\d+\.\d+\n", done.stdout)


def test_wrong_commands():
    refused(headrace(), "no command given", "Commands")
    refused(headrace("srve"), "unknown command 'srve'; did you mean 'serve'?")


@pytest.mark.parametrize("command", COMMANDS)
def test_unknown_flags_are_refused_by_every_command(command):
    refused(headrace(command, "--jsno=1"), "unknown flag '--jsno")
    refused(headrace(command, "-Z"), "unknown flag '-Z'")


def test_wrong_use_of_the_control_commands():
    refused(headrace("wait"), "say which service")
    refused(headrace("wait", "a", "b"), "one name too many")
    refused(headrace("wait", "a", "--timeout", "soon"), "--timeout soon is not a time")
    refused(headrace("stop", "no-such-service"), "there is no service 'no-such-service'", code=1)
    refused(headrace("wait", "no-such-service", "--timeout", "0"), "no-such-service", code=1)
    refused(headrace("stat", HEADRACE_NAME="from-the-environment"), "'from-the-environment'", code=1)


def test_serve_needs_files():
    refused(headrace("serve"), "no files to serve")


def test_bench_takes_files_or_made_up_data():
    refused(headrace("bench"), "either files or --synthetic")
    refused(headrace("bench", "a.h5", "--synthetic", "1KB x 10"), "either files or --synthetic")
    refused(headrace("bench", "--repeats", "0", "--slots", "1"), "2 mistakes", "--repeats 0 is not", "--slots 1 is not")
    refused(headrace("bench", "--compute", "soon", "--synthetic", "1KB x 10"), "--compute soon is not a time")
    done = headrace("bench", "--synthetic", "1KB", "x", "many")  # as one value
    assert done.returncode == 2 and "'many' is not a size" in done.stderr


def test_all_mistakes_of_all_sources_at_once(tmp_path):
    config = tmp_path / "bad.toml"
    config.write_text('files = "x.h5"\nslotz = 3\n[stream.train]\nbatch = "many"\n')
    done = headrace("serve", "-c", config, "--shufle", "none", HEADRACE_LINGER="soon")
    refused(done, "5 mistakes", "x.h5 (no such file)", f"{config}:2: unknown key 'slotz'; did you mean 'slots'?", f"{config}:4: ",
            "'--shufle'; did you mean '--shuffle'?", "HEADRACE_LINGER=soon")


def test_malformed_toml(tmp_path):
    config = tmp_path / "bad.toml"
    config.write_text('name = "x\n')
    refused(headrace("serve", "-c", config), f"{config}:1:", "not TOML")


def test_ranks_speak_with_one_voice(tmp_path):
    done = headrace("serve", "--bach", "3", ranks=3)
    assert done.returncode == 2
    assert done.stderr.count("unknown flag '--bach'") == 1
    done = headrace("serve", tmp_path / "nowhere.h5", ranks=3)
    assert done.returncode == 1
    assert len(re.findall(r"headrace.*nowhere\.h5", done.stderr)) == 1
