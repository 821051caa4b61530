"""Finding files, reading them packed or plain, writing them whole."""

import bz2
import gzip
import json
import lzma
import random
import re
import zipfile

import pytest

from command_line import InputError
from command_line import files

SUFFIXES = ("", ".gz", ".bz2", ".xz", ".zip")
PACKED = SUFFIXES[1:]
# Enough of what no packer makes shorter, so that its middle can be broken.
TEXT = "Ein Käfer, 甲虫.\n" + "".join(
    f"{number:x}\n" for number in random.Random(1).choices(range(2**32), k=999)
)


def pack(path, data):
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inside.txt", data)
    else:
        packers = {".gz": gzip, ".bz2": bz2, ".xz": lzma}
        with getattr(packers.get(suffix), "open", open)(path, "wb") as file:
            file.write(data)
    return path


def read(path):
    with files.open_text("--input", str(path)) as file:
        return file.read()


def received(path):
    return re.escape(f"Received: --input={path}") + "$"


def make(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["b.txt"], ["b.txt"]),
        (["*.txt"], ["a.txt", "b.txt"]),
        (["?.md", "a.txt"], ["c.md", "a.txt"]),
        (["b.txt", "a.txt"], ["b.txt", "a.txt"]),
        (["[bc].*"], ["b.txt", "c.md"]),
        (["**/*.txt"], ["a.txt", "b.txt", "in/a.txt", "in/deep/d.txt"]),
        (["*"], ["a.txt", "b.txt", "c.md"]),
    ],
)
def test_patterns_stand_for_files_in_their_order(tmp_path, patterns, expected):
    make(tmp_path, "b.txt", "c.md", "a.txt", "in/deep/d.txt", "in/a.txt")
    found = files.find("--input", [f"{tmp_path}/{p}" for p in patterns])
    assert found == [f"{tmp_path}/{name}" for name in expected]


@pytest.mark.parametrize("pattern", ["none.txt", "*.md", "in", "**/*.gz"])
def test_a_pattern_of_no_file_is_an_error_naming_it(tmp_path, pattern):
    make(tmp_path, "a.txt", "in/a.txt")
    pattern = f"{tmp_path}/{pattern}"
    with pytest.raises(InputError, match="^`--input` .*" + received(pattern)):
        files.find("--input", [f"{tmp_path}/a.txt", pattern])


def test_a_path_with_brackets_stands_for_itself(tmp_path):
    path = f"{tmp_path}/run[1]/text.json"
    make(tmp_path, "run[1]/text.json")
    assert files.find("--input", [path]) == [path]
    files.write_json(path, {"a": 1})
    assert files.read_json("--input", path) == {"a": 1}


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".GZ", ".Zip"])
def test_a_compressed_file_reads_as_the_plain_one(tmp_path, suffix):
    path = pack(tmp_path / f"text.txt{suffix}", TEXT.encode())
    assert read(path) == TEXT


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_text_that_is_not_utf8_is_an_error(tmp_path, suffix):
    path = pack(tmp_path / f"text.txt{suffix}", TEXT.encode("utf-16"))
    with pytest.raises(InputError, match="UTF-8 text.*" + received(path)):
        read(path)


def no_archive(data):
    return b"This is no archive, whatever its name says."


def cut(data):
    return data[: len(data) // 2]


def changed_early(data):
    return data[:40] + bytes(50) + data[90:]


def changed_late(data):
    return data[:-2000] + bytes(50) + data[-1950:]


@pytest.mark.parametrize("suffix", PACKED)
@pytest.mark.parametrize(
    "spoil", [no_archive, cut, changed_early, changed_late]
)
def test_a_broken_archive_is_an_error_of_one_line(tmp_path, suffix, spoil):
    path = pack(tmp_path / f"text.txt{suffix}", TEXT.encode())
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(InputError, match="^`--input` .*" + received(path)):
        read(path)


@pytest.mark.parametrize("names", [(), ("a.txt", "b.txt")])
def test_a_zip_must_hold_one_file(tmp_path, names):
    path = tmp_path / "text.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "text")
    with pytest.raises(InputError, match="zip of one file.*" + received(path)):
        read(path)


def test_a_zip_must_not_ask_for_a_password(tmp_path):
    path = pack(tmp_path / "a.zip", b"text")
    data = bytearray(path.read_bytes())
    # The lowest bit of the flags, which stand in two places.
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="password.*" + received(path)):
        read(path)


@pytest.mark.parametrize(
    "text", ["", "{", "{'a': 1}", '{"a": 1} 2', "[" * 99_999, "9" * 9999]
)
def test_what_is_not_json_that_python_can_hold_is_an_error(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(InputError, match="a JSON file.*" + received(path)):
        files.read_json("--input", str(path))


def test_a_name_twice_in_a_json_object_is_an_error(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('[{"a": 1, "b": 2}, {"b": 1, "c": 2, "b": 3}]')
    with pytest.raises(InputError, match="JSON file: 'b' is there twice. "):
        files.read_json("--input", str(path))


@pytest.mark.parametrize("name", ["none.json", "*.json"])
def test_json_of_no_or_several_files_is_an_error(tmp_path, name):
    for letter in "ab":
        (tmp_path / f"{letter}.json").write_text("{}")
    path = tmp_path / name
    with pytest.raises(InputError, match="^`--input` .*" + received(path)):
        files.read_json("--input", str(path))


@pytest.mark.parametrize("name", [".", "none/a.json", "a.txt/b.json"])
def test_a_file_to_write_is_in_a_directory(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    make(tmp_path, "a.txt")
    files.check_output("--output", "a.txt")
    files.check_output("--output", str(tmp_path / "new.json"))
    with pytest.raises(InputError, match=f"Received: --output={name}$"):
        files.check_output("--output", name)


def test_a_file_is_there_once_all_is_written(tmp_path):
    path = tmp_path / "a.txt"
    with files.whole(str(path)) as partial:
        with open(partial, "w") as file:
            file.write("text")
        assert not path.exists()
    assert path.read_text() == "text"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("old", [None, "old"])
def test_an_exception_while_writing_leaves_what_was_there(tmp_path, old):
    path = tmp_path / "a.txt"
    if old is not None:
        path.write_text(old)
    with pytest.raises(RuntimeError, match="^mine$"):
        with files.whole(str(path)) as partial:
            with open(partial, "w") as file:
                file.write("new")
            raise RuntimeError("mine")
    assert path.exists() == (old is not None)
    assert old is None or path.read_text() == old


def test_what_a_killed_run_left_is_not_in_the_next_file(tmp_path):
    path = tmp_path / "a.json"
    with pytest.raises(KeyboardInterrupt):
        with files.whole(str(path)) as partial:
            with open(partial, "w") as file:
                file.write("half of something much longer" * 99)
            raise KeyboardInterrupt
    files.write_json(str(path), {"a": 1})
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_of_another_machine_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="`--model_dir` must be .*this mach"):
        files.make_directory("--model_dir", "gs://bucket/run")
    assert not any(tmp_path.iterdir())
